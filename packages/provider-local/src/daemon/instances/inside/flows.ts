import { WINDOW } from '../instance.js';
import { own, type Tell } from './answers.js';

/** Answers that are sent in chunks, no faster than they are read. */
export interface Flows {
  /** Resolves when the answer is whole, was cancelled, or broke off; it does not reject. */
  send(id: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  taken(id: number, bytes: number): void;
  /** Stops the answer, and what makes it. */
  cancel(id: number): void;
}

interface Flow {
  left: number;
  cancelled: boolean;
  /** Ends a wait for room, or, of an answer that was cancelled, for its next chunk. */
  wake: () => void;
}

/** `failed` is told what a handler's own code threw on the way. */
export function createFlows(tell: Tell, failed: (thrown: unknown) => void): Flows {
  const flows = new Map<number, Flow>();

  const run = async (id: number, flow: Flow, iterator: AsyncIterator<Uint8Array>): Promise<void> => {
    for (;;) {
      const next = await Promise.race([
        iterator.next(),
        new Promise<undefined>((resolve) => {
          flow.wake = () => resolve(undefined);
        }),
      ]);
      if (flow.cancelled || next === undefined) {
        // A generator that waits for something only ends after it: nobody waits for that.
        iterator.return?.().then(undefined, failed);
        return;
      }
      if (next.done === true) return;
      const bytes = bytesOf(next.value);
      // What is handed over has no length any more.
      flow.left -= bytes.byteLength;
      if (bytes.byteLength > 0) tell({ kind: 'chunk', id, bytes }, [bytes.buffer as ArrayBuffer]);
      while (flow.left <= 0 && !flow.cancelled) {
        await new Promise<void>((resolve) => {
          flow.wake = resolve;
        });
      }
    }
  };

  return {
    async send(id, chunks) {
      const flow: Flow = { left: WINDOW, cancelled: false, wake: () => undefined };
      flows.set(id, flow);
      try {
        await run(id, flow, chunks[Symbol.asyncIterator]());
        tell({ kind: 'ended', id });
      } catch (thrown) {
        failed(thrown);
        tell({ kind: 'ended', id, problem: thrown instanceof Error ? thrown.message : String(thrown) });
      } finally {
        flows.delete(id);
      }
    },
    taken(id, bytes) {
      const flow = flows.get(id);
      if (flow === undefined) return;
      const waited = flow.left <= 0;
      flow.left += bytes;
      if (waited && flow.left > 0) flow.wake();
    },
    cancel(id) {
      const flow = flows.get(id);
      if (flow === undefined) return;
      flow.cancelled = true;
      flow.wake();
    },
  };
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return own(chunk);
  if (typeof chunk === 'string') return new TextEncoder().encode(chunk);
  throw new TypeError(
    `a streamed body gave ${chunk === null ? 'null' : `a ${typeof chunk}`} instead of bytes`,
  );
}
