import type { Answer, FromWorker } from '../calls.js';

/** Sends a message to the engine; what is listed is handed over instead of copied. */
export type Tell = (message: FromWorker, transfer?: ArrayBuffer[]) => void;

/** Gathers answers and sends those of one turn of the event loop together. */
export interface Answers {
  /** Calls were begun: said with the answers of this turn, or alone when it has none. */
  begun(calls: number): void;
  put(answer: Answer): void;
  /** Sends what there is now. */
  flush(): void;
}

/** Bodies from this size on are handed over instead of copied. */
const TRANSFER_BYTES = 16 * 1024;

/** `before` runs before anything is sent. */
export function createAnswers(tell: Tell, before: () => void): Answers {
  let answers: Answer[] = [];
  let transfer: ArrayBuffer[] = [];
  let took = 0;
  let told = 0;
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    before();
    if (answers.length > 0) {
      const [now, handed] = [answers, transfer];
      answers = [];
      transfer = [];
      tell({ kind: 'answers', took, answers: now }, handed.length === 0 ? undefined : handed);
    } else if (told !== took) tell({ kind: 'took', took });
    told = took;
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
  return {
    begun(calls) {
      took += calls;
      schedule();
    },
    put(answer) {
      const body = answer[3];
      if (body instanceof Uint8Array && body.byteLength >= TRANSFER_BYTES)
        transfer.push(body.buffer as ArrayBuffer);
      answers.push(answer);
      schedule();
    },
    flush,
  };
}

/** Bodies up to this size are sent as text, which costs a fraction of a buffer: latin1 keeps every byte. */
const TEXT_BYTES = 4 * 1024;

/** A body as it is sent. */
export function sendable(bytes: Uint8Array): Uint8Array | string {
  if (bytes.byteLength > TEXT_BYTES) return own(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/**
 * A copy that holds these bytes alone: a view on a larger buffer would be sent with all of it, and what is handed over is
 * gone for a handler that meant to use it again.
 */
export function own(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
