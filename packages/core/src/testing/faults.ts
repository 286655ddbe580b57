import { fail } from '../errors.js';
import type { Call, Run } from '../run.js';

/** Which calls a fault counts. All that is given must hold. */
export interface FaultFilter {
  /** A call's `op`, or the words it starts with: `traffic` matches `traffic.set.swap`. */
  readonly op?: string;
  readonly on?: string;
  /** `true`: writes only; `false`: reads only. */
  readonly writes?: boolean;
}

export type FaultAction =
  /** The call fails before it does anything (SFX3101); with `retryAfterMs` it may be tried again. */
  | { readonly do: 'fail'; readonly retryAfterMs?: number }
  /** Refused because of the rate (SFX3103). */
  | { readonly do: 'throttle'; readonly retryAfterMs: number }
  /** The call waits before it does anything. */
  | { readonly do: 'delay'; readonly ms: number }
  /** No answer (SFX3102, `unknownOutcome`): `after` the call landed (default), or `before` it reached anything. */
  | { readonly do: 'lose'; readonly when?: 'before' | 'after' }
  /** The process dies: `before` the call does anything (default), or `after` it landed. */
  | { readonly do: 'kill'; readonly when?: 'before' | 'after' }
  /** The whole process stands still, as under SIGSTOP. In a simulation only. */
  | { readonly do: 'freeze'; readonly ms: number };

/** Plain JSON, so that it can be handed to another process. */
export type Fault = FaultFilter &
  FaultAction & {
    /** The n-th call that the filter matches, from 1. */
    readonly at: number;
    /** How many calls in a row; default 1. `null`: all from then on. */
    readonly times?: number | null;
  };

export interface CallRecord extends Call {
  /** Counts from 1. */
  readonly n: number;
  /** What was done to it, if anything. */
  readonly fault?: FaultAction['do'];
}

/** How faults act on the process that they hit. */
export interface FaultEffects {
  sleep(ms: number): Promise<void>;
  /** Never resolves: nothing runs after it. */
  kill(): Promise<never>;
  freeze(ms: number): Promise<void>;
}

export interface FaultInjector {
  /** Every call made so far, in order. */
  readonly calls: readonly CallRecord[];
  /** Adds to the plan; counts from the next call. */
  add(fault: Fault): void;
  /** Takes the plan away; what was recorded stays. */
  clear(): void;
  around<T>(call: Call, act: () => Promise<T>, effects: FaultEffects): Promise<T>;
}

export function matches(filter: FaultFilter, call: Call): boolean {
  if (filter.writes !== undefined && filter.writes !== call.writes) return false;
  if (filter.on !== undefined && filter.on !== call.on) return false;
  return filter.op === undefined || call.op === filter.op || call.op.startsWith(`${filter.op}.`);
}

export function faultInjector(plan: readonly Fault[] = []): FaultInjector {
  const rules = plan.map((fault) => ({ fault, seen: 0 }));
  const calls: CallRecord[] = [];

  /** Every rule counts every call that it matches; the first one that is due acts. */
  function due(call: Call): Fault | undefined {
    let chosen: Fault | undefined;
    for (const rule of rules) {
      if (!matches(rule.fault, call)) continue;
      rule.seen += 1;
      const { at, times } = rule.fault;
      const last = times === null ? Infinity : at + (times ?? 1) - 1;
      if (rule.seen >= at && rule.seen <= last) chosen ??= rule.fault;
    }
    return chosen;
  }

  return {
    calls,
    add: (fault) => {
      rules.push({ fault, seen: 0 });
    },
    clear: () => {
      rules.length = 0;
    },
    around(call, act, effects) {
      const fault = due(call);
      calls.push({ n: calls.length + 1, ...call, ...(fault === undefined ? {} : { fault: fault.do }) });
      return fault === undefined ? act() : strike(fault, call, act, effects);
    },
  };
}

async function strike<T>(
  fault: FaultAction,
  call: Call,
  act: () => Promise<T>,
  effects: FaultEffects,
): Promise<T> {
  const facts = { action: call.op, resource: call.on, requestId: 'injected' };
  switch (fault.do) {
    case 'fail':
      throw fail('SFX3101', `${call.op} on ${call.on} failed`, {
        ...facts,
        ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
      });
    case 'throttle':
      throw fail('SFX3103', `${call.op} on ${call.on}: too many requests`, {
        ...facts,
        retryAfterMs: fault.retryAfterMs,
      });
    case 'delay':
      await effects.sleep(fault.ms);
      return act();
    case 'freeze':
      await effects.freeze(fault.ms);
      return act();
    case 'kill':
      if (fault.when === 'after') await act();
      return effects.kill();
    case 'lose':
      if (fault.when !== 'before') await act();
      // Whether a read was answered changes nothing; only a write leaves a doubt behind.
      throw fail('SFX3102', `${call.op} on ${call.on}: no answer`, {
        ...facts,
        ...(call.writes ? { unknownOutcome: true as const } : { retryAfterMs: 0 }),
      });
  }
}

/** The same `Run` with faults around its calls. `kill` is real: SIGKILL to this very process. */
export function withFaults(run: Run, plan: readonly Fault[]): Run & { readonly faults: FaultInjector } {
  const faults = faultInjector(plan);
  const effects: FaultEffects = {
    sleep: (ms) => run.sleep(ms),
    kill: () => {
      process.kill(process.pid, 'SIGKILL');
      return new Promise<never>(() => {});
    },
    freeze: (ms) => run.sleep(ms),
  };
  return {
    ...run,
    faults,
    call: (call, act) => run.call(call, () => faults.around(call, act, effects)),
  };
}
