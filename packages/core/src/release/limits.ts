import { isSfxError, messageOf } from '../errors.js';
import type { Run } from '../run.js';

/** Tries of one call before its failure counts. */
const TRIES = 4;
const FIRST_WAIT_MS = 200;
/** Longest that sfx waits because a provider asked for it, over all tries of one call. */
const PATIENCE_MS = 120_000;

export interface Limiter {
  /** Waits for a turn: at most `perSecond` writes start in a second, with a burst of one second's worth. */
  turn(): Promise<void>;
}

/** A token bucket on the run's clock. */
export function limiter(perSecond: number, run: Run): Limiter {
  let tokens = perSecond;
  let at = run.now();
  return {
    async turn() {
      for (;;) {
        const now = run.now();
        tokens = Math.min(perSecond, tokens + ((now - at) / 1000) * perSecond);
        at = now;
        if (tokens >= 1) {
          tokens -= 1;
          return;
        }
        await run.sleep(Math.ceil(((1 - tokens) / perSecond) * 1000));
      }
    },
  };
}

/**
 * Makes a call that is safe to repeat (as every call of the contract is) and repeats it when the provider asked to wait,
 * did not answer, or answered after the write may have landed. Other failures are thrown as they are.
 */
export async function repeatedly<T>(run: Run, op: string, on: string, act: () => Promise<T>): Promise<T> {
  let waited = 0;
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      const wait = waitBefore(error, tries);
      if (wait === undefined || tries >= TRIES || waited + wait > PATIENCE_MS || run.signal.aborted) throw error;
      run.emit({ code: 'retry', op, on, ms: wait, why: messageOf(error) });
      await run.sleep(wait);
      waited += wait;
    }
  }
}

function waitBefore(error: unknown, tries: number): number | undefined {
  if (!isSfxError(error)) return undefined;
  if (error.details.retryAfterMs !== undefined) return Math.max(error.details.retryAfterMs, 1);
  if (error.details.unknownOutcome || error.code === 'SFX3102') return FIRST_WAIT_MS * 2 ** (tries - 1);
  return undefined;
}

/** At most `width` at once, in the given order; the first failure is thrown after those under way have ended. */
export async function each<T, R>(items: readonly T[], width: number, act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const failures: unknown[] = [];
  await inParallel(items, width, async (item, index) => {
    if (failures.length > 0) return;
    try {
      results[index] = await act(item);
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failures[0];
  return results;
}

/** The same, but a failure stops nothing else: answers what failed, in order. */
export async function eachOfAll<T>(
  items: readonly T[],
  width: number,
  act: (item: T) => Promise<unknown>,
): Promise<{ readonly item: T; readonly error: unknown }[]> {
  const failures: { item: T; error: unknown }[] = [];
  await inParallel(items, width, async (item) => {
    try {
      await act(item);
    } catch (error) {
      failures.push({ item, error });
    }
  });
  return failures;
}

async function inParallel<T>(items: readonly T[], width: number, act: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      await act(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
