import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import type { Ir } from '../../src/provider/contract.js';
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
import { digestIn, headIn, hooked, isOp, once, toProvider } from './support.js';

const shapes = ['lambda', 'openfaas', 'local'] as const;

/** Sources that are called or consumed now, with the function that they reach. */
const reached = (b: Bench) =>
  Object.fromEntries(
    b
      .hands()
      .callers(b.clock.now())
      .filter((caller) => caller.active)
      .map((caller) => [caller.source, caller.function]),
  );

/** Release 2: a new route, queue and schedule, a route that moves, a queue that goes. */
const changed = () =>
  service('two', {
    functions: {
      list: { code: 'list two' },
      catalog: { code: 'catalog two', routes: ['GET /products', 'GET /search'], queues: ['search'] },
      worker: { code: 'worker two', schedules: ['hourly'] },
    },
  });
const before = { 'POST /orders': 'checkout', 'GET /products': 'list', orders: 'worker' };
const after = {
  'POST /orders': 'checkout',
  'GET /products': 'catalog',
  'GET /search': 'catalog',
  search: 'catalog',
  hourly: 'worker',
};

async function stage(shape: (typeof shapes)[number], extra: Partial<Intent> = {}) {
  const b = bench([siteOf(shape)]);
  await b.deploy(b.run(), intentOf(b.sites, service('one')));
  return { b, next: intentOf(b.sites, changed(), extra) };
}

describe('what a release lets pull', () => {
  it('is told once it is live, under the names that people know', async () => {
    const { b, next } = await stage('local');
    const titled = Object.fromEntries(
      Object.entries(next.irs).map(([provider, ir]): [string, Ir] => [
        provider,
        {
          ...ir,
          triggers: ir.triggers.map((one) =>
            one.source === 'hourly' ? { ...one, title: 'rate(1 hour)' } : one,
          ),
        },
      ]),
    );
    const outcome = await b.deploy(b.run(), { ...next, irs: titled });
    assert.deepEqual(outcome.pulls, [
      { name: 'search', function: 'catalog' },
      { name: 'rate(1 hour)', function: 'worker' },
    ]);
  });

  it('is not told of a release that is not live', async () => {
    const { b, next } = await stage('local', { rollout: canary(10) });
    const outcome = await b.deploy(b.run(), next);
    assert.equal(outcome.pulls, undefined);
    assert.ok(outcome.waits.includes('hourly'));
  });
});

