import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isSfxError } from '../../src/errors.js';
import type { Outcome } from '../../src/release/outcome.js';
import { type Fault, shapeNames, shapes } from '../../src/testing/index.js';
import { act, type Bench, bench, canary, headOf, intentOf, servedNow, service, siteOf } from './harness.js';

const action = fc.oneof(
  fc.constant({ do: 'fail' as const }),
  fc.constant({ do: 'fail' as const, retryAfterMs: 500 }),
  fc.constant({ do: 'throttle' as const, retryAfterMs: 900 }),
  fc.constant({ do: 'delay' as const, ms: 4_000 }),
  fc.constant({ do: 'lose' as const, when: 'after' as const }),
  fc.constant({ do: 'lose' as const, when: 'before' as const }),
  fc.constant({ do: 'kill' as const, when: 'before' as const }),
  fc.constant({ do: 'kill' as const, when: 'after' as const }),
  fc.constant({ do: 'freeze' as const, ms: 30_000 }),
);
const fault = fc.tuple(action, fc.integer({ min: 1, max: 70 })).map(([what, at]): Fault => ({ ...what, at }));

const changed = service('two', {
  functions: {
    catalog: { code: 'catalog two', routes: ['GET /products'] },
    list: { code: 'list two', queues: ['new'] },
  },
});

/** Settles whatever is open, with a healthy connection; gives up after a few tries. */
async function settle(b: Bench, forward: boolean, next: ReturnType<typeof intentOf>): Promise<void> {
  for (let tries = 0; tries < 4; tries++) {
    const head = await headOf(b, b.run('look'));
    if (head === undefined || (head.open === null && head.lease === null)) return;
    try {
      if (forward && tries === 0) await act.resume(b, b.run('medic'), next);
      else if (head.open !== null) await act.rollback(b, b.run('medic'));
      else await act.resume(b, b.run('medic'), next);
    } catch (error) {
      if (!isSfxError(error)) throw error;
    }
  }
}

function assertHonest(outcome: Outcome, before: string, after: string, now: string): void {
  const claim = JSON.stringify({ ending: outcome.ending, error: outcome.error });
  if (outcome.ending === 'live') assert.equal(now, after, claim);
  if (outcome.ending === 'rolled back' || outcome.ending === 'failed') assert.equal(now, before, claim);
  if (outcome.ending === 'partial')
    assert.ok((outcome.aliases ?? []).length > 0, 'partial names every alias');
}

describe('one or two faults at random', () => {
  for (const shape of shapeNames) {
    it(`leave all old, all new, or what says so and can be settled, in the shape of ${shape}`, async () => {
      const gradual = shapes[shape].split.targets === 2;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fault, { minLength: 1, maxLength: 2 }),
          fc.boolean(),
          fc.boolean(),
          async (faults, forward, shifted) => {
            const b = bench([siteOf(shape)]);
            const first = intentOf(b.sites, service('one'));
            await b.deploy(b.run('first'), first);
            const canaried = gradual && shifted && shapes[shape].unit === 'function';
            const next = intentOf(b.sites, changed, canaried ? { rollout: canary(20) } : {});
            const before = JSON.stringify(servedNow(b));
            const twin = bench([siteOf(shape)]);
            await twin.deploy(twin.run(), intentOf(twin.sites, service('one')));
            await twin.deploy(twin.run(), intentOf(twin.sites, changed));
            const after = JSON.stringify(servedNow(twin));
            const victim = b.run('victim', { faults });
            const ended = await victim.perform(async (run) => {
              const outcome = await b.deploy(run, next);
              return canaried && outcome.ending === 'canary' ? act.promote(b, run) : outcome;
            });
            if (ended.ended === 'failed')
              assert.ok(isSfxError(ended.error), String((ended.error as Error).stack));
            if (ended.ended === 'done')
              assertHonest(ended.value, before, after, JSON.stringify(servedNow(b)));
            victim.kill();
            await settle(b, forward, next);
            const now = JSON.stringify(servedNow(b));
            assert.ok(now === before || now === after, `neither all old nor all new: ${now}`);
            const head = await headOf(b, b.run('look'));
            assert.deepEqual([head?.open, head?.lease], [null, null]);
            assert.deepEqual(
              b
                .hands()
                .failures()
                .filter((failed) => !/planned|restart|down/.test(failed.why)),
              [],
            );
            b.clock.stop();
            twin.clock.stop();
          },
        ),
        { numRuns: Number(process.env['SFX_FUZZ_RUNS'] ?? 150), seed: 20301 },
      );
    });
  }
});
