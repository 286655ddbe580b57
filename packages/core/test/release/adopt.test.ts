import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { onlyFunctions } from '../../src/release/only.js';
import { shapes } from '../../src/testing/index.js';
import { act, type Bench, bench, canary, intentOf, servedNow, service, siteOf } from './harness.js';
import { headIn, rejectsWith, toProvider } from './support.js';

const kinds = ['lambda', 'openfaas', 'local'] as const;

async function stage(shape: (typeof kinds)[number]) {
  const b = bench([siteOf(shape)]);
  await b.deploy(b.run(), intentOf(b.sites, service('one')));
  await b.deploy(b.run(), intentOf(b.sites, service('two')));
  return { b, two: intentOf(b.sites, service('two')), now: servedNow(b) };
}

const loseState = (b: Bench) => {
  b.world.read().store = {};
};

/** Stamps of all aliases, as the provider keeps them. */
const stamps = (b: Bench) => Object.values(b.world.read().aliases).flatMap((alias) => alias.stamp ?? []);

for (const shape of kinds) {
  describe(`what is live is adopted as it is (${shape})`, () => {
    it('when the state is lost, without moving traffic, above every number that was used', async () => {
      const { b, two, now } = await stage(shape);
      const fence = Math.max(...stamps(b).map((stamp) => stamp.fence));
      loseState(b);
      await assert.rejects(b.deploy(b.run(), two), rejectsWith('SFX4106'));
      const run = b.run();
      const outcome = await act.adopt(b, run, two);
      assert.deepEqual([outcome.ending, outcome.exit, outcome.release?.number], ['adopted', 0, 3]);
      assert.deepEqual(run.calls.filter(toProvider), [], 'nothing is written to the provider');
      assert.deepEqual(servedNow(b), now);
      const head = headIn(b);
      assert.deepEqual([head.live, head.next, head.lease, head.open], [3, 4, null, null]);
      assert.ok(head.fence >= fence, 'fences go on above what aliases carry');
      const next = await b.deploy(b.run(), intentOf(b.sites, service('three')));
      assert.deepEqual([next.ending, next.release?.number], ['live', 4]);
      assert.ok(stamps(b).every((stamp) => stamp.fence > fence));
      const back = await act.rollback(b, b.run());
      assert.equal(back.ending, 'live', JSON.stringify(back.error));
      assert.deepEqual(servedNow(b), now);
    });

    it('and a deploy of the same is then unchanged', async () => {
      const { b, two } = await stage(shape);
      loseState(b);
      await act.adopt(b, b.run(), two);
      const run = b.run();
      assert.equal((await b.deploy(run, two)).ending, 'unchanged');
      assert.deepEqual(
        run.calls.filter((call) => call.writes),
        [],
      );
    });

    it('when the state is older than what is live', async () => {
      const { b, two, now } = await stage(shape);
      const backup = structuredClone(b.world.read().store);
      await b.deploy(b.run(), intentOf(b.sites, service('three')));
      await act.rollback(b, b.run(), '2');
      b.world.read().store = backup;
      await assert.rejects(b.deploy(b.run(), intentOf(b.sites, service('four'))), rejectsWith('SFX4107'));
      const outcome = await act.adopt(b, b.run(), two);
      assert.equal(outcome.release?.number, 5, 'releases 3 and 4 were live once');
      assert.deepEqual(servedNow(b), now);
      const next = await b.deploy(b.run(), intentOf(b.sites, service('four')));
      assert.deepEqual([next.ending, next.release?.number], ['live', 6], JSON.stringify(next.error));
    });

    it('when an alias was moved by hand', async () => {
      const { b, two } = await stage(shape);
      const before = headIn(b);
      const first = Object.values(b.world.read().versions).find((version) => version.unit === 'list')!;
      const alias = shapes[shape].alias === 'unit' ? 'list' : 'live';
      const table = before.tables[`memory/${alias}`]!;
      b.hands().moveAlias(alias, { ...table, list: { stable: first.id } });
      const now = servedNow(b);
      await assert.rejects(b.deploy(b.run(), intentOf(b.sites, service('three'))), rejectsWith('SFX4105'));
      const outcome = await act.adopt(b, b.run(), two);
      assert.equal(outcome.ending, 'adopted');
      assert.deepEqual(servedNow(b), now);
      const next = await b.deploy(b.run(), intentOf(b.sites, service('three')));
      assert.equal(next.ending, 'live', JSON.stringify(next.error));
      await act.rollback(b, b.run());
      assert.deepEqual(servedNow(b), now);
    });

    it('when it came from another origin', async () => {
      const { b, two } = await stage(shape);
      const elsewhere = { ...two, origin: 'elsewhere' };
      await assert.rejects(b.deploy(b.run(), elsewhere), rejectsWith('SFX4114'));
      await act.adopt(b, b.run(), elsewhere);
      assert.equal(headIn(b).origin, 'elsewhere');
      assert.equal((await b.deploy(b.run(), elsewhere)).ending, 'unchanged');
      await assert.rejects(b.deploy(b.run(), two), rejectsWith('SFX4114'));
    });

    it('when a release cannot be settled, because somebody moved its aliases', async () => {
      const { b } = await stage(shape);
      const next = intentOf(b.sites, service('three'), { rollout: canary(5) });
      await b.deploy(b.run(), next);
      const alias = shapes[shape].alias === 'unit' ? 'list' : 'live';
      const first = Object.values(b.world.read().versions).find((version) => version.unit === 'list')!;
      const table = b.world.read().aliases[`shop-prod-alias-${alias}`]!.table;
      b.hands().moveAlias(alias, { ...table, list: { stable: first.id } });
      const back = await act.rollback(b, b.run());
      assert.deepEqual([back.ending, back.exit], ['partial', 4]);
      assert.ok(back.aliases?.some((one) => one.alias === `memory/${alias}`));
      const now = servedNow(b);
      assert.equal((await act.adopt(b, b.run(), next)).ending, 'adopted');
      assert.deepEqual(servedNow(b), now);
      assert.deepEqual(
        [headIn(b).open, headIn(b).past.find((past) => past.number === 3)?.status],
        [null, 'partial'],
      );
      assert.equal((await b.deploy(b.run(), intentOf(b.sites, service('four')))).ending, 'live');
    });

    it('unless nothing is', async () => {
      const b = bench([siteOf(shape)]);
      await assert.rejects(act.adopt(b, b.run(), intentOf(b.sites, service('one'))), rejectsWith('SFX4119'));
      assert.deepEqual(Object.keys(b.world.read().store), []);
    });

    it('unless its version is not known any more (SFX3105)', async () => {
      const { b, two } = await stage(shape);
      loseState(b);
      for (const version of Object.values(b.world.read().versions))
        b.hands().removeVersion('list', version.id);
      await assert.rejects(act.adopt(b, b.run(), two), rejectsWith('SFX3105'));
      assert.equal(headIn(b).lease, null);
    });
  });
}

