import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { guarded, makeFolder, namesIn, readText } from '../disk.js';
import { errnoOf, isRefusal, textOf } from '../refusal.js';

/** Rows of text on disk in files that follow each other; when there are too many, the oldest file goes. */
export interface Rows {
  /** Written soon. */
  add(row: string): void;
  /** Resolves once all that was added is written. */
  flush(): Promise<void>;
  /** All rows, newest first, file by file. */
  newest(): AsyncIterable<string[]>;
  /** The newest row that begins as the row of this id does. */
  find(id: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface RowsOptions {
  /** Made with the first row. */
  readonly dir: string;
  /** Told once in a while when rows could not be kept. */
  readonly lost: (text: string) => void;
  readonly fileBytes?: number;
  readonly fileRows?: number;
  readonly files?: number;
}

const FLUSH_MS = 50;
const PENDING_CHARS = 8 * 1024 * 1024;
const SAID_MS = 60_000;

export function openRows(options: RowsOptions): Rows {
  const files = createFiles(options);
  let pending: string[] = [];
  let pendingChars = 0;
  let timer: NodeJS.Timeout | undefined;
  let chain: Promise<unknown> = Promise.resolve();
  const losses = { rows: 0, said: Number.NEGATIVE_INFINITY };

  const serially = <T>(act: () => Promise<T>): Promise<T> => {
    const next = chain.then(act);
    chain = next.catch(() => undefined);
    return next;
  };
  const lose = (rows: number, why: string) => {
    losses.rows += rows;
    if (performance.now() - losses.said < SAID_MS) return;
    options.lost(`${losses.rows} activations were not kept: ${why}`);
    Object.assign(losses, { rows: 0, said: performance.now() });
  };
  const drain = async () => {
    clearTimeout(timer);
    timer = undefined;
    const now = pending;
    pending = [];
    pendingChars = 0;
    const problem = now.length === 0 ? undefined : await files.append(now);
    if (problem !== undefined) lose(now.length, problem);
  };
  /** File by file, newest first; what is added meanwhile is not part of it. */
  async function* texts(): AsyncGenerator<string> {
    const all = await serially(async () => {
      await drain();
      return files.numbers();
    });
    for (const number of all.reverse()) yield await files.read(number);
  }
  return {
    add(row) {
      if (pendingChars > PENDING_CHARS) return lose(1, 'too many at once');
      pending.push(row);
      pendingChars += row.length;
      timer ??= setTimeout(() => void serially(drain), FLUSH_MS);
    },
    flush: () => serially(drain),
    async *newest() {
      for await (const text of texts()) yield text.split('\n').reverse();
    },
    async find(id) {
      for await (const text of texts()) {
        const row = rowOf(text, id);
        if (row !== undefined) return row;
      }
      return undefined;
    },
    close: () => serially(drain),
  };
}

function rowOf(file: string, id: string): string | undefined {
  const text = `\n${file}`;
  const begin = `\n{"id":${JSON.stringify(id)},`;
  for (let at = text.lastIndexOf(begin); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(begin, at - 1)) {
    const end = text.indexOf('\n', at + 1);
    // One that was cut off is not told; there may be an earlier state of it.
    if (end > 0 && text[end - 1] === '}') return text.slice(at + 1, end);
  }
  return undefined;
}

interface Files {
  /** What went wrong, when they could not be written. */
  append(rows: readonly string[]): Promise<string | undefined>;
  /** Oldest first. */
  numbers(): Promise<number[]>;
  read(number: number): Promise<string>;
}

function createFiles({ dir, fileBytes = 2 * 1024 * 1024, fileRows = 2_500, files = 8 }: RowsOptions): Files {
  /** The file that is written to; undefined until the first row of this life, and after one that failed. */
  let last: { readonly number: number; bytes: number; rows: number } | undefined;
  const fileOf = (number: number) => join(dir, `${String(number).padStart(8, '0')}.jsonl`);
  const numbers = async () =>
    (await namesIn(dir)).map((name) => Number.parseInt(name, 10)).filter((number) => number > 0);
  const read = async (number: number) => (await readText(fileOf(number))) ?? '';

  async function reopen() {
    await makeFolder(dir);
    const number = (await numbers()).at(-1) ?? 1;
    const text = await read(number);
    // A row that was cut off must not take the next with it.
    if (text !== '' && !text.endsWith('\n')) await appendFile(fileOf(number), '\n');
    return { number, bytes: Buffer.byteLength(text), rows: text.split('\n').length };
  }
  async function follow(number: number) {
    const all = await numbers();
    for (const old of all.slice(0, Math.max(0, all.length + 1 - files)))
      await rm(fileOf(old), { force: true });
    return { number, bytes: 0, rows: 0 };
  }
  return {
    numbers,
    read,
    async append(rows) {
      const text = `${rows.join('\n')}\n`;
      try {
        last ??= await reopen();
        if (last.bytes > fileBytes || last.rows >= fileRows) last = await follow(last.number + 1);
        const path = fileOf(last.number);
        await guarded(() => appendFile(path, text, { mode: 0o600 }));
        last.bytes += Buffer.byteLength(text);
        last.rows += rows.length;
        return undefined;
      } catch (error) {
        // A full disk, or a stage that was taken away meanwhile: calls go on without their rows.
        if (errnoOf(error) === undefined && !isRefusal(error)) throw error;
        last = undefined;
        return textOf(error);
      }
    },
  };
}
