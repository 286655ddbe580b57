import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { planRollback } from '../../src/release/rollback.js';
import { shapes } from '../../src/testing/index.js';
import { act, type Bench, bench, canary, intentOf, servedNow, siteOf } from './harness.js';
import { stage } from './plan-stage.js';
import { hooked, isOp, toProvider } from './support.js';

describe('the effort of a release', () => {
  /** `count` functions, each with a route. */
  const many = (count: number, code: string) => ({
    functions: Object.fromEntries(
      Array.from({ length: count }, (_, n) => [`f${n}`, { code: `f${n} ${code}`, routes: [`GET /f${n}`] }]),
    ),
  });
  const stateCalls = (run: ReturnType<Bench['run']>) =>
    run.calls.filter((call) => call.op.startsWith('store.')).length;

  for (const shape of ['lambda', 'local', 'openfaas'] as const) {
    it(`in calls to the state does not grow with the number of functions (${shape})`, async () => {
      const counts: number[][] = [];
      for (const count of [1, 60]) {
        const site = { ...siteOf(shape), probed: { writesPerSecond: 10_000, seats: null } };
        const b = bench([site]);
        const one = b.run();
        await b.deploy(one, intentOf(b.sites, many(count, 'one')));
        const two = b.run();
        await b.deploy(two, intentOf(b.sites, many(count, 'two'), { rollout: canary(5) }));
        const promote = b.run();
        await act.promote(b, promote);
        const back = b.run();
        assert.equal((await act.rollback(b, back)).ending, 'live');
        counts.push([one, two, promote, back].map(stateCalls));
      }
      assert.deepEqual(counts[1], counts[0]);
    });
  }

  it('keeps to the writes per second that the provider has', async () => {
    const b = bench([siteOf('lambda')]);
    const limit = shapes.lambda.writesPerSecond;
    const times: number[] = [];
    const run = hooked(b.run(), {
      before: (call) => {
        if (
          call.op === 'versions.stage.update' ||
          call.op === 'traffic.set' ||
          call.op === 'resources.reconcile'
        )
          times.push(b.clock.now());
      },
    });
    await b.deploy(run, intentOf(b.sites, many(40, 'one')));
    assert.equal(times.length, 120);
    for (const [index, at] of times.entries()) {
      const inOneSecond = times.slice(index).filter((other) => other < at + 1000).length;
      assert.ok(inOneSecond <= 2 * limit, `${inOneSecond} writes in one second`);
    }
    const seconds = (times.at(-1)! - times[0]!) / 1000;
    assert.ok(seconds >= times.length / limit - 2, `${times.length} writes in ${seconds} s`);
  });

  it('waits as long as the provider asks', async () => {
    const { b, two } = await stage();
    const faulty = b.run('ana', {
      faults: [{ op: 'traffic.set', writes: true, at: 1, do: 'throttle', retryAfterMs: 7_000 }],
    });
    const began = b.clock.now();
    assert.equal((await b.deploy(faulty, two)).ending, 'live');
    assert.ok(b.clock.now() - began >= 7_000);
    assert.ok(faulty.events.some((event) => event.code === 'retry' && event.ms === 7_000));
  });

  it('is not spent on a provider that asks to wait for ever', async () => {
    const { b, two, old } = await stage();
    const faulty = b.run('ana', {
      faults: [
        { op: 'versions.stage', writes: true, at: 1, times: null, do: 'throttle', retryAfterMs: 600_000 },
      ],
    });
    const outcome = await b.deploy(faulty, two);
    assert.deepEqual([outcome.ending, outcome.error?.code], ['failed', 'SFX3103']);
    assert.deepEqual(servedNow(b), old);
  });

  it('of a rollback is one write for each alias that differs, and is told beforehand', async () => {
    const { b, two } = await stage();
    await b.deploy(b.run(), two);
    const { plan } = await planRollback(await b.context(b.run()), undefined);
    const run = b.run();
    const outcome = await act.rollback(b, run);
    const sets = run.calls.filter((call) => toProvider(call) && isOp('traffic.set')(call)).length;
    assert.equal(sets, 3);
    assert.equal(plan.undo.writes, 3);
    assert.ok(outcome.writes >= 3);
    assert.deepEqual(run.calls.filter(isOp('versions.stage')), []);
  });
});
