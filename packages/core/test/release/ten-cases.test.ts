import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isSfxError } from '../../src/errors.js';
import { emptyWorld, memoryWorld, type ShapeName, shapeNames } from '../../src/testing/index.js';
import { act, type Bench, bench, canary, headOf, intentOf, servedNow, service, siteOf } from './harness.js';

const rejectsWith = (code: string) => (error: unknown) => isSfxError(error) && error.code === code;
/** Shapes that differ in what these cases turn on: native tokens, tokens that staging changes, no compare-and-swap. */
const unlike: readonly ShapeName[] = ['lambda', 'cloudRun', 'openfaas', 'local'];

async function settled(b: Bench): Promise<void> {
  const head = await headOf(b, b.run('look'));
  assert.deepEqual([head?.open, head?.lease], [null, null]);
}

/** Every version that an alias names is there. */
function assertNothingMissing(b: Bench, what: string): void {
  for (const [source, shares] of Object.entries(servedNow(b))) {
    assert.ok(
      !Object.keys(shares).some((to) => to.startsWith('problem')),
      `${what}: ${source} ${JSON.stringify(shares)}`,
    );
  }
}

describe('the ten cases that break a naive build', () => {
  for (const shape of unlike) {
    it(`1 a crash inside resume (${shape})`, async () => {
      const start = async () => {
        const b = bench([siteOf(shape)]);
        await b.deploy(b.run(), intentOf(b.sites, service('one')));
        const victim = b.run('victim', { faults: [{ at: 1, op: 'traffic.set', do: 'kill' }] });
        await victim.perform((run) => b.deploy(run, intentOf(b.sites, service('two'))));
        return b;
      };
      const whole = await start();
      const counted = whole.run('medic');
      await act.resume(whole, counted);
      for (let at = 1; at <= counted.calls.length; at++) {
        const b = await start();
        const medic = b.run('medic', { faults: [{ at, do: 'kill' }] });
        await medic.perform((run) => act.resume(b, run));
        const outcome = await act.resume(b, b.run('second'));
        assert.ok(['live', 'unchanged'].includes(outcome.ending), `killed at ${at}: ${outcome.ending}`);
        assert.deepEqual(servedNow(b), servedNow(whole), `killed at ${at}`);
        await settled(b);
      }
    });

    it(`3 a write that landed whose answer was lost (${shape})`, async () => {
      for (let at = 1; at <= 4; at++) {
        const b = bench([siteOf(shape)]);
        await b.deploy(b.run(), intentOf(b.sites, service('one')));
        const run = b.run('ana', { faults: [{ at, op: 'traffic.set', do: 'lose', when: 'after' }] });
        const outcome = await b.deploy(run, intentOf(b.sites, service('two')));
        assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
        assertNothingMissing(b, `lost answer ${at}`);
      }
    });

    it(`4 a process paused past its lease while another rolls back (${shape})`, async () => {
      const measured = bench([siteOf(shape)]);
      await measured.deploy(measured.run(), intentOf(measured.sites, service('one')));
      const counted = measured.run();
      await measured.deploy(counted, intentOf(measured.sites, service('two')));
      for (let at = 10; at <= counted.calls.length; at++) {
        // In the moment between the check of the lease and an unfenced write nothing can help but the wait of the taker.
        if (counted.calls[at - 1]!.writes && !counted.calls[at - 1]!.op.startsWith('store')) continue;
        const b = bench([siteOf(shape)]);
        await b.deploy(b.run(), intentOf(b.sites, service('one')));
        const old = JSON.stringify(servedNow(b));
        const paused = b.run('paused', { faults: [{ at, do: 'freeze', ms: 3_600_000 }], machine: 'other' });
        const work = paused.perform((run) => b.deploy(run, intentOf(b.sites, service('two'))));
        while (!paused.calls.some((call) => call.fault === 'freeze'))
          await new Promise((resolve) => setImmediate(resolve));
        const before = await headOf(b, b.run('look'));
        const live = before?.live;
        if (before?.open != null) {
          await act.rollback(b, b.run('medic'));
          assert.equal(JSON.stringify(servedNow(b)), old, `after the rollback, paused at ${at}`);
        }
        const after = JSON.stringify(servedNow(b));
        await work;
        if (before?.open != null || live === 2) {
          assert.equal(
            JSON.stringify(servedNow(b)),
            after,
            `the paused process moved traffic, paused at ${at} ${counted.calls[at - 1]!.op}`,
          );
        }
        b.clock.stop();
      }
    });
  }

  it('2 a token that staging changed', async () => {
    const b = bench([siteOf('cloudRun')]);
    await b.deploy(b.run(), intentOf(b.sites, service('one')));
    const run = b.run();
    const outcome = await b.deploy(run, intentOf(b.sites, service('two'), { rollout: canary(10) }));
    assert.equal(outcome.ending, 'canary');
    assert.equal((await act.promote(b, b.run())).ending, 'live');
    assertNothingMissing(b, 'after promote');
  });

  for (const shape of ['lambda', 'cloudRun', 'local', 'openfaas'] as const) {
    it(`5 a rename under canary with a crash (${shape})`, async () => {
      const renamed = () => {
        const plain = service('two', {
          functions: { catalog: { code: 'list one', routes: ['GET /products'] } },
        });
        const { list: _, ...functions } = plain.functions;
        return { ...plain, functions };
      };
      const measured = bench([siteOf(shape)]);
      await measured.deploy(measured.run(), intentOf(measured.sites, service('one')));
      const counted = measured.run();
      await measured.deploy(counted, intentOf(measured.sites, renamed(), { rollout: canary(20) }));
      const promoting = measured.run();
      await act.promote(measured, promoting);
      const fresh = servedNow(measured);
      for (let at = 1; at <= counted.calls.length + promoting.calls.length; at += 2) {
        const b = bench([siteOf(shape)]);
        await b.deploy(b.run(), intentOf(b.sites, service('one')));
        const old = servedNow(b);
        const next = intentOf(b.sites, renamed(), { rollout: canary(20) });
        const victim = b.run('victim', { faults: [{ at, do: 'kill' }] });
        await victim.perform(async (run) => {
          await b.deploy(run, next);
          return act.promote(b, run);
        });
        const head = await headOf(b, b.run('look'));
        if (head?.open != null || head?.lease != null)
          await act.resume(b, b.run('medic'), next).catch(tolerate);
        if ((await headOf(b, b.run('look')))?.open != null) await act.promote(b, b.run('promoter'));
        const now = JSON.stringify(servedNow(b));
        assert.ok([JSON.stringify(old), JSON.stringify(fresh)].includes(now), `killed at ${at}: ${now}`);
        await settled(b);
      }
    });

    it(`6 a rollback across a removed function and its infra (${shape})`, async () => {
      const b = bench([siteOf(shape)]);
      const with_ = service('one', {
        functions: { legacy: { code: 'legacy', routes: ['GET /legacy'], queues: ['old'], uses: ['table'] } },
        things: { table: { props: { size: 1 } } },
      });
      await b.deploy(b.run(), intentOf(b.sites, with_));
      const one = servedNow(b);
      await b.deploy(b.run(), intentOf(b.sites, service('two')));
      assert.equal(servedNow(b)['memory GET /legacy'], undefined);
      assert.equal(servedNow(b)['memory old'], undefined);
      await b.deploy(b.run(), intentOf(b.sites, service('three')));
      const outcome = await act.rollback(b, b.run(), '1');
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.deepEqual(servedNow(b), one);
      assertNothingMissing(b, 'after the rollback');
    });

    it(`7 a zombie that removes versions while another deploys the same content (${shape})`, async () => {
      const prepare = async () => {
        const b = bench([siteOf(shape)]);
        for (const code of ['one', 'two', 'three'])
          await b.deploy(b.run(), intentOf(b.sites, service(code), { keep: 1 }));
        return b;
      };
      const measured = await prepare();
      const counted = measured.run();
      await measured.deploy(counted, intentOf(measured.sites, service('four'), { keep: 1 }));
      const first = counted.calls.findIndex((call) => call.op === 'versions.remove');
      assert.ok(first > 0, 'the fourth deploy removes what was marked');
      for (let at = first - 3; at <= counted.calls.length; at++) {
        const b = await prepare();
        const zombie = b.run('zombie', { faults: [{ at, do: 'freeze', ms: 3_600_000 }], machine: 'other' });
        const work = zombie.perform((run) => b.deploy(run, intentOf(b.sites, service('four'), { keep: 1 })));
        while (!zombie.calls.some((call) => call.fault === 'freeze'))
          await new Promise((resolve) => setImmediate(resolve));
        const outcome = await b.deploy(b.run('bo'), intentOf(b.sites, service('one'), { keep: 1 }), {
          waitMs: 900_000,
        });
        assert.equal(outcome.ending, 'live', `${at}: ${JSON.stringify(outcome.error)}`);
        await work;
        assertNothingMissing(b, `frozen at ${at} (${counted.calls[at - 1]?.op})`);
        b.clock.stop();
      }
    });
  }

  for (const shape of shapeNames) {
    it(`8 a crash after live and before contract (${shape})`, async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(
        b.run(),
        intentOf(b.sites, service('one', { functions: { legacy: { code: 'l', routes: ['GET /legacy'] } } })),
      );
      const next = intentOf(b.sites, service('two'));
      let at = 1;
      for (; ; at++) {
        const victim = b.run('victim', { faults: [{ at, op: 'resources.remove', do: 'kill' }] });
        const ended = await victim.perform((run) => b.deploy(run, next));
        if (ended.ended === 'killed') break;
        assert.fail('the release removes a route in its contract');
      }
      const status = await act.status(b, b.run());
      assert.equal(status.release?.number, 2);
      assert.equal((await headOf(b, b.run()))?.contract, 2);
      const outcome = await b.deploy(b.run('next'), next, { waitMs: 900_000 });
      assert.equal(outcome.ending, 'unchanged');
      assert.equal((await headOf(b, b.run()))?.contract, null);
      assert.equal(servedNow(b)['memory GET /legacy'], undefined);
    });

    it(`9 lost or older state (${shape})`, async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), intentOf(b.sites, service('one')));
      const older = structuredClone(b.world.read().store);
      await b.deploy(b.run(), intentOf(b.sites, service('two')));
      const two = servedNow(b);
      for (const [store, code] of [
        [{}, 'SFX4106'],
        [older, 'SFX4107'],
      ] as const) {
        b.world.change((document) => {
          document.store = structuredClone(store);
        });
        const before = JSON.stringify(b.world.read());
        await assert.rejects(b.deploy(b.run(), intentOf(b.sites, service('three'))), rejectsWith(code));
        assert.equal(JSON.stringify(b.world.read()), before, 'refused before the first write');
        const outcome = await act.adopt(b, b.run(), intentOf(b.sites, service('two')));
        assert.equal(outcome.ending, 'adopted');
        assert.ok(outcome.release!.number >= 3);
        assert.deepEqual(servedNow(b), two);
        const next = await b.deploy(b.run(), intentOf(b.sites, service(`after ${code}`)));
        assert.equal(next.ending, 'live', JSON.stringify(next.error));
        assert.equal((await act.rollback(b, b.run())).ending, 'live');
        assert.deepEqual(servedNow(b), two);
      }
    });
  }

  it('10 two providers whose flip and compensation both fail', async () => {
    const world = memoryWorld(emptyWorld());
    const sites = [siteOf('lambda', 'aws', world), siteOf('openfaas', 'faas')];
    const b = bench(sites);
    await b.deploy(b.run(), intentOf(sites, service('one')));
    const old = servedNow(b);
    // The second and later writes of one alias fail for good, and every write of the other provider.
    const run = b.run('ana', {
      faults: [
        { at: 1, times: null, op: 'traffic.set', on: 'live', do: 'fail' },
        { at: 2, times: null, op: 'traffic.set', on: 'checkout', do: 'fail' },
      ],
    });
    const outcome = await b.deploy(run, intentOf(sites, service('two')));
    assert.equal(outcome.ending, 'partial');
    assert.equal(outcome.exit, 4);
    const named = Object.fromEntries((outcome.aliases ?? []).map((one) => [one.alias, one.table]));
    assert.deepEqual(Object.keys(named).sort(), ['aws/checkout', 'aws/list', 'aws/worker', 'faas/live']);
    await assert.rejects(b.deploy(b.run(), intentOf(sites, service('three'))), rejectsWith('SFX4103'));
    const back = await act.rollback(b, b.run());
    assert.equal(back.ending, 'rolled back', JSON.stringify(back.error));
    assert.deepEqual(servedNow(b), old);
    await settled(b);
  });
});

function tolerate(error: unknown): void {
  assert.ok(isSfxError(error) && ['SFX4113', 'SFX4119'].includes(error.code), String(error));
}
