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
