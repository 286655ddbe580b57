import type { Run } from '../run.js';

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

/** At most `width` at once, in the given order; the first failure is thrown after those under way have ended. */
export async function each<T, R>(
  items: readonly T[],
  width: number,
  act: (item: T) => Promise<R>,
): Promise<R[]> {
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

async function inParallel<T>(
  items: readonly T[],
  width: number,
  act: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      await act(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
