import { StringDecoder } from 'node:string_decoder';
import type { FromWorker, Written } from '../calls.js';

/** What an instance writes, in lines, on its way to the engine. */
export interface Output {
  write(stream: 'stdout' | 'stderr', chunk: unknown, encoding?: unknown): void;
  /** Sends what there is, and lines that have no end yet when `all`. */
  flush(all?: boolean): void;
}

export interface OutputOptions {
  tell(message: Extract<FromWorker, { kind: 'wrote' }>): void;
  /** Request id of the call that writes now, or an empty text. */
  mine(): string;
  /** Milliseconds, never going back. */
  now(): number;
}

/** Characters that are kept of what an instance writes in a second. */
export const BUDGET = 1024 * 1024;
/** Longest text that waits for its end of line. */
const OPEN_LINE = 16 * 1024;
/** A batch of this size does not wait for the end of the turn: a handler that never yields would never send it. */
const BATCH = 64 * 1024;
const BATCH_MS = 10;
const SECOND_MS = 1000;

interface Open {
  readonly decoder: StringDecoder;
  text: string;
  activation: string;
}

export function createOutput({ tell, mine, now }: OutputOptions): Output {
  const open = { stdout: opened(), stderr: opened() };
  const outbox = createOutbox(tell, now);
  const budget = createBudget(now, (text) => {
    outbox.put('engine', text, '');
    outbox.send();
  });
  const close = (stream: 'stdout' | 'stderr') => {
    const part = open[stream];
    if (part.text !== '') outbox.put(stream, part.text, part.activation);
    part.text = '';
  };
  return {
    write(stream, chunk, encoding) {
      const part = open[stream];
      const activation = mine();
      if (part.activation !== activation) close(stream);
      part.activation = activation;
      const whole = textOf(part.decoder, chunk, encoding);
      const kept = budget.take(whole.length);
      const rows = (part.text + (kept < whole.length ? whole.slice(0, kept) : whole)).split('\n');
      part.text = rows.pop() ?? '';
      for (const row of rows) outbox.put(stream, row, activation);
      while (part.text.length > OPEN_LINE) {
        outbox.put(stream, part.text.slice(0, OPEN_LINE), activation);
        part.text = part.text.slice(OPEN_LINE);
      }
      outbox.due();
    },
    flush(all = false) {
      if (all) {
        close('stdout');
        close('stderr');
        budget.tell();
      }
      outbox.send();
    },
  };
}

/** Lines that wait to be sent together. */
function createOutbox(tell: OutputOptions['tell'], now: () => number) {
  let lines: Written[] = [];
  let chars = 0;
  let scheduled = false;
  let sentAt = now() - BATCH_MS;
  const send = () => {
    scheduled = false;
    if (lines.length === 0) return;
    const batch = lines;
    lines = [];
    chars = 0;
    sentAt = now();
    tell({ kind: 'wrote', lines: batch });
  };
  return {
    send,
    put(stream: Written[0], text: string, activation: string) {
      lines.push([stream, text.endsWith('\r') ? text.slice(0, -1) : text, activation]);
      chars += text.length;
    },
    /** Sends at the end of this turn; at once where that may be far away. */
    due() {
      if (chars >= BATCH || now() - sentAt >= BATCH_MS) send();
      else if (!scheduled && lines.length > 0) {
        scheduled = true;
        setImmediate(send);
      }
    },
  };
}

/** Counts what is more than `BUDGET` in a second, and says so once for each second. */
function createBudget(now: () => number, say: (text: string) => void) {
  let second = now();
  let spent = 0;
  let over = 0;
  const tell = () => {
    if (over === 0) return;
    const text = `${sizeOf(over)} of output were not kept: an instance may write 1 MB in a second`;
    over = 0;
    say(text);
  };
  return {
    tell,
    /** How much of so many characters may be kept. */
    take(wanted: number): number {
      const at = now();
      if (at - second >= SECOND_MS) {
        second = at;
        spent = 0;
        tell();
      }
      const part = Math.min(wanted, BUDGET - spent);
      if (part < wanted && over === 0) setTimeout(tell, SECOND_MS).unref();
      over += wanted - part;
      spent += part;
      return part;
    },
  };
}

function opened(): Open {
  return { decoder: new StringDecoder('utf8'), text: '', activation: '' };
}

function textOf(decoder: StringDecoder, chunk: unknown, encoding: unknown): string {
  if (typeof chunk !== 'string') return decoder.write(Buffer.from(chunk as Uint8Array));
  return typeof encoding === 'string' && !/^utf-?8$/i.test(encoding)
    ? decoder.write(Buffer.from(chunk, encoding as BufferEncoding))
    : chunk;
}

function sizeOf(chars: number): string {
  return chars < 1024 * 1024 ? `${Math.ceil(chars / 1024)} KB` : `${(chars / 1024 / 1024).toFixed(1)} MB`;
}
