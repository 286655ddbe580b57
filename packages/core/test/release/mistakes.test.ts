import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import type { Table } from '../../src/provider/contract.js';
import { deployRelease } from '../../src/release/deploy.js';
import { shapeNames, shapes } from '../../src/testing/index.js';
import { act, type Bench, bench, canary, intentOf, servedNow, service, siteOf } from './harness.js';
import {
  digestIn,
  headIn,
  hooked,
  isOp,
  journalOf,
  once,
  rejectsWith,
  releasesIn,
  toProvider,
} from './support.js';

const forwardMoves = (b: Bench, release: number) =>
  journalOf(b).flatMap((entry) =>
    entry.kind === 'moves' && entry.release === release && entry.dir === 'forward' ? [entry] : [],
  );

async function stage(shape: (typeof shapeNames)[number], extra: Partial<Intent> = {}) {
  const b = bench([siteOf(shape)]);
  await b.deploy(b.run(), intentOf(b.sites, service('one')));
  return { b, old: servedNow(b), two: intentOf(b.sites, service('two'), extra) };
}

for (const shape of shapeNames) {
  const two = shapes[shape].split.targets === 2;
  describe(`what a release never does (${shape})`, () => {
    it('move traffic before it wrote down from what to what', async () => {
      const { b, two: next } = await stage(shape);
      let moves = 0;
      const run = hooked(b.run(), {
        before: (call) => {
          if (!isOp('traffic.set')(call) || !call.writes) return;
          const known = forwardMoves(b, 2).some((entry) => `memory/${call.on}` in entry.moves);
          assert.ok(known, `${call.op} on ${call.on} without a word`);
          moves += 1;
        },
      });
      assert.equal((await b.deploy(run, next)).ending, 'live');
      assert.ok(moves > 0);
    });

    it('write to a provider before its record with the way back is there', async () => {
      const { b, two: next } = await stage(shape);
      const tables = () => Object.fromEntries(Object.entries(headIn(b).tables));
      const before = tables();
      let first = true;
      const run = hooked(b.run(), {
        before: (call) => {
          if (!toProvider(call) || !first) return;
          first = false;
          const record = releasesIn(b).find((release) => release.number === 2);
          assert.deepEqual(record?.undo, before);
        },
      });
      assert.equal((await b.deploy(run, next)).ending, 'live');
      assert.equal(first, false);
    });

    it('write anything when nothing changed, nor publish a version again', async () => {
      const { b } = await stage(shape);
      const before = JSON.stringify(b.world.read());
      const run = b.run();
      assert.equal((await b.deploy(run, intentOf(b.sites, service('one')))).ending, 'unchanged');
      assert.deepEqual(
        run.calls.filter((call) => call.writes),
        [],
      );
      assert.equal(JSON.stringify(b.world.read()), before);
    });

    it('publish what it has already, nor ask for its code', async () => {
      const steady = (code: string) =>
        intentOf(
          b.sites,
          service(code, { functions: { list: { code: 'list', routes: ['GET /products'] } } }),
        );
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), steady('one'));
      const run = b.run();
      const intent = steady('two');
      const ctx = await b.context(run, { artifacts: intent });
      const asked: string[] = [];
      const artifact = (unit: string, digest: string) => {
        asked.push(unit);
        return ctx.artifact!(unit, digest);
      };
      const outcome = await deployRelease({ ...ctx, artifact }, intent, { waitMs: 0 });
      assert.equal(outcome.ending, 'live');
      const own =
        shapes[shape].unit === 'function'
          ? ['memory/checkout', 'memory/worker']
          : [`memory/${shapes[shape].unit}`];
      assert.deepEqual(asked.sort(), own);
      assert.ok(!run.calls.some((call) => isOp('versions.stage')(call) && call.on === 'list'));
    });

    it('take its own word for it: what somebody moved before the end is found, and nobody is told that it is live', async () => {
      const { b, two: next } = await stage(shape);
      const [alias, table] = Object.entries(headIn(b).tables)[0]!;
      const theirs: Table = table;
      const run = hooked(b.run(), {
        before: () => {
          if (journalOf(b).at(-1)?.kind === 'triggers' && headIn(b).open === 2) {
            b.hands().moveAlias(alias.slice('memory/'.length), theirs);
          }
        },
      });
      const outcome = await b.deploy(run, next);
      assert.notEqual(outcome.ending, 'live');
      assert.notEqual(headIn(b).live, 2);
    });

    it('overwrite what somebody else moved after the plan was made', async () => {
      const { b, two: next } = await stage(shape);
      const other = intentOf(b.sites, service('other'));
      await b.deploy(b.run(), other);
      const [alias, table] = Object.entries(headIn(b).tables)[0]!;
      const first = releasesIn(b).find((release) => release.number === 2)!.undo[alias]!;
      const run = hooked(b.run(), {
        before: once(isOp('versions.stage'), () => b.hands().moveAlias(alias.slice('memory/'.length), first)),
      });
      const outcome = await b.deploy(run, next);
      assert.notDeepEqual(first, table);
      assert.equal(outcome.error?.code, 'SFX4105', outcome.ending);
      assert.equal(outcome.ending, 'partial');
      assert.ok(
        outcome.aliases?.some(
          (one) => one.alias === alias && JSON.stringify(one.table) === JSON.stringify(first),
        ),
      );
    });

    it('count as done what was only meant: resume looks, wherever the flip was cut', async () => {
      const measured = await stage(shape);
      const counted = measured.b.run();
      await measured.b.deploy(counted, measured.two);
      const fresh = servedNow(measured.b);
      const writes = counted.calls.filter((call) => isOp('traffic.set')(call) && call.writes).length;
      for (let at = 1; at <= writes; at++) {
        const { b, two: next } = await stage(shape);
        const faults = [{ op: 'traffic.set', writes: true, at, do: 'kill' as const }];
        await b.run('ana', { faults }).perform((run) => b.deploy(run, next));
        const outcome = await act.resume(b, b.run('medic'));
        assert.equal(outcome.ending, 'live', `cut at ${at}: ${JSON.stringify(outcome.error)}`);
        assert.deepEqual(servedNow(b), fresh, `cut at ${at}`);
      }
    });

    it('take a lost answer for a failure', async () => {
      for (const op of ['traffic.set', 'versions.stage', 'resources.reconcile']) {
        for (let at = 1; at <= 3; at++) {
          const { b } = await stage(shape);
          const next = intentOf(b.sites, { ...service('two'), things: { table: { props: { size: 1 } } } });
          const run = b.run('ana', { faults: [{ op, writes: true, at, do: 'lose' }] });
          const outcome = await b.deploy(run, next);
          assert.equal(outcome.ending, 'live', `${op} ${at}: ${JSON.stringify(outcome.error)}`);
        }
      }
    });

    it('need the built code to go back', async () => {
      const { b, old, two: next } = await stage(shape);
      await b.deploy(b.run(), next);
      const run = b.run();
      const outcome = await act.rollback(b, run);
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.deepEqual(
        run.calls.filter((call) => isOp('versions.stage')(call)),
        [],
      );
      assert.deepEqual(servedNow(b), old);
    });

    it('go back by itself to what was bad', async () => {
      const { b, old, two: bad } = await stage(shape);
      await b.deploy(b.run(), bad);
      await act.rollback(b, b.run());
      await b.deploy(b.run(), intentOf(b.sites, service('three')));
      const outcome = await act.rollback(b, b.run(), '~1');
      assert.deepEqual([outcome.ending, outcome.release?.of], ['live', 1]);
      assert.deepEqual(servedNow(b), old);
      await assert.rejects(act.rollback(b, b.run(), '~1'), rejectsWith('SFX4111'));
    });

    it('say that all is served where that cannot be known', async () => {
      const { b, two: next } = await stage(shape);
      const run = b.run();
      await b.deploy(run, next);
      const known = shapes[shape].flip.confirmable;
      const moved = run.events.flatMap((event) => (event.code === 'moved' ? [event.confirmed] : []));
      assert.deepEqual(moved, [known ? true : 'unknown']);
      const flips = run.events.flatMap((event) =>
        event.code === 'step.end' && event.step === 'flip' ? [event.text] : [],
      );
      assert.match(flips.join(), known ? /read back and served/ : /cannot be told/);
    });

    if (two) {
      it('give stable the share of the candidate', async () => {
        const { b, two: next } = await stage(shape, { rollout: canary(5) });
        const one = intentOf(b.sites, service('one'));
        const unit = shapes[shape].unit === 'function' ? 'list' : shapes[shape].unit;
        const outcome = await b.deploy(b.run(), next);
        assert.deepEqual(outcome.serving, [
          { release: 2, percent: 5 },
          { release: 1, percent: 95 },
        ]);
        assert.deepEqual(servedNow(b)['memory GET /products'], {
          [digestIn(one, unit)]: 95,
          [digestIn(next, unit)]: 5,
        });
      });
    } else {
      it('send everyone to what was asked for as a canary', async () => {
        const { b, old, two: next } = await stage(shape, { rollout: canary(5) });
        const run = b.run();
        await assert.rejects(
          b.deploy(run, next, { canaryAsked: true }),
          rejectsWith('SFX3005', /no weights/),
        );
        assert.deepEqual(
          run.calls.filter((call) => call.writes),
          [],
        );
        assert.deepEqual(servedNow(b), old);
      });
    }
  });
}

