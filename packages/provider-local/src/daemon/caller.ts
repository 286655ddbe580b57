import type { Input, Outcome } from './outcomes.js';
import type { Chosen, Serving } from './versions.js';

/** What made a call happen. */
export type Cause = 'http' | 'invoke' | 'async' | 'authorizer' | 'queue' | 'topic' | 'schedule' | 'bucket';

export interface Call {
  readonly cause: Cause;
  readonly function: string;
  /** Through an alias, which draws the version now; or one version by its own id. */
  readonly alias?: string;
  readonly version?: string;
  /** Only with an alias: its candidate, whatever its share. */
  readonly candidate?: boolean;
  readonly input: Input;
  readonly depth: number;
  /** `traceparent` that came with the call. */
  readonly trace?: string;
  /** The trigger that it is of. */
  readonly trigger?: string;
  /** 1 for the first try. */
  readonly attempt?: number;
}

export interface Answered extends Chosen {
  readonly outcome: Outcome;
  readonly ms: number;
}

/**
 * The one way to a function: chooses the version when the call is made, counts it, keeps its activation. A call of a
 * version by its own id is a check, not traffic: it is not what a rollout is judged by.
 */
export interface Caller {
  call(call: Call): Promise<Answered | 'nothing live' | 'gone'>;
}

export interface CallerOptions {
  choose(alias: string, unit: string, candidate: boolean): Chosen | 'nothing live' | 'no candidate';
  byId(version: string): Serving | undefined;
}

export function createCaller({ choose, byId }: CallerOptions): Caller {
  const chosenFor = (call: Call): Chosen | 'nothing live' | 'gone' => {
    if (call.version !== undefined) {
      const serving = byId(call.version);
      if (serving?.version.unit !== call.function) return 'gone';
      return { serving, release: serving.version.release ?? 0 };
    }
    const chosen = choose(call.alias ?? '', call.function, call.candidate === true);
    return typeof chosen === 'string' ? 'nothing live' : chosen;
  };
  return {
    async call(call) {
      const chosen = chosenFor(call);
      if (typeof chosen === 'string') return chosen;
      const began = performance.now();
      const outcome = await chosen.serving.pool.call(call.input);
      const ms = performance.now() - began;
      if (call.version === undefined) chosen.serving.metrics.record(ms, failed(outcome));
      return { ...chosen, outcome, ms };
    },
  };
}

function failed(outcome: Outcome): boolean {
  return outcome.kind === 'failed' || (outcome.kind === 'http' && outcome.status >= 500);
}
