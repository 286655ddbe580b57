import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isSfxError } from '../../src/errors.js';
import type { Intent } from '../../src/plan/intent.js';
import type { Fault } from '../../src/testing/index.js';
import { type ShapeName, shapeNames, shapes } from '../../src/testing/index.js';
import { act, type Bench, bench, canary, headOf, intentOf, servedNow, service, siteOf } from './harness.js';

/** A second release that changes all, adds a function with a route and a queue, moves a route, removes a queue. */
const changed = service('two', {
  functions: {
    list: { code: 'list two' },
    catalog: { code: 'catalog two', routes: ['GET /products', 'GET /search'], queues: ['search'] },
    worker: { code: 'worker two', schedules: ['hourly'] },
  },
});
const plainChange = service('two');

interface Stage {
  readonly b: Bench;
  readonly next: Intent;
  readonly old: ReturnType<typeof servedNow>;
  readonly fresh: ReturnType<typeof servedNow>;
}

async function stageOf(shape: ShapeName, plain = changed, rollout?: Intent['rollout']): Promise<Stage> {
  const b = bench([siteOf(shape)]);
  await b.deploy(b.run('first'), intentOf(b.sites, service('one')));
  const next = intentOf(b.sites, plain, rollout ? { rollout } : {});
  const old = servedNow(b);
  const twin = bench([siteOf(shape)]);
  await twin.deploy(twin.run('first'), intentOf(twin.sites, service('one')));
  await twin.deploy(twin.run('twin'), intentOf(twin.sites, plain));
  return { b, next, old, fresh: servedNow(twin) };
}

/** What callers meet is all old or all new; nothing is left open; a later deploy goes through. */
async function assertWhole({ b, next, old, fresh }: Stage, what: string): Promise<void> {
  const now = JSON.stringify(servedNow(b));
  assert.ok(
    now === JSON.stringify(old) || now === JSON.stringify(fresh),
    `${what}: neither all old nor all new: ${now}`,
  );
  const head = await headOf(b, b.run('look'));
  assert.equal(head?.open, null, `${what}: open`);
  assert.equal(head?.lease, null, `${what}: lease`);
  const unplanned = b
    .hands()
    .failures()
    .filter((failed) => !/planned|restart|down/.test(failed.why));
  assert.deepEqual(unplanned, [], what);
  const outcome = await b.deploy(b.run('later'), {
    ...next,
    rollout: { ...next.rollout, steps: [{ weight: 100 }] },
    force: true,
  });
  assert.ok(
    outcome.ending === 'live' || outcome.ending === 'unchanged',
    `${what}: later ${outcome.ending} ${JSON.stringify(outcome.error)}`,
  );
  assert.deepEqual(servedNow(b), fresh, `${what}: later`);
}

async function countCalls(
  shape: ShapeName,
  plain: typeof changed,
  work: (stage: Stage, faults: Fault[]) => Promise<number>,
): Promise<number> {
  return work(await stageOf(shape, plain), []);
}

for (const shape of shapeNames) {
  describe(`a process killed at any call, in the shape of ${shape}`, () => {
    for (const recovery of ['resume', 'rollback'] as const) {
      it(`leaves nothing that ${recovery} cannot settle`, async () => {
        const total = await countCalls(shape, changed, async (stage) => {
          const run = stage.b.run('victim');
          await stage.b.deploy(run, stage.next);
          return run.calls.length;
        });
        assert.ok(total > 20);
        for (const when of ['before', 'after'] as const) {
          for (let at = 1; at <= total; at++) {
            const stage = await stageOf(shape);
            const { b } = stage;
            const victim = b.run('victim', { faults: [{ at, do: 'kill', when }] });
            const ended = await victim.perform((run) => b.deploy(run, stage.next));
            if (ended.ended !== 'killed') continue;
            const what = `${shape} ${recovery} after a kill ${when} call ${at} (${victim.calls.at(-1)?.op})`;
            await recover(stage, recovery, what);
            await assertWhole(stage, what);
          }
        }
      });
    }

    if (shapes[shape].split.targets === 2) {
      it('also while a canary is opened, promoted or taken back', async () => {
        for (const last of ['promote', 'rollback'] as const) {
          const open = async () => {
            const stage = await stageOf(shape, plainChange, canary(5));
            await stage.b.deploy(stage.b.run('opener'), stage.next);
            return stage;
          };
          const measured = await open();
          const run = measured.b.run('measure');
          await act[last](measured.b, run);
          for (let at = 1; at <= run.calls.length; at++) {
            const stage = await open();
            const victim = stage.b.run('victim', { faults: [{ at, do: 'kill' }] });
            await victim.perform(async (actor) => act[last](stage.b, actor));
            const what = `${shape} ${last} killed at call ${at} (${victim.calls.at(-1)?.op})`;
            const { head } = { head: await headOf(stage.b, stage.b.run('look')) };
            if (head?.open !== null || head.lease !== null)
              await recover(stage, at % 2 === 0 ? 'resume' : 'rollback', what);
            if ((await headOf(stage.b, stage.b.run('look')))?.open != null)
              await act.rollback(stage.b, stage.b.run('closer'));
            await assertWhole(stage, what);
          }
        }
      });
    }
  });
}

async function recover({ b, next }: Stage, how: 'resume' | 'rollback', what: string): Promise<void> {
  try {
    const outcome =
      how === 'resume' ? await act.resume(b, b.run('medic'), next) : await act.rollback(b, b.run('medic'));
    assert.ok(
      outcome.ending !== 'partial' && outcome.ending !== 'interrupted',
      `${what}: ${outcome.ending} ${JSON.stringify(outcome.error)}`,
    );
  } catch (error) {
    // Nothing had begun, or all of it was over already.
    assert.ok(
      isSfxError(error) && ['SFX4112', 'SFX4113', 'SFX4119'].includes(error.code),
      `${what}: ${String(error)} ${(error as Error).stack}`,
    );
  }
}
