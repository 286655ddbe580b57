import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import {
  act,
  allAtOnce,
  type Bench,
  bench,
  headOf,
  intentOf,
  servedNow,
  service,
  siteOf,
} from './harness.js';
import { headIn, hooked, toProvider } from './support.js';

/** Release 2 drops a queue, a function and a thing, and bakes for ten minutes. */
function baking(b: Bench) {
  const first = intentOf(
    b.sites,
    {
      ...service('one', { functions: { old: { code: 'old', routes: ['GET /old'], uses: ['table'] } } }),
      things: { table: { props: { size: 1 } } },
    },
    { keep: 1 },
  );
  const plain = service('two', { functions: { worker: { code: 'worker two' } } });
  return { first, second: intentOf(b.sites, plain, { keep: 1, rollout: { ...allAtOnce, bakeMs: BAKE_MS } }) };
}
const BAKE_MS = 600_000;

/** Deploys release 2 and does something in the middle of its bake. */
async function whileBaking(b: Bench, second: Intent, during: () => Promise<unknown>) {
  const run = b.run('ana');
  const ana = hooked(run, {
    sleeps: async (ms) => {
      if (ms === BAKE_MS) await during();
    },
  });
  return { outcome: await b.deploy(ana, second), run };
}

describe('a bake', () => {
  it('is waited out before anything is removed, with the lease given back', async () => {
    const b = bench([siteOf('lambda')]);
    const { first, second } = baking(b);
    await b.deploy(b.run(), first);
    let looked = false;
    const { outcome, run } = await whileBaking(b, second, async () => {
      const head = headIn(b);
      assert.deepEqual([head.live, head.contract, head.lease], [2, 2, null]);
      const owned = b.hands().owns().join();
      for (const name of ['table', 'old', 'queue orders'])
        assert.ok(owned.includes(name), `${name} is there`);
      const queue = b
        .hands()
        .callers()
        .find((caller) => caller.source === 'orders');
      assert.equal(queue?.active, false, 'a removed queue is not consumed any more');
      assert.equal((await act.status(b, b.run())).state, 'contract');
      looked = true;
    });
    assert.ok(looked);
    assert.equal(outcome.ending, 'live');
    assert.ok(run.events.some((event) => event.code === 'wait' && event.ms === BAKE_MS));
    const owned = b.hands().owns().join();
    for (const name of ['table', 'GET /old', 'queue orders'])
      assert.ok(!owned.includes(name), `${name} is gone: ${owned}`);
    assert.equal(headIn(b).contract, null);
  });

  it('is not cut short by a deploy that changes nothing: that one writes nothing', async () => {
    const b = bench([siteOf('lambda')]);
    const { first, second } = baking(b);
    await b.deploy(b.run(), first);
    await whileBaking(b, second, async () => {
      const before = JSON.stringify(b.world.read());
      const bob = b.run('bob');
      assert.equal((await b.deploy(bob, second)).ending, 'unchanged');
      assert.deepEqual(
        bob.calls.filter((call) => call.writes),
        [],
      );
      assert.equal(JSON.stringify(b.world.read()), before);
    });
    assert.equal(headIn(b).contract, null);
  });

  it('is not cut short by resume', async () => {
    const b = bench([siteOf('lambda')]);
    const { first, second } = baking(b);
    await b.deploy(b.run(), first);
    await whileBaking(b, second, async () => {
      const bob = b.run('bob');
      await act.resume(b, bob);
      assert.deepEqual(
        bob.calls.filter((call) => call.writes),
        [],
      );
      assert.equal(headIn(b).contract, 2);
    });
  });

  it('leaves all that a rollback needs', async () => {
    const b = bench([siteOf('lambda')]);
    const { first, second } = baking(b);
    await b.deploy(b.run(), { ...first, keep: 2 });
    const one = servedNow(b);
    const { outcome } = await whileBaking(b, { ...second, keep: 2 }, async () => {
      const bob = b.run('bob');
      const back = await act.rollback(b, bob);
      assert.equal(back.ending, 'live', JSON.stringify(back.error));
      assert.deepEqual(servedNow(b), one);
      assert.deepEqual(
        bob.calls.filter((call) => toProvider(call) && /remove/.test(call.op)),
        [],
        'nothing was removed for it',
      );
    });
    assert.equal(outcome.exit, 0);
    assert.deepEqual(servedNow(b), one);
    assert.deepEqual([headIn(b).live, headIn(b).contract, headIn(b).open], [3, null, null]);
  });

  it('whose process died is followed by contract with the next command, once it is over', async () => {
    const b = bench([siteOf('lambda')]);
    const { first, second } = baking(b);
    await b.deploy(b.run(), first);
    const dead = b.run('ana');
    await dead.perform((run) =>
      b.deploy(hooked(run as typeof dead, { sleeps: (ms) => void (ms === BAKE_MS && dead.kill()) }), second),
    );
    await b.run('clock').sleep(BAKE_MS);
    assert.equal((await b.deploy(b.run(), second)).ending, 'unchanged');
    assert.equal(headIn(b).contract, null);
    assert.ok(!b.hands().owns().join().includes('queue orders'));
  });
});

describe('a contract that was cut off', () => {
  it('leaves the release live, and the next command finishes it', async () => {
    for (const next of ['deploy', 'resume'] as const) {
      const b = bench([siteOf('lambda')]);
      const { first, second } = baking(b);
      const atOnce = { ...second, rollout: allAtOnce };
      await b.deploy(b.run(), first);
      await b
        .run('ana', { faults: [{ op: 'resources.remove', at: 1, do: 'kill' }] })
        .perform((run) => b.deploy(run, atOnce));
      assert.equal((await act.status(b, b.run())).state, 'contract');
      const outcome =
        next === 'deploy'
          ? await b.deploy(b.run(), atOnce, { waitMs: 600_000 })
          : await act.resume(b, b.run());
      assert.equal(outcome.ending, 'unchanged');
      const head = await headOf(b, b.run());
      assert.deepEqual([head?.live, head?.contract, head?.lease], [2, null, null]);
      assert.ok(!b.hands().owns().join().includes('table'));
    }
  });

  it('because of the provider is told, and the release is live all the same', async () => {
    const b = bench([siteOf('lambda')]);
    const { first, second } = baking(b);
    await b.deploy(b.run(), first);
    const run = b.run('ana', { faults: [{ op: 'resources.remove', at: 1, do: 'fail' }] });
    const outcome = await b.deploy(run, { ...second, rollout: allAtOnce });
    assert.deepEqual([outcome.ending, outcome.exit], ['live', 0]);
    assert.match(outcome.warnings.join(), /contract is not finished/);
    assert.equal(headIn(b).contract, 2);
    assert.equal(headIn(b).lease, null);
  });
});
