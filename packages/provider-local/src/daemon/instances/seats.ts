import type { Inflow } from './inflow.js';
import type { Instance } from './instance.js';
import type { Input, Outcome } from './outcomes.js';

/** A call that an instance has. */
export interface Running {
  readonly input: Input;
  readonly resolve: (outcome: Outcome) => void;
  /** 1 for the first that its instance was sent. */
  readonly nth: number;
  /** By `performance.now()`. */
  readonly due: number;
  readonly cold: boolean;
  /** Instances that ended before they began it. */
  readonly tries: number;
  inflow?: Inflow;
}

/** The place of one instance in its pool. */
export interface Seat {
  instance: Instance;
  state: 'loading' | 'ready' | 'retired';
  /** In the order in which they were sent, so that the first is the first due. */
  readonly calls: Map<number, Running>;
  /** Calls since the start: sent to it, and begun by it. */
  sent: number;
  took: number;
  /** When the first of the calls that it has not begun was sent. */
  sentAt: number;
  /** By the pool's clock. */
  idleSince: number;
  /** Bytes at its last report. */
  used: number;
  alarm: NodeJS.Timeout | undefined;
}

/** How long calls of a version wait until they are begun, in milliseconds per call; falls and rises with what is seen. */
export interface Lag {
  ms: number;
}

/** An instance that has not begun a call after this time does something else. */
export const BLOCKED_MS = 20;
/** What calls that were sent may wait for each other. */
const AHEAD_MS = 10;
const MOST_AHEAD = 32;
const QUICK_MS = 0.5;

export function newSeat(instance: Instance, at: number): Seat {
  return {
    instance,
    state: 'loading',
    calls: new Map(),
    sent: 0,
    took: 0,
    sentAt: 0,
    idleSince: at,
    used: 0,
    alarm: undefined,
  };
}

/**
 * Calls that are begun at once may be sent many at a time. Those of a version that computes are sent one by one: what was
 * sent cannot be given to another instance.
 */
function takes(seat: Seat, most: number, lag: Lag, now: number): boolean {
  if (seat.state !== 'ready' || seat.calls.size >= most) return false;
  const ahead = seat.sent - seat.took;
  if (ahead === 0) return true;
  return ahead < Math.min(MOST_AHEAD, AHEAD_MS / lag.ms) && now - seat.sentAt < BLOCKED_MS;
}

/**
 * The one to send a call to: nothing ahead of it, and few beside it. Calls that are begun at once keep to as few instances
 * as will do: each further one would only take turns with the others.
 */
export function freest(seats: Iterable<Seat>, most: number, lag: Lag, now: number): Seat | undefined {
  let best: Seat | undefined;
  for (const seat of seats) {
    if (!takes(seat, most, lag, now)) continue;
    if (lag.ms < QUICK_MS) return seat;
    if (best === undefined || weight(seat) < weight(best)) best = seat;
  }
  return best;
}

function weight(seat: Seat): number {
  return (seat.sent - seat.took) * 1000 + seat.calls.size;
}

/** It has begun so many calls. */
export function tookCalls(seat: Seat, took: number, lag: Lag, now: number): void {
  const begun = took - seat.took;
  if (begun <= 0) return;
  const each = (now - seat.sentAt) / begun;
  lag.ms = lag.ms === Infinity ? each : lag.ms * 0.7 + each * 0.3;
  seat.took = took;
  seat.sentAt = now;
}

/** It has something else to do. */
export function isBlocked(seat: Seat, now: number): boolean {
  return seat.sent > seat.took && now - seat.sentAt >= BLOCKED_MS;
}
