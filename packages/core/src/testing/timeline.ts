interface Sleeper {
  readonly due: number;
  readonly seq: number;
  readonly wake: () => void;
}

export interface Timeline {
  now(): number;
  /** Calls `wake` at `due`; the answer takes it back. */
  at(due: number, wake: () => void): () => void;
  /** Time stands still while `act` is under way. */
  hold<T>(act: () => Promise<T>): Promise<T>;
  /** Around a sleep of who has a call under way, so that a call that sleeps inside does not wait for itself. */
  letGo<T>(act: () => Promise<T>): Promise<T>;
  /** Nobody who sleeps is woken any more. */
  stop(): void;
}

/**
 * Wakes one sleeper at a time, the earliest first, and only after two turns of the event loop in which nobody
 * called, slept or waited for a file. So the same seed gives the same order of everything.
 */
export function timeline(start: number): Timeline {
  let now = start;
  let seq = 0;
  let activity = 0;
  let held = 0;
  let watching = false;
  let stopped = false;
  const sleepers = new Set<Sleeper>();

  const idle = () =>
    held <= 0 && !process.getActiveResourcesInfo().some((resource) => resource.startsWith('FSReq'));

  function watch(seen: number, quiet: number): void {
    setImmediate(() => {
      if (sleepers.size === 0) {
        watching = false;
      } else if (activity !== seen || !idle()) {
        watch(activity, 0);
      } else if (quiet < 1) {
        watch(activity, quiet + 1);
      } else {
        wakeNext();
        watch(activity, 0);
      }
    });
  }

  function change(by: number): void {
    held += by;
    activity += 1;
  }

  function wakeNext(): void {
    const next = [...sleepers].reduce((a, b) =>
      b.due < a.due || (b.due === a.due && b.seq < a.seq) ? b : a,
    );
    sleepers.delete(next);
    now = Math.max(now, next.due);
    next.wake();
  }

  return {
    now: () => now,
    at(due, wake) {
      if (stopped) return () => undefined;
      const sleeper = { due, seq: seq++, wake };
      sleepers.add(sleeper);
      activity += 1;
      if (!watching) {
        watching = true;
        watch(activity, 0);
      }
      return () => {
        sleepers.delete(sleeper);
      };
    },
    stop() {
      stopped = true;
      sleepers.clear();
    },
    async hold(act) {
      change(1);
      try {
        return await act();
      } finally {
        change(-1);
      }
    },
    async letGo(act) {
      change(-1);
      try {
        return await act();
      } finally {
        change(1);
      }
    },
  };
}
