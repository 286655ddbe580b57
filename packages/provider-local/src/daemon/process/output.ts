import type { Readable } from 'node:stream';

/** Longest line in bytes that waits for its end; a longer one is given in parts. */
const OPEN_LINE = 64 * 1024;
/** What one stream of one instance may write in a second; of what is more, only the number of lines is told. */
const BUDGET_BYTES = 1024 * 1024;
/** Beyond its budget a stream is read so much at a time, with a pause between: its writer waits, and this process does not. */
const SLICE_BYTES = 256 * 1024;
const PAUSE_MS = 5;

const NEWLINE = 0x0a;

export interface OutputEvents {
  line(text: string): void;
  /** So many lines were left out since it was told last. */
  dropped(lines: number): void;
  /** The mark came: what came before it was written before it. */
  mark(): void;
}

export interface OutputOptions {
  /** Ends what belongs together; the program writes it between other things, with or without an end of line before. */
  readonly mark?: string;
  readonly now: () => number;
}

/** Lines of what a process writes, within bounds whatever it writes. */
export function readOutput(stream: Readable, events: OutputEvents, options: OutputOptions): void {
  const mark = options.mark === undefined ? undefined : Buffer.from(options.mark);
  let open: Buffer = Buffer.alloc(0);
  let second = 0;
  let spent = 0;
  let slice = 0;
  let dropped = 0;
  const tell = () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    events.dropped(lines);
  };
  const line = (bytes: Buffer) => {
    const end = bytes.length > 0 && bytes[bytes.length - 1] === 0x0d ? bytes.length - 1 : bytes.length;
    events.line(bytes.toString('utf8', 0, end));
  };
  /** Whole lines of `bytes`, without marks; what has no end of line yet stays open. */
  const lines = (bytes: Buffer) => {
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      line(bytes.subarray(from, at));
      from = at + 1;
    }
    open = bytes.subarray(from);
    // What may be the beginning of a mark is not given away.
    while (open.length > OPEN_LINE + (mark?.length ?? 0)) {
      line(open.subarray(0, OPEN_LINE));
      open = open.subarray(OPEN_LINE);
    }
  };
  const over = () => spent > BUDGET_BYTES;
  const some = (bytes: Buffer) => {
    if (!over()) return lines(bytes);
    dropped += count(bytes);
    // Only what a mark may begin with must stay.
    open = bytes.subarray(Math.max(bytes.lastIndexOf(NEWLINE) + 1, bytes.length - OPEN_LINE));
  };
  const close = () => {
    if (open.length > 0) {
      if (over()) dropped += 1;
      else line(open);
    }
    open = Buffer.alloc(0);
  };
  const budget = (size: number) => {
    const now = Math.floor(options.now() / 1000);
    if (now !== second) {
      tell();
      second = now;
      spent = 0;
      slice = 0;
    }
    spent += size;
    if (!over()) return;
    slice += size;
    if (slice < SLICE_BYTES) return;
    slice = 0;
    stream.pause();
    setTimeout(() => stream.resume(), PAUSE_MS);
  };
  stream.on('data', (chunk: Buffer) => {
    budget(chunk.length);
    let bytes = open.length === 0 ? chunk : Buffer.concat([open, chunk]);
    for (let at = mark === undefined ? -1 : bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark!)) {
      some(bytes.subarray(0, at));
      close();
      tell();
      events.mark();
      bytes = bytes.subarray(at + mark!.length);
    }
    some(bytes);
  });
  stream.on('end', () => {
    close();
    tell();
  });
}

function count(bytes: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) found += 1;
  return found;
}
