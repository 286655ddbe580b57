import type { Times } from './cron.js';

/** What a schedule has behind it. Times in milliseconds since 1970. */
export interface Settled {
  /** All that was due until here has run or was left out. */
  readonly cursor: number;
  /** First and last of due times that ran one after the other, so that a clock that is set back repeats none. */
  readonly ran: readonly (readonly [first: number, last: number])[];
}

export interface Due {
  readonly settled: Settled;
  /** What is to run now: the last one that is due. */
  readonly at?: number;
  /** The first of those that were missed, and run as one with `at`. */
  readonly missed?: number;
}

const MOST_RANGES = 32;

/**
 * What is due at `now`. Many that were missed, while the engine was down or the machine slept, are one; a clock that was
 * set back runs again what was left out, and nothing that ran.
 */
export function dueAt(times: Times, settled: Settled, now: number): Due {
  if (now < settled.cursor) return { settled: { ...settled, cursor: now } };
  const first = nextDue(times, settled);
  if (first === undefined || first > now) return { settled };
  const at = lastDue(times, settled, now);
  return {
    settled: { cursor: at, ran: after(times, settled.ran, at) },
    at,
    ...(first < at && { missed: first }),
  };
}

/** The first time that is still to run; undefined: never again. */
export function nextDue(times: Times, { cursor, ran }: Settled): number | undefined {
  let next = times.next(cursor);
  for (;;) {
    const range = next === undefined ? undefined : rangeOf(ran, next);
    if (range === undefined) return next;
    next = times.next(range[1]);
  }
}

/** There is one: `nextDue` is not after `now`. */
function lastDue(times: Times, { cursor, ran }: Settled, now: number): number {
  let last = times.last(cursor, now)!;
  for (let range = rangeOf(ran, last); range !== undefined; range = rangeOf(ran, last))
    last = times.last(cursor, range[0] - 1)!;
  return last;
}

function rangeOf(ran: Settled['ran'], at: number) {
  return ran.find(([first, last]) => first <= at && at <= last);
}

function after(times: Times, ran: Settled['ran'], at: number): Settled['ran'] {
  const [first, last] = ran.at(-1) ?? [at, undefined];
  if (last !== undefined && times.next(last) === at) return [...ran.slice(0, -1), [first, at]];
  return [...ran, [at, at] as const].slice(-MOST_RANGES);
}
