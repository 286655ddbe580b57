import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import { onlyFunctions } from '../../src/release/only.js';
import { planRollback } from '../../src/release/rollback.js';
import { type ShapeName, shapes } from '../../src/testing/index.js';
import {
  act,
  allAtOnce,
  type Bench,
  bench,
  canary,
  intentOf,
  servedNow,
  service,
  siteOf,
} from './harness.js';
import { digestIn, headIn, hooked, isOp, journalOf, once, rejectsWith, toProvider } from './support.js';

async function stage(shape: ShapeName = 'lambda') {
  const b = bench([siteOf(shape)]);
  await b.deploy(b.run(), intentOf(b.sites, service('one')));
  return { b, old: servedNow(b), two: intentOf(b.sites, service('two')) };
}

/** Refused with a code, before anything was written anywhere. */
async function refused(
  b: Bench,
  act: (run: ReturnType<Bench['run']>) => Promise<unknown>,
  code: string,
  text?: RegExp,
) {
  const before = JSON.stringify(b.world.read());
  const run = b.run();
  await assert.rejects(act(run), rejectsWith(code, text));
  assert.deepEqual(
    run.calls.filter((call) => call.writes),
    [],
  );
  assert.equal(JSON.stringify(b.world.read()), before);
}

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

describe('one function alone', () => {
  const only = async (b: Bench, next: Intent, names: string[]): Promise<Intent> => {
    const found = await onlyFunctions(
      await b.context(b.run()),
      'memory',
      next.irs['memory']!,
      names,
      shapes.lambda,
    );
    const built = Object.fromEntries(
      found.build.map((unit) => [`memory/${unit.id}`, next.artifacts[`memory/${unit.id}`]!]),
    );
    return { ...next, irs: { memory: found.ir }, artifacts: { ...found.artifacts, ...built } };
  };

  it('is a whole release in which the others keep their versions', async () => {
    const { b, two } = await stage();
    const one = intentOf(b.sites, service('one'));
    const outcome = await b.deploy(b.run(), await only(b, two, ['list']));
    assert.deepEqual([outcome.ending, outcome.release?.number], ['live', 2]);
    const served = servedNow(b);
    assert.deepEqual(Object.keys(served['memory GET /products']!), [digestIn(two, 'list')]);
    assert.deepEqual(Object.keys(served['memory POST /orders']!), [digestIn(one, 'checkout')]);
    await act.rollback(b, b.run());
    assert.deepEqual(Object.keys(servedNow(b)['memory GET /products']!), [digestIn(one, 'list')]);
  });

  it("brings its new triggers along and nobody else's", async () => {
    const { b } = await stage();
    const next = intentOf(
      b.sites,
      service('two', {
        functions: {
          list: { code: 'list two', routes: ['GET /products', 'GET /all'] },
          more: { code: 'more', routes: ['GET /more'] },
        },
      }),
    );
    await b.deploy(b.run(), await only(b, next, ['list']));
    assert.deepEqual(Object.keys(servedNow(b)).sort(), [
      'memory GET /all',
      'memory GET /products',
      'memory POST /orders',
      'memory orders',
    ]);
    await b.deploy(b.run(), await only(b, next, ['more']));
    assert.ok('memory GET /more' in servedNow(b));
  });

  it('takes a trigger over that moves to it', async () => {
    const { b } = await stage();
    const next = intentOf(b.sites, {
      functions: {
        ...service('two').functions,
        list: { code: 'list two' },
        catalog: { code: 'catalog', routes: ['GET /products'] },
      },
    });
    await b.deploy(b.run(), await only(b, next, ['catalog']));
    assert.deepEqual(Object.keys(servedNow(b)['memory GET /products']!), [digestIn(next, 'catalog')]);
  });

  it('must be there (SFX4117), on a provider that versions functions (SFX3005)', async () => {
    const { b, two } = await stage();
    await refused(b, () => only(b, two, ['nobody']), 'SFX4117', /There are: checkout, list, worker/);
    const app = await stage('slots');
    await refused(
      app.b,
      async (run) =>
        onlyFunctions(await app.b.context(run), 'memory', app.two.irs['memory']!, ['list'], shapes.slots),
      'SFX3005',
    );
  });

  it('can be the first release', async () => {
    const b = bench([siteOf('lambda')]);
    const intent = intentOf(b.sites, service('one'));
    const outcome = await b.deploy(b.run(), await only(b, intent, ['list']));
    assert.equal(outcome.ending, 'live');
    assert.deepEqual(Object.keys(servedNow(b)), ['memory GET /products']);
  });
});

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
