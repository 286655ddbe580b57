import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import { act, type Bench, bench, intentOf, servedNow, service, siteOf } from './harness.js';
import {
  digestIn,
  headIn,
  hooked,
  isOp,
  journalOf,
  once,
  rejectsWith,
  releasesIn,
  versionsAt,
} from './support.js';

const shapes = ['lambda', 'openfaas', 'local'] as const;
const keeping =
  (keep: number, extra: Partial<Intent> = {}) =>
  (b: Bench, code: string) =>
    intentOf(b.sites, service(code), { keep, ...extra });

/** Units and digests that are marked to be removed. */
const marked = (b: Bench) =>
  headIn(b)
    .retiring.map((one) => one.version.digest)
    .sort();
const isRemoval = isOp('versions.remove');

for (const shape of shapes) {
  describe(`what no release needs any more (${shape})`, () => {
    it('is marked under one lease and removed under a later one', async () => {
      const b = bench([siteOf(shape)]);
      const build = keeping(2);
      for (const code of ['one', 'two']) await b.deploy(b.run(), build(b, code));
      const third = b.run();
      await b.deploy(third, build(b, 'three'));
      const digests = ['checkout', 'list', 'worker'].map((unit) => digestIn(build(b, 'one'), unit)).sort();
      assert.deepEqual(marked(b), digests);
      assert.deepEqual(third.calls.filter(isRemoval), []);
      assert.ok(versionsAt(b, 'list').includes(digestIn(build(b, 'one'), 'list')), 'only marked');
      const { fence } = headIn(b);
      assert.ok(headIn(b).retiring.every((one) => one.fence === fence));
      await b.deploy(b.run(), build(b, 'four'));
      assert.deepEqual(
        versionsAt(b, 'list'),
        ['two', 'three', 'four'].map((code) => digestIn(build(b, code), 'list')),
      );
      assert.deepEqual(
        marked(b),
        ['checkout', 'list', 'worker'].map((unit) => digestIn(build(b, 'two'), unit)).sort(),
      );
    });

    it('is written down before it is removed', async () => {
      const b = bench([siteOf(shape)]);
      const build = keeping(1);
      for (const code of ['one', 'two']) await b.deploy(b.run(), build(b, code));
      let announced = 0;
      const run = hooked(b.run(), {
        before: (call) => {
          if (!isRemoval(call) || !call.writes) return;
          const entry = journalOf(b).findLast((one) => one.kind === 'removing');
          const versions = entry?.kind === 'removing' ? entry.versions.map((one) => one.unit) : [];
          assert.ok(versions.includes(call.on), `${call.on} goes unannounced`);
          announced += 1;
        },
      });
      await b.deploy(run, build(b, 'three'));
      assert.ok(announced >= 3);
    });

    it('is unmarked before it is used again', async () => {
      const b = bench([siteOf(shape)]);
      const build = keeping(1);
      for (const code of ['one', 'two']) await b.deploy(b.run(), build(b, code));
      assert.equal(marked(b).length, 3);
      let looked = false;
      const run = hooked(b.run(), {
        before: once(
          (call) => call.op === 'versions.list' && headIn(b).open === 3,
          () => {
            assert.deepEqual(marked(b), []);
            looked = true;
          },
        ),
      });
      const outcome = await b.deploy(run, build(b, 'one'));
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.ok(looked);
      await b.deploy(b.run(), intentOf(b.sites, { ...service('one'), things: { table: {} } }, { keep: 1 }));
      for (const [source, shares] of Object.entries(servedNow(b))) {
        assert.ok(
          !Object.keys(shares).some((to) => to.startsWith('problem')),
          `${source} ${JSON.stringify(shares)}`,
        );
      }
    });

    it('is never what an alias names', async () => {
      const b = bench([siteOf(shape)]);
      const steady = (code: string) =>
        intentOf(
          b.sites,
          service(code, { functions: { list: { code: 'list', routes: ['GET /products'] } } }),
          { keep: 1 },
        );
      const kept = digestIn(steady('one'), 'list');
      for (const code of ['one', 'two', 'three', 'four']) {
        const run = b.run();
        await b.deploy(run, steady(code));
        assert.ok(!marked(b).includes(kept), `marked by ${code}`);
        assert.deepEqual(
          run.calls.filter((call) => isRemoval(call) && call.on === 'list'),
          [],
        );
      }
      assert.deepEqual(versionsAt(b, 'list'), [kept]);
    });

    it('goes with its documents; head keeps a line of it', async () => {
      const b = bench([siteOf(shape)]);
      const build = keeping(2);
      for (const code of ['one', 'two', 'three', 'four']) await b.deploy(b.run(), build(b, code));
      assert.deepEqual(
        releasesIn(b).map((release) => release.number),
        [3, 4],
      );
      assert.ok(journalOf(b).every((entry) => entry.release >= 3));
      assert.deepEqual(
        headIn(b).past.map((past) => past.forgotten ?? false),
        [true, true, false, false],
      );
      await assert.rejects(
        act.rollback(b, b.run(), '1'),
        rejectsWith('SFX4112', /nearest release that is whole is 3/),
      );
    });

    it('counts releases that differ; what was rolled back since is kept, so that going forward again is possible', async () => {
      const b = bench([siteOf(shape)]);
      const build = keeping(2);
      for (const code of ['one', 'two']) await b.deploy(b.run(), build(b, code));
      const two = servedNow(b);
      await act.rollback(b, b.run());
      await act.rollback(b, b.run(), '2');
      assert.deepEqual(servedNow(b), two);
      const head = headIn(b);
      assert.deepEqual(
        head.past.map((past) => [past.number, past.of, past.status]),
        [
          [1, undefined, 'superseded'],
          [2, undefined, 'rolled back'],
          [3, 1, 'superseded'],
          [4, 2, 'live'],
        ],
      );
      assert.deepEqual(marked(b), []);
    });

    it('includes versions of a release that went back after it had traffic, in its time', async () => {
      const b = bench([siteOf(shape)]);
      const build = keeping(1);
      await b.deploy(b.run(), build(b, 'one'));
      const moved = service('bad', {
        functions: { list: { code: 'list bad' }, catalog: { code: 'bad', routes: ['GET /products'] } },
      });
      const failing = b.run('ana', {
        faults: [{ op: 'resources.reconcile', at: 1, do: 'fail' }],
      });
      const outcome = await b.deploy(failing, intentOf(b.sites, moved, { keep: 1 }));
      assert.deepEqual([outcome.ending, outcome.exit], ['rolled back', 3]);
      for (const code of ['two', 'three', 'four']) await b.deploy(b.run(), build(b, code));
      const left = versionsAt(b, 'checkout');
      assert.ok(!left.includes(digestIn(intentOf(b.sites, moved), 'checkout')), 'it stays for ever');
    });

    it('includes versions that were staged in vain', async () => {
      const b = bench([siteOf(shape)]);
      const build = keeping(1);
      await b.deploy(b.run(), build(b, 'one'));
      b.hands().behave(digestIn(build(b, 'bad'), 'worker'), { warm: 'fails' });
      const outcome = await b.deploy(b.run(), build(b, 'bad'));
      assert.deepEqual([outcome.ending, outcome.exit, outcome.error?.code], ['failed', 1, 'SFX3106']);
      assert.equal(marked(b).length, 3);
      await b.deploy(b.run(), build(b, 'two'));
      assert.deepEqual(
        versionsAt(b, 'worker').filter((digest) => digest === digestIn(build(b, 'bad'), 'worker')),
        [],
      );
    });
  });
}
