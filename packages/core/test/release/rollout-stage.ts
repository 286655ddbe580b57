import type { Intent } from '../../src/plan/intent.js';
import type { Metrics } from '../../src/provider/contract.js';
import type { Analysis, Rollout } from '../../src/release/rollout.js';
import { allAtOnce, type Bench, bench, intentOf, servedNow, service, siteOf } from './harness.js';
import { digestIn, hooked } from './support.js';

export const MINUTE = 60_000;
const units = ['checkout', 'list', 'worker'];

export const analysis: Analysis = {
  intervalMs: MINUTE,
  initialDelayMs: MINUTE,
  failureLimit: 2,
  inconclusive: 'pause',
  minSamples: 10,
  metrics: [{ name: 'error-rate', max: 0.05 }],
};

export const timed = (extra: Partial<Rollout> = {}): Rollout => ({
  ...allAtOnce,
  steps: [{ weight: 10 }, { pause: 10 * MINUTE }, { weight: 50 }, { pause: 10 * MINUTE }, { weight: 100 }],
  ...extra,
});

export const healthy: Metrics = { requests: 1000, errors: 0, p95Ms: 40 };
export const failing: Metrics = { requests: 1000, errors: 400, p95Ms: 40 };

export async function stage(rollout: Rollout, metrics: { stable?: Metrics; candidate?: Metrics } = {}) {
  const b = bench([siteOf('lambda')]);
  const one = intentOf(b.sites, service('one'));
  await b.deploy(b.run(), one);
  const two = intentOf(b.sites, service('two'), { rollout });
  for (const unit of units) {
    if (metrics.stable) b.hands().setMetrics(digestIn(one, unit), metrics.stable);
    if (metrics.candidate) b.hands().setMetrics(digestIn(two, unit), metrics.candidate);
  }
  return { b, one, two, old: servedNow(b) };
}

/** The candidate's share of `GET /products`, in percent. */
export function shareOf(b: Bench, intent: Intent): number {
  return servedNow(b)['memory GET /products']?.[digestIn(intent, 'list')] ?? 0;
}

/** Deploys, with something happening during each of its pauses. */
export function pausing(b: Bench, intent: Intent, during: (n: number) => Promise<unknown> | unknown) {
  let n = 0;
  const run = b.run('ana');
  return {
    run,
    outcome: b.deploy(
      hooked(run, {
        sleeps: async (ms) => {
          if (ms === 10 * MINUTE) await during(++n);
        },
      }),
      intent,
    ),
  };
}
