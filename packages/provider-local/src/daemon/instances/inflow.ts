import { WINDOW } from './instance.js';

/** A streamed answer on its way from an instance to whoever reads it. */
export interface Inflow {
  readonly chunks: AsyncIterable<Uint8Array>;
  put(bytes: Uint8Array): void;
  /** No further chunk comes; with a problem, whoever reads finds that after the chunks that came. */
  end(problem?: string): void;
}

export interface InflowOptions {
  /** So many bytes were read. */
  taken(bytes: number): void;
  /** Whoever read has stopped before the end. */
  stopped(): void;
}

/** Bytes are told to be taken in parts of this size, not chunk by chunk. */
const PART = WINDOW / 4;

export function createInflow({ taken, stopped }: InflowOptions): Inflow {
  const waiting: Uint8Array[] = [];
  let over: { readonly problem?: string } | undefined;
  let wake: (() => void) | undefined;
  let untold = 0;
  const told = (bytes: number) => {
    untold += bytes;
    if (untold < PART && waiting.length > 0) return;
    taken(untold);
    untold = 0;
  };
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    for (;;) {
      const bytes = waiting.shift();
      if (bytes !== undefined) {
        if (over === undefined) told(bytes.byteLength);
        return { done: false, value: bytes };
      }
      if (over?.problem !== undefined) throw new Error(over.problem);
      if (over !== undefined) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    chunks: {
      [Symbol.asyncIterator]: () => ({
        next,
        return: async () => {
          if (over === undefined) {
            over = {};
            stopped();
          }
          waiting.length = 0;
          wake?.();
          return { done: true, value: undefined };
        },
      }),
    },
    put(bytes) {
      if (over !== undefined) return;
      waiting.push(bytes);
      wake?.();
    },
    end(problem) {
      over ??= problem === undefined ? {} : { problem };
      wake?.();
    },
  };
}
