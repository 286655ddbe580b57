import { appendFile, rename, stat } from 'node:fs/promises';
import { guarded, readText } from '../disk.js';
import { errnoOf, isRefusal, textOf } from '../refusal.js';

export type LogStream = 'stdout' | 'stderr' | 'engine';

export interface Line {
  /** ISO 8601. */
  readonly at: string;
  readonly stream: LogStream;
  readonly text: string;
  /** Id of the call that wrote it, where that is known. */
  readonly activation?: string;
}

/** Which lines are meant. */
export interface LinesQuery {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Also those to come. */
  readonly follow: boolean;
  /** Those of one call. */
  readonly activation?: string;
}

/** What one version wrote. Bounded on disk and in memory: a handler that writes gigabytes costs lines, not the machine. */
export interface VersionLog {
  write(stream: LogStream, text: string, activation?: string): void;
  /** As they were written; those to come until `signal` aborts. */
  read(query: LinesQuery, signal: AbortSignal): AsyncIterable<Line>;
  flush(): Promise<void>;
}

const FILE_BYTES = 4 * 1024 * 1024;
const LINE_CHARS = 16 * 1024;
const PENDING_CHARS = 1024 * 1024;
const FLUSH_MS = 60;
const FOLLOW_LINES = 10_000;

export function versionLog(path: string, now: () => number): VersionLog {
  let pending: string[] = [];
  let pendingChars = 0;
  const lost = losses(now);
  /** What is in the file may end within a row: nothing was written in this life, or not all of the last text. */
  let cut = true;
  let timer: NodeJS.Timeout | undefined;
  let chain: Promise<unknown> = Promise.resolve();
  const listeners = new Set<(line: Line) => void>();

  const serially = <T>(act: () => Promise<T>): Promise<T> => {
    const next = chain.then(act);
    chain = next.catch(() => undefined);
    return next;
  };

  async function drain(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const rows = pending;
    const told = lost.take();
    pending = [];
    pendingChars = 0;
    if (rows.length + told.lines.length === 0) return;
    const text = [...rows, ...told.lines.map(encode)].join('\n');
    // A row that was cut off must not take the next with it; an empty row is none.
    const problem = await append(path, `${cut ? '\n' : ''}${text}\n`);
    cut = problem !== undefined;
    if (problem === undefined) return;
    told.back();
    lost.add(rows.length, problem);
  }

  return {
    write(stream, text, activation) {
      const line: Line = {
        at: iso(now()),
        stream,
        text: text.length > LINE_CHARS ? `${text.slice(0, LINE_CHARS)} …` : text,
        ...(activation === undefined ? undefined : { activation }),
      };
      for (const listener of listeners) listener(line);
      if (pendingChars > PENDING_CHARS) {
        lost.add(1, 'too many at once');
        return;
      }
      pending.push(encode(line));
      pendingChars += text.length;
      timer ??= setTimeout(() => void serially(drain), FLUSH_MS);
    },
    flush: () => serially(drain),
    async *read({ since, follow, activation }, signal) {
      const meant = (line: Line) => activation === undefined || line.activation === activation;
      const coming = follow ? inbox(signal, meant) : undefined;
      // Nothing is appended while this runs: a line is in what was read, or comes to the listener, never both.
      const past = await serially(async () => {
        await drain();
        if (coming !== undefined) listeners.add(coming.put);
        return [...decode(await readText(`${path}.1`)), ...decode(await readText(path)), ...lost.lines()];
      });
      try {
        yield* past.filter((line) => meant(line) && Date.parse(line.at) >= since);
        if (coming !== undefined) yield* coming.lines();
      } finally {
        if (coming !== undefined) listeners.delete(coming.put);
      }
    },
  };
}

/** Lines that are not kept, by why, for as long as the log itself does not say so. */
function losses(now: () => number) {
  let all = new Map<string, number>();
  const add = (lines: number, why: string) => {
    if (lines > 0) all.set(why, (all.get(why) ?? 0) + lines);
  };
  const lines = (): Line[] =>
    [...all].map(([why, count]) => ({
      at: iso(now()),
      stream: 'engine',
      text: `${count} ${count === 1 ? 'line was' : 'lines were'} dropped: ${why}`,
    }));
  return {
    add,
    lines,
    /** What is about to be written; `back` when it could not be. */
    take() {
      const taken = all;
      const told = lines();
      all = new Map();
      return { lines: told, back: () => taken.forEach(add) };
    },
  };
}

/** Lines that wait for a reader; a reader that is too slow misses the oldest. */
function inbox(
  signal: AbortSignal,
  meant: (line: Line) => boolean,
): { put(line: Line): void; lines(): AsyncIterable<Line> } {
  let waiting: Line[] = [];
  let wake: (() => void) | undefined;
  signal.addEventListener('abort', () => wake?.(), { once: true });
  return {
    put(line) {
      if (!meant(line)) return;
      waiting.push(line);
      if (waiting.length > FOLLOW_LINES) waiting.shift();
      wake?.();
    },
    async *lines() {
      while (!signal.aborted) {
        const now = waiting;
        waiting = [];
        yield* now;
        if (waiting.length > 0 || signal.aborted) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** Appends, and begins a new file when this one is full. Why the text was lost, when it was. */
async function append(path: string, text: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    if (size > FILE_BYTES) await rename(path, `${path}.1`);
    await guarded(() => appendFile(path, text, { mode: 0o600 }));
    return undefined;
  } catch (error) {
    // A full disk, or a version that was removed meanwhile: its log must not take the engine down.
    if (errnoOf(error) === undefined && !isRefusal(error)) throw error;
    return textOf(error);
  }
}

/** `[at, stream, text]`, and the activation where there is one. */
function encode({ at, stream, text, activation }: Line): string {
  return JSON.stringify(activation === undefined ? [at, stream, text] : [at, stream, text, activation]);
}

function decode(text: string | undefined): Line[] {
  const found: Line[] = [];
  for (const row of (text ?? '').split('\n')) {
    const line = parse(row);
    if (line !== undefined) found.push(line);
  }
  return found;
}

/** A row that was cut off by a kill or a full disk is left out. */
function parse(row: string): Line | undefined {
  if (!row.endsWith(']')) return undefined;
  try {
    const [at, stream, text, activation] = JSON.parse(row) as [string, LogStream, string, string?];
    return { at, stream, text, ...(activation === undefined ? undefined : { activation }) };
  } catch {
    return undefined;
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
