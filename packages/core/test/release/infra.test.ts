import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Json } from '../../src/json.js';
import { act, type Bench, bench, canary, intentOf, servedNow, service, siteOf } from './harness.js';
import { headIn, hooked, isOp, journalOf, once, rejectsWith, releasesIn, toProvider } from './support.js';

const shapes = ['lambda', 'openfaas', 'local'] as const;

const withTable = (b: Bench, code: string, props: Json, extra: Parameters<typeof intentOf>[2] = {}) =>
  intentOf(
    b.sites,
    {
      ...service(code, {
        functions: { list: { code: `list ${code}`, routes: ['GET /products'], uses: ['table'] } },
      }),
      things: { table: { props } },
    },
    extra,
  );

const tableIn = (b: Bench) =>
  Object.values(b.world.read().objects).find((object) => object.kind === 'thing' && object.id === 'table');

for (const shape of shapes) {
  describe(`infra of a release (${shape})`, () => {
    it('is made before anything is staged', async () => {
      const b = bench([siteOf(shape)]);
      const run = b.run();
      await b.deploy(run, withTable(b, 'one', { size: 2 }));
      const made = run.calls.findIndex(isOp('resources.reconcile'));
      const staged = run.calls.findIndex(isOp('versions.stage'));
      assert.equal(run.calls[made]?.on, 'table');
      assert.ok(made < staged);
    });

    it('is widened before the flip, so that what comes finds it', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), withTable(b, 'one', { size: 2 }));
      const run = hooked(b.run(), {
        before: once(isOp('versions.stage'), () => assert.deepEqual(tableIn(b)?.sent, { size: 4 })),
      });
      assert.equal((await b.deploy(run, withTable(b, 'two', { size: 4 }))).ending, 'live');
    });

    it('is narrowed only when nothing needs it wide any more: after the flip', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), withTable(b, 'one', { size: 4 }));
      const run = hooked(b.run(), {
        before: () => {
          if (headIn(b).live === 1)
            assert.deepEqual(tableIn(b)?.sent, { size: 4 }, 'release 1 still has traffic');
        },
      });
      const outcome = await b.deploy(run, withTable(b, 'two', { size: 2 }));
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.deepEqual(tableIn(b)?.sent, { size: 2 });
    });

    it('stays wide through a canary, and through its end at 0 %', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), withTable(b, 'one', { size: 4 }));
      await b.deploy(b.run(), withTable(b, 'two', { size: 2 }, { rollout: canary(10) }));
      assert.deepEqual(tableIn(b)?.sent, { size: 4 });
      await act.rollback(b, b.run());
      assert.deepEqual(tableIn(b)?.sent, { size: 4 });
    });

    it('that a change would replace is refused before anything is touched (SFX4123)', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), withTable(b, 'one', { size: 4, type: 'a' }));
      const run = b.run();
      await assert.rejects(
        b.deploy(run, withTable(b, 'two', { size: 4, type: 'b' })),
        rejectsWith('SFX4123', /table/),
      );
      assert.deepEqual(
        run.calls.filter((call) => call.writes),
        [],
      );
    });

    it('that is dropped goes when no release in the window needs it, written down first', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), withTable(b, 'one', { size: 4 }, { keep: 2 }));
      await b.deploy(b.run(), intentOf(b.sites, service('two'), { keep: 2 }));
      assert.ok(tableIn(b), 'a rollback to release 1 needs it');
      const run = hooked(b.run(), {
        before: (call) => {
          if (call.op !== 'resources.remove') return;
          const last = journalOf(b).findLast((entry) => entry.kind === 'removing');
          assert.ok(last?.kind === 'removing' && last.resources.includes(`memory/${call.on}`));
        },
      });
      await b.deploy(run, intentOf(b.sites, service('three'), { keep: 2 }));
      assert.equal(tableIn(b), undefined);
    });

    it('that holds data stays, whatever becomes of the file', async () => {
      const b = bench([siteOf(shape)]);
      const data = (code: string) => ({
        ...service(code),
        things: { table: { props: { size: 1 }, data: true as const } },
      });
      const first = await b.deploy(b.run(), intentOf(b.sites, data('one'), { keep: 1 }));
      assert.deepEqual(first.leaves, ['table']);
      for (const code of ['two', 'three', 'four'])
        await b.deploy(b.run(), intentOf(b.sites, service(code), { keep: 1 }));
      assert.ok(tableIn(b), 'it holds data');
    });

    it('that holds data is left and named by remove', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), intentOf(b.sites, { ...service('one'), things: { table: { data: true } } }));
      const outcome = await act.remove(b, b.run());
      assert.deepEqual([outcome.ending, outcome.leaves], ['removed', ['table']]);
      assert.match(outcome.sentence, /table, which holds data/);
      assert.ok(tableIn(b));
      assert.equal(b.hands().owns().length, 1);
    });

    it('that comes back with a rollback is made anew', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), withTable(b, 'one', { size: 4 }));
      const one = servedNow(b);
      await b.deploy(b.run(), intentOf(b.sites, service('two')));
      const outcome = await act.rollback(b, b.run());
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.ok(tableIn(b));
      assert.deepEqual(servedNow(b), one);
    });

    it('that somebody else made is not touched (SFX3108)', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), intentOf(b.sites, service('one')));
      const old = servedNow(b);
      b.hands().plantForeign('thing', 'table');
      const outcome = await b.deploy(b.run(), withTable(b, 'two', { size: 4 }));
      assert.deepEqual([outcome.ending, outcome.exit, outcome.error?.code], ['failed', 1, 'SFX3108']);
      assert.equal(tableIn(b)?.scope, null);
      assert.deepEqual(servedNow(b), old);
    });

    it('that drifted is made as described, under a number of its own', async () => {
      const b = bench([siteOf(shape)]);
      const intent = withTable(b, 'one', { size: 4 });
      await b.deploy(b.run(), intent);
      b.hands().changeObject('table', { size: 9 });
      const outcome = await b.deploy(b.run(), intent);
      assert.deepEqual([outcome.ending, outcome.release?.number], ['live', 2]);
      assert.equal(tableIn(b)?.actual['size'], 4);
      assert.equal((await b.deploy(b.run(), intent)).ending, 'unchanged');
    });

    it('fills what versions are configured with, and refs stay refs in state', async () => {
      const b = bench([siteOf(shape)]);
      const plain = service('one', {
        functions: {
          list: {
            code: 'list',
            routes: ['GET /products'],
            uses: ['table'],
            config: { TABLE: { $out: ['table', 'arn'] } },
          },
        },
        things: { table: {} },
      });
      await b.deploy(b.run(), intentOf(b.sites, plain));
      const made = Object.values(b.world.read().versions).find((version) => version.unit === 'list');
      assert.match(JSON.stringify(made?.config), /arn:memory:thing/);
      assert.ok(!JSON.stringify(releasesIn(b)).includes('arn:memory'));
    });

    it('comes in the order of what it needs', async () => {
      const b = bench([siteOf(shape)]);
      const things = { a: { dependsOn: ['b'] }, b: { dependsOn: ['c'] }, c: {} };
      const run = b.run();
      await b.deploy(run, intentOf(b.sites, { ...service('one'), things }));
      const made = run.calls
        .filter((call) => toProvider(call) && isOp('resources.reconcile')(call))
        .map((call) => call.on);
      assert.deepEqual(made.slice(0, 3), ['c', 'b', 'a']);
    });
  });
}
