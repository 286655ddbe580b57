import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import { act, type Bench, canary, intentOf, service } from './harness.js';
import { refused, stage } from './plan-stage.js';
import { hooked, journalOf, once } from './support.js';

describe('a saved plan', () => {
  it('is applied as it was made', async () => {
    const { b, two } = await stage();
    const { plan } = await act.plan(b, b.run(), two);
    const outcome = await b.deploy(b.run(), two, { saved: JSON.parse(JSON.stringify(plan)) });
    assert.deepEqual(
      [outcome.ending, outcome.release?.number, outcome.release?.digest],
      ['live', plan.number, plan.digest],
    );
  });

  it('is made without a write', async () => {
    const { b, two } = await stage();
    const run = b.run();
    const { plan } = await act.plan(b, run, two);
    assert.deepEqual(
      run.calls.filter((call) => call.writes),
      [],
    );
    assert.deepEqual([...plan.staged].sort(), ['checkout', 'list', 'worker']);
    assert.equal(plan.empty, false);
  });

  const moves: Record<
    string,
    {
      first?: (b: Bench) => Promise<unknown> | unknown;
      now?: (b: Bench, two: Intent) => Intent;
      says: RegExp;
    }
  > = {
    'another release is live': {
      first: (b) => b.deploy(b.run(), intentOf(b.sites, service('three'))),
      says: /release 2 is live, it was 1/,
    },
    'releases were made since, although the same one is live': {
      first: async (b) => {
        await b.deploy(b.run(), intentOf(b.sites, service('three'), { rollout: canary(5) }));
        await act.rollback(b, b.run());
      },
      says: /1 release made since/,
    },
    'the configuration is another': {
      now: (b) =>
        intentOf(b.sites, service('two', { functions: { more: { code: 'more', routes: ['GET /more'] } } })),
      says: /configuration is another/,
    },
    'the code is another': {
      now: (b) => intentOf(b.sites, service('three')),
      says: /code or its configuration is another/,
    },
    'the rollout is another': {
      now: (_b, two) => ({ ...two, rollout: canary(5) }),
      says: /rollout is another/,
    },
  };
  for (const [why, { first, now, says }] of Object.entries(moves)) {
    it(`is refused when ${why} (SFX4201)`, async () => {
      const { b, two } = await stage();
      const { plan } = await act.plan(b, b.run(), two);
      await first?.(b);
      const intent = now?.(b, two) ?? two;
      await refused(b, (run) => b.deploy(run, intent, { saved: plan }), 'SFX4201', says);
    });
  }

  it('is refused when it is for another stage', async () => {
    const { b, two } = await stage();
    const { plan } = await act.plan(b, b.run(), two);
    await refused(
      b,
      (run) => b.deploy(run, two, { saved: { ...plan, stage: 'dev' } }),
      'SFX4201',
      /for shop dev/,
    );
  });

  it('is refused when an alias was moved, as any deploy is', async () => {
    const { b, two } = await stage();
    const { plan } = await act.plan(b, b.run(), two);
    b.hands().moveAlias('list', {});
    await refused(b, (run) => b.deploy(run, two, { saved: plan }), 'SFX4105', /list/);
  });
});

describe('a plan', () => {
  it('says what waits, what goes, and what holds data', async () => {
    const { b } = await stage();
    const next = intentOf(
      b.sites,
      {
        functions: { ...service('two').functions, worker: { code: 'worker two', schedules: ['hourly'] } },
        things: { table: { data: true } },
      },
      { rollout: canary(5) },
    );
    const { plan } = await act.plan(b, b.run(), next);
    assert.deepEqual(plan.waits, ['hourly']);
    assert.deepEqual(plan.kept, ['table']);
    const lines = plan.changes.map((change) => `${change.action} ${change.area} ${change.name}`);
    assert.ok(
      lines.includes('remove trigger orders') &&
        lines.includes('add trigger hourly') &&
        lines.includes('add resource table'),
    );
  });

  it('warns where a write of somebody else can be lost', async () => {
    const { b, two } = await stage('openfaas');
    assert.match((await act.plan(b, b.run(), two)).plan.warnings.join(), /no compare-and-swap/);
    const native = await stage('lambda');
    assert.deepEqual((await act.plan(native.b, native.b.run(), native.two)).plan.warnings, []);
  });

  it('is of one moment: what moves after it is noticed before the first write', async () => {
    const { b, two } = await stage();
    const ana = hooked(b.run('ana'), {
      before: once(
        (call) => call.op === 'store.put',
        () => b.hands().moveAlias('list', {}),
      ),
    });
    const outcome = await b.deploy(ana, two);
    assert.equal(outcome.error?.code, 'SFX4105');
    assert.notEqual(outcome.ending, 'live');
    assert.equal(b.world.read().aliases['shop-prod-alias-list'], undefined, 'theirs is not overwritten');
    assert.ok(journalOf(b).some((entry) => entry.kind === 'ended' && entry.as === 'partial'));
  });
});
