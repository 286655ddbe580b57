import type { ErrorCode } from '@sfx-deploy/plugin';
import type { Input, Outcome } from '../instances/outcomes.js';
import type { Chosen, Serving } from '../stage/versions.js';
import { type Span, startSpan } from '../telemetry/trace.js';
import type { Activations } from './activations.js';
import { FAILED } from './failures.js';

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
  /** Milliseconds since 1970 at which it was asked for; default: now. */
  readonly asked?: number;
  /** Whether it is tried again after such a failure; then its activation is not over yet. */
  readonly again?: (outcome: Outcome) => boolean;
  /** What is wrong with an outcome that is no failure by itself: messages that were not taken. It is counted as an error. */
  readonly fault?: (outcome: Outcome) => string | undefined;
}

export interface Answered extends Chosen {
  readonly outcome: Outcome;
  readonly ms: number;
  /** `traceparent` of the call's own span. */
  readonly trace: string;
}

/** A call that has its version, and is to be made with `serving.pool.call(begun.input)`. */
export interface Begun extends Chosen {
  readonly call: Call;
  /** The call's, with its own span for the handler. */
  readonly input: Input;
  readonly span: Span;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** The same on a clock that does not jump. */
  readonly began: number;
}

/** What the gateway made of an outcome. */
export interface Sent {
  /** Status that the caller got. */
  readonly status: number;
  /** The handler's answer could not be sent. */
  readonly error?: Problem;
}

export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Told of every call that is over. */
export type Ended = (
  begun: Begun,
  outcome: Outcome,
  ms: number,
  problem: Problem | undefined,
  status?: number,
) => void;

/**
 * The one way to a function: chooses the version when the call is made, counts it, keeps its activation and its span. A
 * call of a version by its own id is a check, not traffic: it is not what a rollout is judged by.
 */
export interface Caller {
  call(call: Call): Promise<Answered | 'nothing live' | 'gone'>;
  /** The same in two parts, for who is not done when the outcome is there. Every call that begins must end. */
  begin(call: Call): Begun | 'nothing live' | 'no candidate' | 'gone';
  /** Answers its milliseconds. */
  end(begun: Begun, outcome: Outcome, sent?: Sent): number;
}

export interface CallerOptions {
  choose(alias: string, unit: string, candidate: boolean): Chosen | 'nothing live' | 'no candidate';
  byId(version: string): Serving | undefined;
  readonly activations: Activations;
  readonly now: () => number;
  /** Where spans go, when somebody asked for them. */
  readonly ended?: Ended | undefined;
}

export function createCaller(options: CallerOptions): Caller {
  const { choose, byId, activations, now } = options;
  const chosenFor = (call: Call): Chosen | 'nothing live' | 'no candidate' | 'gone' => {
    if (call.version === undefined) return choose(call.alias ?? '', call.function, call.candidate === true);
    const serving = byId(call.version);
    if (serving?.version.unit !== call.function) return 'gone';
    return { serving, release: serving.version.release ?? 0 };
  };
  const begin: Caller['begin'] = (call) => {
    const chosen = chosenFor(call);
    if (typeof chosen === 'string') return chosen;
    const span = startSpan(call.trace);
    const begun: Begun = {
      serving: chosen.serving,
      release: chosen.release,
      call,
      span,
      input: spanned(call.input, call.depth, span.header),
      started: now(),
      began: performance.now(),
    };
    if (call.cause !== 'http') activations.began(begun);
    return begun;
  };
  const end: Caller['end'] = (begun, outcome, sent) => {
    const ms = performance.now() - begun.began;
    const status = sent?.status ?? (outcome.kind === 'http' ? outcome.status : undefined);
    const problem = sent?.error ?? problemOf(outcome, status, begun.call.fault);
    if (isUnserved(begun.call, outcome)) {
      activations.unserved(begun, outcome);
      return ms;
    }
    if (begun.call.version === undefined)
      begun.serving.metrics.record(ms, problem !== undefined, outcome.cold === true);
    activations.ended(begun, outcome, ms, problem, status);
    options.ended?.(begun, outcome, ms, problem, status);
    return ms;
  };
  return {
    begin,
    end,
    async call(call) {
      const begun = begin(call);
      // Only a call over HTTP asks for a candidate that may not be there, and the gateway begins those itself.
      if (typeof begun === 'string') return begun === 'gone' ? 'gone' : 'nothing live';
      const outcome = await begun.serving.pool.call(begun.input);
      const ms = end(begun, outcome);
      return { serving: begun.serving, release: begun.release, outcome, ms, trace: begun.span.header };
    },
  };
}

/** Field by field: on the way of every call, a spread costs more than all else here. */
function spanned(input: Input, depth: number, trace: string): Input {
  const { requestId } = input;
  if (input.kind === 'invoke') return { kind: 'invoke', requestId, depth, trace, payload: input.payload };
  const { method, url, headers, body, params, route, ip, authorizer } = input;
  return { kind: 'http', requestId, depth, trace, method, url, headers, body, params, route, ip, authorizer };
}

/** Nobody waits for the answer and no instance had room: it is made again, and says nothing of the version. */
function isUnserved({ cause }: Call, outcome: Outcome): boolean {
  if (outcome.kind !== 'failed' || outcome.why !== 'busy') return false;
  return cause !== 'http' && cause !== 'invoke' && cause !== 'authorizer';
}

/** Why a call is counted as an error; undefined when it is none. */
function problemOf(outcome: Outcome, status: number | undefined, fault: Call['fault']): Problem | undefined {
  if (outcome.kind === 'failed') return { code: FAILED[outcome.why], message: outcome.message };
  const message =
    fault?.(outcome) ?? (status !== undefined && status >= 500 ? `it answered ${status}` : undefined);
  return message === undefined ? undefined : { code: 'SFX6140', message };
}