for (const shape of shapes) {
  describe(`triggers of a release (${shape})`, () => {
    it('wait for 100 % while it is a canary: new ones are not called, moved ones stay, removed ones go on', async () => {
      const { b, next } = await stage(shape, { rollout: canary(10) });
      const outcome = await b.deploy(b.run(), next);
      assert.equal(outcome.ending, 'canary', JSON.stringify(outcome.error));
      assert.deepEqual(reached(b), before);
      assert.deepEqual([...outcome.waits].sort(), ['GET /products', 'GET /search', 'hourly', 'search']);
      const promoted = await act.promote(b, b.run());
      assert.equal(promoted.ending, 'live', JSON.stringify(promoted.error));
      assert.deepEqual(reached(b), after);
    });

    it('that pull are there before the flip, disabled, and are enabled last', async () => {
      const { b, next } = await stage(shape);
      const seen: Record<string, boolean>[] = [];
      const look = () =>
        seen.push(
          Object.fromEntries(
            b
              .hands()
              .callers()
              .map((caller) => [caller.source, caller.active]),
          ),
        );
      const run = hooked(b.run(), {
        before: once((call) => isOp('traffic.set')(call) && call.writes && headIn(b).open === 2, look),
      });
      await b.deploy(run, next);
      assert.equal(seen[0]?.['search'], false);
      assert.equal(seen[0]?.['hourly'], false);
      assert.equal(seen[0]?.['orders'], true);
      assert.deepEqual(reached(b), after);
    });

    it('that were removed stop consuming before new ones begin', async () => {
      const { b, next } = await stage(shape);
      const run = hooked(b.run(), {
        before: () => {
          const active = new Set(
            b
              .hands()
              .callers()
              .filter((caller) => caller.active)
              .map((caller) => caller.source),
          );
          assert.ok(!(active.has('orders') && (active.has('search') || active.has('hourly'))));
        },
      });
      await b.deploy(run, next);
      assert.deepEqual(reached(b), after);
    });

    it('that were removed do not consume from 100 % on, although they are still there while it bakes', async () => {
      const { b, next } = await stage(shape, { rollout: { ...allAtOnce, bakeMs: 600_000 } });
      let looked = false;
      const run = hooked(b.run(), {
        sleeps: (ms) => {
          if (ms !== 600_000) return;
          assert.deepEqual(reached(b), after);
          const orders = b
            .hands()
            .callers()
            .find((caller) => caller.source === 'orders');
          assert.equal(orders?.active, false);
          looked = true;
        },
      });
      await b.deploy(run, next);
      assert.ok(looked);
      assert.ok(
        !b
          .hands()
          .callers()
          .some((caller) => caller.source === 'orders'),
        'gone after the bake',
      );
    });

    it('come early where that is asked for: routes at once, pulling ones still at 100 %', async () => {
      const { b, next } = await stage(shape, { rollout: { ...canary(10), expand: 'early' } });
      const outcome = await b.deploy(b.run(), next);
      assert.deepEqual(reached(b), { ...before, 'GET /search': 'catalog' });
      assert.deepEqual([...outcome.waits].sort(), ['GET /products', 'hourly', 'search']);
      const back = await act.rollback(b, b.run());
      assert.equal(back.ending, 'rolled back');
      assert.deepEqual(reached(b), before);
      assert.deepEqual(
        b
          .hands()
          .callers()
          .map((caller) => caller.source)
          .sort(),
        Object.keys(before).sort(),
        'all that it added is gone',
      );
    });

    it('go back with a rollback from live: added ones away, moved ones home, removed ones consume again', async () => {
      const { b, next } = await stage(shape);
      await b.deploy(b.run(), next);
      assert.deepEqual(reached(b), after);
      const outcome = await act.rollback(b, b.run());
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.deepEqual(reached(b), before);
      assert.deepEqual(
        b
          .hands()
          .callers()
          .map((caller) => caller.source)
          .sort(),
        Object.keys(before).sort(),
      );
    });

    it('go back when the release fails after its flip', async () => {
      for (let at = 1; at <= 6; at++) {
        const { b, next } = await stage(shape);
        const old = servedNow(b);
        const run = b.run();
        let armed = false;
        const outcome = await b.deploy(
          hooked(run, {
            before: (call) => {
              // Whatever is made or changed once traffic has moved.
              if (armed || !toProvider(call) || call.op !== 'resources.reconcile') return;
              const moved = servedNow(b)[`memory POST /orders`]?.[digestIn(next, 'checkout')] === 100;
              if (!moved) return;
              armed = true;
              run.faults.add({ op: 'resources.reconcile', at, do: 'fail' });
            },
          }),
          next,
        );
        if (outcome.ending === 'live') {
          assert.ok(at > 4);
          return;
        }
        assert.deepEqual([outcome.ending, outcome.exit], ['rolled back', 3], `failed at ${at}`);
        assert.deepEqual(servedNow(b), old, `failed at ${at}`);
        assert.deepEqual(
          b
            .hands()
            .callers()
            .map((caller) => caller.source)
            .sort(),
          Object.keys(before).sort(),
        );
      }
    });

    it('that go with the infra that they name can go, and come back', async () => {
      const b = bench([siteOf(shape)]);
      const first = withQueue(intentOf(b.sites, service('one')), 'orders');
      assert.equal((await b.deploy(b.run(), first)).ending, 'live');
      const { worker: _, ...rest } = service('two').functions;
      const outcome = await b.deploy(b.run(), intentOf(b.sites, { functions: rest }));
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.equal(reached(b)['orders'], undefined);
      const back = await act.rollback(b, b.run());
      assert.equal(back.ending, 'live', JSON.stringify(back.error));
      assert.deepEqual(reached(b), before);
    });

    it('of a function that is renamed keep their identity: no call is lost, none is doubled', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), intentOf(b.sites, service('one')));
      const { list, ...rest } = service('one').functions;
      const renamed = intentOf(b.sites, { functions: { ...rest, catalog: list! } });
      const run = b.run();
      const watching = hooked(run, {
        before: () => {
          const products = b
            .hands()
            .callers(b.clock.now())
            .filter((caller) => caller.source === 'GET /products');
          assert.equal(products.length, 1);
          assert.equal(products[0]?.problem, undefined);
        },
      });
      assert.equal((await b.deploy(watching, renamed)).ending, 'live');
      assert.equal(reached(b)['GET /products'], 'catalog');
    });
  });
}

/** The trigger of a queue with the queue itself as infra, which its props name. */
function withQueue(intent: Intent, source: string): Intent {
  const ir = intent.irs['memory']!;
  const changedIr: Ir = {
    ...ir,
    infra: [...ir.infra, { id: 'queue', kind: 'thing', props: { size: 1 }, dependsOn: [] }],
    triggers: ir.triggers.map((trigger) =>
      trigger.source === source
        ? { ...trigger, dependsOn: ['queue'], props: { queue: { $out: ['queue', 'arn'] } } }
        : trigger,
    ),
  };
  return { ...intent, irs: { memory: changedIr } };
}
