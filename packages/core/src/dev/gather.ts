/** Collects what happens in bursts: a save of an editor, a `git checkout`, a generator that writes a hundred files. */
export interface Gathering {
  add(path: string): void;
  /** What came meanwhile; it is still answered by `next`. */
  waiting(): readonly string[];
  /** What came since the last answer, once it is quiet; waits for something to come. Undefined when `stop` aborts. */
  next(stop: AbortSignal): Promise<readonly string[] | undefined>;
}

/** Milliseconds without a further change that end a burst, and the longest that a burst is waited out. */
export interface Calm {
  readonly quietMs: number;
  readonly mostMs: number;
}

export function createGathering({ quietMs, mostMs }: Calm, now: () => number): Gathering {
  const paths = new Set<string>();
  let first = 0;
  let last = 0;
  let wake: (() => void) | undefined;

  const woken = (ms: number | undefined, stop: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        stop.removeEventListener('abort', end);
        wake = undefined;
        resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(end, ms);
      stop.addEventListener('abort', end);
      wake = ms === undefined ? end : undefined;
    });

  return {
    add(path) {
      last = now();
      if (paths.size === 0) first = last;
      paths.add(path);
      wake?.();
    },
    waiting: () => [...paths],
    async next(stop) {
      for (;;) {
        if (stop.aborted) return undefined;
        if (paths.size === 0) {
          await woken(undefined, stop);
          continue;
        }
        // A clock that was set back ends the burst: better early than never.
        const left = Math.min(last + quietMs, first + mostMs) - now();
        if (left <= 0 || left > mostMs) {
          const all = [...paths];
          paths.clear();
          return all;
        }
        await woken(left, stop);
      }
    },
  };
}
