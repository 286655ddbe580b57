import type { Metrics } from '../provider/contract.js';
import type { Analysis, MetricRule } from './rollout.js';

export interface Observation {
  readonly unit: string;
  readonly stable: Metrics | undefined;
  readonly candidate: Metrics | undefined;
}

export interface Verdict {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly reasons: readonly string[];
  /** Stable breaks an absolute rule itself: sending traffic back to it would not help. */
  readonly stableFails: boolean;
}

/** Decides, from numbers by version, about one moment of a rollout. Pure. */
export type Judge = (analysis: Analysis, observations: readonly Observation[]) => Verdict;

/**
 * The first judge: error rate and latency by version, never below the minimum of samples.
 * One failing unit fails the whole; else one without enough calls leaves it open.
 */
export const judge: Judge = (analysis, observations) => {
  const failing: string[] = [];
  const open: string[] = [];
  let stableFails = false;
  for (const { unit, stable, candidate } of observations) {
    const calls = candidate?.requests ?? 0;
    if (candidate === undefined || calls < Math.max(1, analysis.minSamples)) {
      open.push(`${unit} inconclusive: ${calls} of ${analysis.minSamples} calls needed`);
      continue;
    }
    for (const rule of analysis.metrics) {
      const why = breach(rule, candidate, stable, analysis.minSamples);
      if (why === undefined) continue;
      failing.push(`${unit} ${why}`);
      if (
        stable !== undefined &&
        stable.requests >= analysis.minSamples &&
        overMax(rule, stable) !== undefined
      )
        stableFails = true;
    }
  }
  if (failing.length > 0) return { verdict: 'fail', reasons: failing, stableFails };
  if (open.length > 0 || observations.length === 0)
    return { verdict: 'inconclusive', reasons: open, stableFails };
  return { verdict: 'pass', reasons: [], stableFails };
};

function measured(rule: MetricRule, metrics: Metrics): number {
  return rule.name === 'error-rate' ? metrics.errors / metrics.requests : metrics.p95Ms;
}

function shown(rule: MetricRule, value: number): string {
  return rule.name === 'error-rate' ? `${(value * 100).toFixed(1)} %` : `${Math.round(value)} ms`;
}

function overMax(rule: MetricRule, metrics: Metrics): string | undefined {
  if (rule.max === undefined || metrics.requests === 0) return undefined;
  const value = measured(rule, metrics);
  const name = rule.name === 'error-rate' ? 'errors' : 'p95';
  return value > rule.max ? `${name} ${shown(rule, value)} over ${shown(rule, rule.max)}` : undefined;
}

function breach(
  rule: MetricRule,
  candidate: Metrics,
  stable: Metrics | undefined,
  minSamples: number,
): string | undefined {
  const absolute = overMax(rule, candidate);
  if (absolute !== undefined) return absolute;
  if (rule.tolerance === undefined || stable === undefined || stable.requests < Math.max(1, minSamples))
    return undefined;
  const limit = measured(rule, stable) * (1 + rule.tolerance);
  const value = measured(rule, candidate);
  const name = rule.name === 'error-rate' ? 'errors' : 'p95';
  return value > limit
    ? `${name} ${shown(rule, value)}, stable ${shown(rule, measured(rule, stable))}`
    : undefined;
}
