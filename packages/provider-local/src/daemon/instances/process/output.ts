import type { Readable } from 'node:stream';

/** Longest line in bytes that waits for its end; a longer one is given in parts. */
const OPEN_LINE = 64 * 1024;
/** What one stream of one instance may write in a second; of what is more, only the number of lines is told. */
const BUDGET_BYTES = 1024 * 1024;
/** Beyond its budget a stream is read so much at a time, with a pause between: its writer waits, and this process does not. */
const SLICE_BYTES = 256 * 1024;
const PAUSE_MS = 5;

/** How often it is told how much was left out. */
const TELL_MS = 1_000;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

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
  const budget = createBudget(stream, events, options);
  const lines = createLines(events, budget, mark?.length ?? 0);
  stream.on('data', (chunk: Buffer) => {
    budget.spend(chunk.length);
    let bytes = lines.withOpen(chunk);
    for (let at = mark === undefined ? -1 : bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark!)) {
      lines.some(bytes.subarray(0, at));
      lines.close();
      budget.tell();
      events.mark();
      bytes = bytes.subarray(at + mark!.length);
    }
    lines.some(bytes);
  });
  stream.on('end', () => {
    lines.close();
    budget.tell();
  });
}

interface Budget {
  spend(bytes: number): void;
  over(): boolean;
  drop(lines: number): void;
  tell(): void;
}

function createBudget(stream: Readable, events: OutputEvents, { now }: OutputOptions): Budget {
  let second = 0;
  let spent = 0;
  let slice = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    const lines = dropped;
    dropped = 0;
    if (lines > 0) events.dropped(lines);
  };
  return {
    over: () => spent > BUDGET_BYTES,
    drop(lines) {
      dropped += lines;
      if (lines > 0) timer ??= setTimeout(tell, TELL_MS).unref();
    },
    tell,
    spend(bytes) {
      const current = Math.floor(now() / 1000);
      if (current !== second) {
        second = current;
        spent = 0;
        slice = 0;
      }
      spent += bytes;
      slice += bytes;
      if (spent <= BUDGET_BYTES || slice < SLICE_BYTES) return;
      slice = 0;
      stream.pause();
      setTimeout(() => stream.resume(), PAUSE_MS);
    },
  };
}

interface Lines {
  /** What has no end of line yet, and this behind it. */
  withOpen(chunk: Buffer): Buffer;
  /** Whole lines of `bytes`, without marks; what has no end of line yet stays open. */
  some(bytes: Buffer): void;
  /** Gives what is open as a line. */
  close(): void;
}

function createLines(events: OutputEvents, budget: Budget, markLength: number): Lines {
  let open: Buffer = Buffer.alloc(0);
  const line = (bytes: Buffer) => {
    const end = bytes.length > 0 && bytes[bytes.length - 1] === RETURN ? bytes.length - 1 : bytes.length;
    events.line(bytes.toString('utf8', 0, end));
  };
  return {
    withOpen: (chunk) => (open.length === 0 ? chunk : Buffer.concat([open, chunk])),
    some(bytes) {
      if (budget.over()) {
        budget.drop(count(bytes));
        open = bytes.subarray(Math.max(bytes.lastIndexOf(NEWLINE) + 1, bytes.length - OPEN_LINE));
        return;
      }
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
        line(bytes.subarray(from, at));
        from = at + 1;
      }
      open = bytes.subarray(from);
      // What may be the beginning of a mark is not given away.
      while (open.length > OPEN_LINE + markLength) {
        line(open.subarray(0, OPEN_LINE));
        open = open.subarray(OPEN_LINE);
      }
    },
    close() {
      if (open.length > 0) {
        if (budget.over()) budget.drop(1);
        else line(open);
      }
      open = Buffer.alloc(0);
    },
  };
}

function count(bytes: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) found += 1;
  return found;
}