describe('a value that came from outside', () => {
  const SECRET = 'p4ss-w0rd-of-the-day';
  const keyed = (b: Bench, code: string, ref = 'env:KEY', config = {}) =>
    intentOf(b.sites, {
      functions: {
        list: {
          code: `list ${code}`,
          routes: ['GET /products'],
          config: { environment: { KEY: { $secret: ref } }, ...config },
        },
      },
    });

  /** Every place that people or machines read: state, events, plan, outcome, error. */
  function told(b: Bench, run: ReturnType<Bench['run']>, ...values: unknown[]): void {
    const places = { state: b.world.read().store, events: run.events, values };
    for (const [place, value] of Object.entries(places)) {
      assert.ok(
        !JSON.stringify(value).includes(SECRET),
        `the value is in ${place}: ${JSON.stringify(value)}`,
      );
    }
  }

  for (const shape of ['lambda', 'openfaas', 'local'] as const) {
    it(`reaches the version and nothing else (${shape})`, async () => {
      const b = bench([siteOf(shape)]);
      const secrets = new Map([
        ['env:KEY', SECRET],
        ['env:OTHER', `${SECRET}-2`],
      ]);
      const deploy = async (intent: Intent, faults: Parameters<Bench['run']>[1] = {}) => {
        const run = b.run('ana', faults);
        const ctx = await b.context(run, { artifacts: intent, secrets });
        const plans: unknown[] = [];
        const outcome = await deployRelease(ctx, intent, { waitMs: 0, planned: (plan) => plans.push(plan) });
        told(b, run, outcome, ...plans);
        return outcome;
      };
      assert.equal((await deploy(keyed(b, 'one'))).ending, 'live');
      const made = Object.values(b.world.read().versions)[0];
      assert.deepEqual(made?.config, { environment: { KEY: SECRET } }, 'the version has it');
      assert.equal((await deploy(keyed(b, 'one', 'env:OTHER', { memory: 256 }))).ending, 'live');
      const failing = {
        faults: [{ op: 'versions.stage', writes: true, at: 1, times: null, do: 'fail' as const }],
      };
      assert.equal((await deploy(keyed(b, 'three'), failing)).ending, 'failed');
      const run = b.run();
      const back = await act.rollback(b, run);
      assert.equal(back.ending, 'live', JSON.stringify(back.error));
      told(b, run, back, await act.status(b, run));
    });
  }

  it('that is not at hand is named by its source (SFX4203)', async () => {
    const b = bench([siteOf('lambda')]);
    const outcome = await b.deploy(b.run(), keyed(b, 'one'));
    assert.deepEqual([outcome.ending, outcome.error?.code], ['failed', 'SFX4203']);
    assert.match(outcome.error!.message, /env:KEY/);
  });
});
