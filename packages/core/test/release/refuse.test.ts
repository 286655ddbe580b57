import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { act, allAtOnce, canary, intentOf, servedNow, service } from './harness.js';
import { refused, stage } from './plan-stage.js';
import { digestIn, headIn, rejectsWith } from './support.js';

describe('a deploy is refused before anything is touched', () => {
  it('when somebody moved an alias (SFX4105), which names both tables', async () => {
    const { b, two } = await stage();
    b.hands().moveAlias('list', { list: { stable: '7' } });
    await refused(b, (run) => b.deploy(run, two), 'SFX4105', /list at 7; sfx left it at list at 1/);
  });

  it('when the state is lost and aliases are live (SFX4106)', async () => {
    const { b, two } = await stage();
    for (const key of Object.keys(b.world.read().store)) delete b.world.read().store[key];
    await refused(b, (run) => b.deploy(run, two), 'SFX4106', /memory\/list/);
  });

  it('when the state is older than what is live (SFX4107)', async () => {
    const { b, two } = await stage();
    const backup = structuredClone(b.world.read().store);
    await b.deploy(b.run(), two);
    b.world.read().store = backup;
    await refused(b, (run) => b.deploy(run, two), 'SFX4107', /written by release 2/);
  });

  it('when the state was written by a newer sfx (SFX4108)', async () => {
    const { b, two } = await stage();
    const key = Object.keys(b.world.read().store).find((one) => one.endsWith('/head'))!;
    b.world.read().store[key]!.value = { ...headIn(b), version: 2 } as never;
    await refused(b, (run) => b.deploy(run, two), 'SFX4108', /version 2/);
    await refused(b, (run) => act.rollback(b, run), 'SFX4108');
  });

  it('when a document of the state is missing or is none (SFX4109)', async () => {
    for (const broken of ['missing', 'none'] as const) {
      const { b, two } = await stage();
      const key = Object.keys(b.world.read().store).find((one) => one.includes('/releases/'))!;
      if (broken === 'missing') delete b.world.read().store[key];
      else b.world.read().store[key]!.value = 'nonsense';
      await refused(b, (run) => b.deploy(run, two), 'SFX4109');
    }
  });

  it('when the build was rolled back (SFX4110), unless it is forced', async () => {
    const { b, two } = await stage();
    await b.deploy(b.run(), two);
    await act.rollback(b, b.run());
    await refused(b, (run) => b.deploy(run, two), 'SFX4110', /release 2, rolled back/);
    assert.equal((await b.deploy(b.run(), { ...two, force: true })).ending, 'live');
    await b.deploy(b.run(), intentOf(b.sites, service('three')));
    assert.equal((await b.deploy(b.run(), two)).ending, 'live', 'it was good since');
  });

  it('when it comes from another origin (SFX4114), whatever it would change', async () => {
    const { b, two } = await stage();
    await refused(b, (run) => b.deploy(run, { ...two, origin: 'elsewhere' }), 'SFX4114', /test.*elsewhere/);
    const same = intentOf(b.sites, service('one'), { origin: 'elsewhere' });
    await refused(b, (run) => b.deploy(run, same), 'SFX4114');
  });

  it('when a weight is not one that the provider has (SFX3005)', async () => {
    const { b, two } = await stage('slots');
    await refused(b, (run) => b.deploy(run, { ...two, rollout: canary(2.5) }), 'SFX3005', /steps of 1 %/);
  });

  it('when a canary on app or package units adds or removes a function (SFX3005)', async () => {
    for (const shape of ['slots', 'whisk'] as const) {
      const { b } = await stage(shape);
      const more = service('two', { functions: { more: { code: 'more' } } });
      const { worker: _, ...rest } = service('two').functions;
      for (const plain of [more, { functions: rest }]) {
        const next = intentOf(b.sites, plain, { rollout: canary(5) });
        await refused(b, (run) => b.deploy(run, next), 'SFX3005', /cannot add or remove functions/);
        assert.equal((await act.plan(b, b.run(), { ...next, rollout: allAtOnce })).plan.empty, false);
      }
    }
  });

  it('while a release is open (SFX4104) or was cut off (SFX4103)', async () => {
    const open = await stage();
    await open.b.deploy(open.b.run(), { ...open.two, rollout: canary(5) });
    const three = intentOf(open.b.sites, service('three'));
    await assert.rejects(open.b.deploy(open.b.run(), three), rejectsWith('SFX4104', /at 5 %/));
    const cut = await stage();
    await cut.b
      .run('ana', { faults: [{ op: 'traffic.set', at: 2, do: 'kill' }] })
      .perform((run) => cut.b.deploy(run, cut.two));
    await assert.rejects(cut.b.deploy(cut.b.run(), three), rejectsWith('SFX4103', /while flipping/));
    assert.equal(headIn(cut.b).lease, null);
  });
});

describe('a release that stands in the way', () => {
  it('is taken back first when it is superseded', async () => {
    const { b, two } = await stage();
    await b.deploy(b.run(), { ...two, rollout: canary(5) });
    const outcome = await b.deploy(b.run(), intentOf(b.sites, service('three')), { supersede: true });
    assert.deepEqual([outcome.ending, outcome.release?.number], ['live', 3]);
    assert.deepEqual(
      headIn(b).past.map((past) => [past.number, past.status]),
      [
        [1, 'superseded'],
        [2, 'rolled back'],
        [3, 'live'],
      ],
    );
  });

  for (const how of ['back', 'forward'] as const) {
    it(`and was cut off goes ${how} first where that is wished`, async () => {
      for (const at of [1, 2, 3]) {
        const { b, two } = await stage();
        await b
          .run('ana', { faults: [{ op: 'traffic.set', at, do: 'kill' }] })
          .perform((run) => b.deploy(run, two));
        const three = intentOf(b.sites, service('three'));
        const outcome = await b.deploy(b.run(), three, { onInterrupted: how });
        assert.deepEqual([outcome.ending, outcome.release?.number], ['live', 3], `cut at ${at}`);
        assert.equal(headIn(b).past[1]?.status, how === 'back' ? 'rolled back' : 'superseded');
        assert.equal(servedNow(b)['memory GET /products']?.[digestIn(three, 'list')], 100);
      }
    });
  }

  it('stays as it is with fail, which is the default', async () => {
    const { b, two } = await stage();
    await b
      .run('ana', { faults: [{ op: 'traffic.set', at: 2, do: 'kill' }] })
      .perform((run) => b.deploy(run, two));
    const now = servedNow(b);
    for (const onInterrupted of ['fail', undefined] as const) {
      await assert.rejects(
        b.deploy(b.run(), two, onInterrupted === undefined ? {} : { onInterrupted }),
        rejectsWith('SFX4103'),
      );
    }
    assert.deepEqual(servedNow(b), now);
  });
});
