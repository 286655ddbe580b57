import type { Json } from '../json.js';

/** A rollout in its normal form: what `--canary`, `strategy:` and `steps:` become. */
export type RolloutStep =
  | { readonly weight: number }
  /** `ms: null` waits for `sfx promote`. */
  | { readonly pause: number | null }
  | { readonly check: string };

export interface MetricRule {
  readonly name: 'error-rate' | 'latency-p95';
  /** A share (0.01) for error-rate, milliseconds for latency. */
  readonly max?: number;
  /** Also fail when worse than stable by more than this share (0.2 = 20 %). */
  readonly tolerance?: number;
}

export interface Analysis {
  readonly intervalMs: number;
  readonly initialDelayMs: number;
  /** Failed judgements, in a row, that end the rollout. */
  readonly failureLimit: number;
  readonly inconclusive: 'pause' | 'fail' | 'pass';
  /** Requests that a version must have had; fewer is inconclusive. */
  readonly minSamples: number;
  readonly metrics: readonly MetricRule[];
}

export interface Rollout {
  readonly steps: readonly RolloutStep[];
  readonly analysis?: Analysis;
  readonly onFailure: 'rollback' | 'pause';
  readonly bakeMs: number;
  /** The whole rollout must end within this, or goes back. */
  readonly deadlineMs?: number;
  readonly expand: 'late' | 'early';
}

/** What a candidate must pass before it has traffic. */
export type Check = CallCheck | CommandCheck;

/** Calls a candidate by its own address. */
export interface CallCheck {
  readonly name: string;
  readonly function: string;
  readonly payload: Json;
  /** What the answer must hold: `status` for HTTP, and keys that must equal. */
  readonly expect: { readonly status?: number; readonly match?: Json };
}

/** Runs a command of the project that is told where the candidates answer; it passes with exit code 0. */
export interface CommandCheck {
  readonly name: string;
  /** A line for the shell, run in the folder of the configuration. */
  readonly command: string;
  readonly timeoutMs: number;
}
