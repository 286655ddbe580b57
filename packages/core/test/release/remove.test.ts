import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { deployRelease } from '../../src/release/deploy.js';
import { shapeNames, shapes, stageHands } from '../../src/testing/index.js';
import { act, type Bench, bench, canary, intentOf, scope, service, siteOf } from './harness.js';
import { hooked, rejectsWith } from './support.js';

const gone = (b: Bench) => {
  assert.deepEqual(b.hands().owns(), []);
  assert.deepEqual(Object.keys(b.world.read().store), []);
};

describe('remove', () => {
  it('takes callers away first, and state last', async () => {
    const b = bench([siteOf('lambda')]);
    await b.deploy(b.run(), intentOf(b.sites, { ...service('one'), things: { table: {} } }));
    const run = hooked(b.run(), {
      before: (call) => {
        if (!call.writes) return;
        const left = b.hands().owns().join();
        if (call.op === 'traffic.set') assert.ok(!left.includes('-trigger-'), 'something still calls it');
        if (call.op === 'versions.remove') assert.ok(!left.includes('-alias-'), 'something still names it');
        if (call.op === 'store.delete') assert.equal(left, '');
      },
    });
    assert.equal((await act.remove(b, run)).ending, 'removed');
    gone(b);
  });

  it('takes an open canary with it', async () => {
    const b = bench([siteOf('lambda')]);
    await b.deploy(b.run(), intentOf(b.sites, service('one')));
    const more = service('two', { functions: { more: { code: 'more', routes: ['GET /more'] } } });
    await b.deploy(b.run(), intentOf(b.sites, more, { rollout: canary(5) }));
    await act.remove(b, b.run());
    gone(b);
  });

  it('takes away versions of functions that are long gone, and only marked', async () => {
    const b = bench([siteOf('lambda')]);
    const old = service('one', { functions: { old: { code: 'old' } } });
    await b.deploy(b.run(), intentOf(b.sites, old, { keep: 1 }));
    await b.deploy(b.run(), intentOf(b.sites, service('two'), { keep: 1 }));
    assert.ok(b.hands().owns().join().includes('unit-old'));
    await act.remove(b, b.run());
    gone(b);
  });

  for (const shape of shapeNames) {
    it(`that was cut off anywhere is finished by the next (${shape})`, async () => {
      const stage = async () => {
        const b = bench([siteOf(shape)]);
        await b.deploy(b.run(), intentOf(b.sites, service('one')));
        await b.deploy(b.run(), intentOf(b.sites, service('two')));
        return b;
      };
      const counted = await stage();
      const run = counted.run();
      await act.remove(counted, run);
      for (let at = 1; at <= run.calls.length; at++) {
        const b = await stage();
        await b
          .run('ana', { faults: [{ at, do: 'kill', when: at % 2 === 0 ? 'before' : 'after' }] })
          .perform((one) => act.remove(b, one));
        if (Object.keys(b.world.read().store).length > 0) await act.remove(b, b.run());
        gone(b);
        b.clock.stop();
      }
    });
  }

  it('takes away what a release left that was cut off at any moment', async () => {
    const counted = bench([siteOf('lambda')]);
    await counted.deploy(counted.run(), intentOf(counted.sites, service('one')));
    const run = counted.run();
    await counted.deploy(run, intentOf(counted.sites, service('two')));
    for (let at = 1; at <= run.calls.length; at++) {
      const b = bench([siteOf('lambda')]);
      await b.deploy(b.run(), intentOf(b.sites, service('one')));
      const more = service('two', { functions: { more: { code: 'more', routes: ['GET /more'] } } });
      await b
        .run('ana', { faults: [{ at, do: 'kill' }] })
        .perform((one) => b.deploy(one, intentOf(b.sites, more)));
      await act.remove(b, b.run());
      gone(b);
      b.clock.stop();
    }
  });

  it('touches nothing of another stage', async () => {
    for (const shape of ['lambda', 'slots', 'openfaas', 'local'] as const) {
      const b = bench([siteOf(shape)]);
      const dev = { service: 'shop', stage: 'dev' };
      const intent = intentOf(b.sites, service('one'));
      await b.deploy(b.run(), intent);
      await deployRelease(await b.context(b.run(), { artifacts: intent, scope: dev }), intent, { waitMs: 0 });
      const prod = () => {
        const hands = stageHands(b.world, shape, scope, b.clock.now);
        const state = Object.entries(b.world.read().store).filter(([key]) => key.startsWith('shop/prod/'));
        return JSON.stringify([hands.owns(), hands.callers(), state]);
      };
      const before = prod();
      assert.notDeepEqual(stageHands(b.world, shape, dev).owns(), []);
      await act.remove(b, b.run(), dev);
      assert.deepEqual(stageHands(b.world, shape, dev).owns(), []);
      assert.equal(prod(), before, shape);
      assert.equal(shapes[shape].unit.length > 0, true);
    }
  });

  it('the same build has the same digest on every stage', async () => {
    const b = bench([siteOf('lambda')]);
    const intent = intentOf(b.sites, service('one'));
    const dev = { service: 'shop', stage: 'dev' };
    const one = await b.deploy(b.run(), intent);
    const two = await deployRelease(await b.context(b.run(), { artifacts: intent, scope: dev }), intent, {
      waitMs: 0,
    });
    assert.equal(one.release?.digest, two.release?.digest);
  });

  it('of nothing is refused (SFX4119), and of what another holds (SFX4101)', async () => {
    const b = bench([siteOf('lambda')]);
    await assert.rejects(act.remove(b, b.run()), rejectsWith('SFX4119'));
  });
});
