import { isObject } from '../json.js';
import type { Analysis, MetricRule, Rollout, RolloutStep } from '../release/rollout.js';
import { parseDuration, parsePercent } from './duration.js';

/** Says what is wrong at a pointer below the one that is normalized. */
export type Complain = (below: string, message: string) => void;

const DEFAULT_WEIGHT = 10;
const DEFAULT_PAUSE_MS = 5 * 60_000;

/** How a release takes traffic when the file says nothing: all at once. */
export const plainRollout: Rollout = {
  steps: [{ weight: 100 }],
  onFailure: 'rollback',
  bakeMs: 0,
  expand: 'late',
};

/** `rollout:` in its normal form: `strategy` becomes steps, and steps end with 100 %. Its schema has been checked. */
export function normalizeRollout(value: unknown, complain: Complain): Rollout {
  if (!isObject(value)) return plainRollout;
  const analysis = isObject(value['analysis']) ? normalizeAnalysis(value['analysis'], complain) : undefined;
  const deadlineMs = parseDuration(value['deadline']);
  return {
    steps: ended(stepsOf(value, complain)),
    ...(analysis === undefined ? {} : { analysis }),
    onFailure: value['onFailure'] === 'pause' ? 'pause' : 'rollback',
    bakeMs: parseDuration(value['bake']) ?? 0,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    expand: value['expand'] === 'early' ? 'early' : 'late',
  };
}

function ended(steps: readonly RolloutStep[]): readonly RolloutStep[] {
  const weights = steps.flatMap((step) => ('weight' in step ? [step.weight] : []));
  return weights[weights.length - 1] === 100 ? steps : [...steps, { weight: 100 }];
}

function pauseOf(value: unknown): number | null {
  return value === 'manual' ? null : (parseDuration(value) ?? DEFAULT_PAUSE_MS);
}

function stepsOf(value: Record<string, unknown>, complain: Complain): readonly RolloutStep[] {
  const { steps, strategy } = value;
  if (Array.isArray(steps)) {
    for (const key of ['strategy', 'weight', 'pause'] as const) {
      if (value[key] !== undefined)
        complain(`/${key}`, `rollout has steps; ${key} beside them says it twice`);
    }
    return writtenSteps(steps, complain);
  }
  const weight = typeof value['weight'] === 'number' ? value['weight'] : DEFAULT_WEIGHT;
  const pause = { pause: pauseOf(value['pause']) };
  if (strategy === 'linear') {
    const linear: RolloutStep[] = [];
    for (let at = weight; at < 100; at += weight) linear.push({ weight: at }, pause);
    return linear;
  }
  const asked =
    strategy === 'canary' ||
    (strategy === undefined && (value['weight'] !== undefined || value['pause'] !== undefined));
  return asked ? [{ weight }, pause] : [];
}

function writtenSteps(steps: readonly unknown[], complain: Complain): readonly RolloutStep[] {
  const result: RolloutStep[] = [];
  let reached = 0;
  for (const [index, step] of steps.entries()) {
    if (!isObject(step)) continue;
    if (typeof step['setWeight'] === 'number') {
      const weight = step['setWeight'];
      if (weight < reached)
        complain(
          `/steps/${index}/setWeight`,
          `a rollout only goes up: ${weight} % stands after ${reached} %`,
        );
      reached = Math.max(reached, weight);
      result.push({ weight });
    } else if (typeof step['check'] === 'string') result.push({ check: step['check'] });
    else if (step['pause'] !== undefined) result.push({ pause: pauseOf(step['pause']) });
  }
  return result;
}

function normalizeAnalysis(value: Record<string, unknown>, complain: Complain): Analysis {
  const metrics = Array.isArray(value['metrics']) ? value['metrics'] : [];
  if (metrics.length === 0) complain('/analysis/metrics', 'an analysis needs at least one metric');
  const inconclusive = value['inconclusive'];
  return {
    intervalMs: parseDuration(value['interval']) ?? 60_000,
    initialDelayMs: parseDuration(value['initialDelay']) ?? 0,
    failureLimit: typeof value['failureLimit'] === 'number' ? value['failureLimit'] : 2,
    inconclusive: inconclusive === 'fail' || inconclusive === 'pass' ? inconclusive : 'pause',
    minSamples: typeof value['minSamples'] === 'number' ? value['minSamples'] : 200,
    metrics: metrics
      .filter(isObject)
      .map((metric, index) => metricOf(metric, `/analysis/metrics/${index}`, complain)),
  };
}

function metricOf(metric: Record<string, unknown>, below: string, complain: Complain): MetricRule {
  const name = metric['name'] === 'latency-p95' ? 'latency-p95' : 'error-rate';
  const { max, tolerance } = metric;
  if (max === undefined && tolerance === undefined) complain(below, `${name} needs max, tolerance, or both`);
  const limit = max === undefined ? undefined : limitOf(name, max);
  if (max !== undefined && limit === undefined) {
    complain(
      `${below}/max`,
      name === 'error-rate'
        ? 'max of error-rate is a percentage: 1%'
        : 'max of latency-p95 is a duration with its unit: 800ms',
    );
  }
  const share = parsePercent(tolerance);
  return {
    name,
    ...(limit === undefined ? {} : { max: limit }),
    ...(share === undefined ? {} : { tolerance: share }),
  };
}

/** With its unit: a bare 1 could be 1 % or all of it, a bare 800 could be seconds. */
function limitOf(name: MetricRule['name'], max: unknown): number | undefined {
  if (typeof max !== 'string') return undefined;
  if (name === 'error-rate') return max.endsWith('%') ? parsePercent(max) : undefined;
  return /m?s$/.test(max) ? parseDuration(max) : undefined;
}
