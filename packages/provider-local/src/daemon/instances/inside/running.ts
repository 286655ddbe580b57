import { AsyncLocalStorage } from 'node:async_hooks';

/** A call that this instance works on. */
export interface Running {
  readonly id: number;
  readonly requestId: string;
  readonly depth: number;
  /** `traceparent`, or an empty text. */
  readonly trace: string;
}

export interface RunningCalls {
  /** Begins it, and runs the part of it that is not asynchronous. */
  run<T>(call: Running, act: (call: Running) => T): T;
  end(call: Running): void;
  size(): number;
  /** The call that runs now, as far as its output goes: what is left over of an earlier one counts as its. */
  mine(): Running | undefined;
  /** The call that led to the code that runs now, also when that call is over. */
  origin(): Running | undefined;
  /** Depth of the deepest call; 0 without one. */
  deepest(): number;
}

/**
 * Which call a line or a request is of. That is certain in the first, synchronous part of a call, and while a single call
 * runs. Beyond that it takes an AsyncLocalStorage, which slows down every promise of the instance: so it is used from
 * the first time on that somebody asked and could not be told.
 */
export function runningCalls(): RunningCalls {
  const all = new Set<Running>();
  let storage: AsyncLocalStorage<Running> | undefined;
  let now: Running | undefined;
  return {
    run(call, act) {
      all.add(call);
      const before = now;
      now = call;
      try {
        return storage === undefined ? act(call) : storage.run(call, act, call);
      } finally {
        now = before;
      }
    },
    end: (call) => void all.delete(call),
    size: () => all.size,
    mine() {
      const found = now ?? storage?.getStore();
      if (found !== undefined) return found;
      if (all.size === 1) return all.values().next().value;
      if (all.size > 1) storage ??= new AsyncLocalStorage();
      return undefined;
    },
    origin() {
      storage ??= new AsyncLocalStorage();
      return now ?? storage.getStore();
    },
    deepest() {
      let depth = 0;
      for (const call of all) depth = Math.max(depth, call.depth);
      return depth;
    },
  };
}