describe('one function alone after adopt', () => {
  it('is deployed beside the others, which keep their versions', async () => {
    const { b, two } = await stage('lambda');
    loseState(b);
    await act.adopt(b, b.run(), two);
    const next = intentOf(b.sites, service('three'));
    const found = await onlyFunctions(
      await b.context(b.run()),
      'memory',
      next.irs['memory']!,
      ['list'],
      shapes.lambda,
    );
    const intent = {
      ...next,
      irs: { memory: found.ir },
      artifacts: { ...found.artifacts, 'memory/list': next.artifacts['memory/list']! },
    };
    const run = b.run();
    const outcome = await b.deploy(run, intent);
    assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
    assert.deepEqual(
      [...new Set(run.calls.filter((call) => call.op.startsWith('versions.stage')).map((call) => call.on))],
      ['list'],
    );
  });

  it('is refused while nobody knows what the others were made of (SFX4203)', async () => {
    const { b } = await stage('lambda');
    loseState(b);
    const next = intentOf(b.sites, service('three'));
    await act.adopt(b, b.run(), next);
    const ctx = await b.context(b.run());
    await assert.rejects(
      onlyFunctions(ctx, 'memory', next.irs['memory']!, ['list'], shapes.lambda),
      rejectsWith('SFX4203', /checkout, worker.*whole service once/s),
    );
    assert.equal((await b.deploy(b.run(), next)).ending, 'live');
  });
});
