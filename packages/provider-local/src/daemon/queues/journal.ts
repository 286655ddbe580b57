import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { guarded, syncFolder } from '../disk.js';
import { errnoOf, textOf } from '../refusal.js';
import { lineBytes, linesOf, type Place, readRecord, replayRecords } from './journal-lines.js';

export type { Place } from './journal-lines.js';

/**
 * A file to which records are only ever added: one per line, `<crc32> <text>`. Many that are appended meanwhile share one
 * write and one sync. A line that a kill cut off is dropped by the next start; nothing that was answered is in it.
 */
export interface Journal {
  /**
   * Resolves once the records are on disk; throws SFX6004 when it is full, and none of them is kept then. `landed` is
   * called before anything that was asked for later is done.
   */
  append(texts: readonly string[], landed?: Landed): Promise<void>;
  /** Written with the next group and not synced for its own sake: a kill of the daemon keeps it, a power cut may not. */
  note(text: string): void;
  /** Text of a record; undefined when it is damaged. */
  read(place: Place): string | undefined;
  /**
   * Begins the file anew with what `content` gives at its turn: records to be copied, and new ones. `moved` gets the new
   * places of the copied ones, in that order; undefined for one that is damaged. The old file stays when it fails.
   */
  rewrite(content: () => Iterable<Place | string>, moved: Moved): Promise<void>;
  /** Bytes of the file. */
  size(): number;
  /** After what was asked for is done. */
  close(): Promise<void>;
}

export type Landed = (places: readonly Place[]) => void;
export type Moved = (places: readonly (Place | undefined)[]) => void;

export interface JournalOptions {
  readonly path: string;
  /** Takes each record of the file, in order. */
  replay(text: string, place: Place): void;
  /** Takes what a person has to know: records that are damaged, notes that were not written. */
  log(text: string): void;
}

interface Append {
  readonly kind: 'append';
  readonly texts: readonly string[];
  readonly synced: boolean;
  readonly landed: Landed | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Rewrite {
  readonly kind: 'rewrite';
  readonly act: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface State {
  readonly options: JournalOptions;
  file: FileHandle;
  size: number;
  jobs: (Append | Rewrite)[];
  working: Promise<void> | undefined;
}

/** Bytes that one group, and one step of a rewrite, takes about. */
const GROUP_BYTES = 1024 * 1024;

export async function openJournal(options: JournalOptions): Promise<Journal> {
  const file = await guarded(() => openFile(options.path));
  const { size, damaged, firstDamage } = await replayRecords(file, options.replay);
  if (damaged > 0)
    options.log(`${options.path}: ${damaged} damaged records from byte ${firstDamage} on are left out`);
  // What a kill cut off would else be the beginning of the next record.
  await file.truncate(size);
  const state: State = { options, file, size, jobs: [], working: undefined };
  return {
    append: (texts, landed) =>
      new Promise((resolve, reject) =>
        ask(state, { kind: 'append', texts, synced: true, landed, resolve, reject }),
      ),
    note: (text) => note(state, text),
    read: (place) => readRecord(state.file, place),
    rewrite: (content, moved) =>
      new Promise((resolve, reject) =>
        ask(state, { kind: 'rewrite', act: () => rewrite(state, content, moved), resolve, reject }),
      ),
    size: () => state.size,
    async close() {
      while (state.working !== undefined) await state.working;
      await state.file.close();
    },
  };
}

/** Made when it is not there, and its name is on disk before anything in it is said to be. */
async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  const file = await open(path, 'wx+', 0o600);
  await syncFolder(dirname(path));
  return file;
}

function note(state: State, text: string): void {
  ask(state, {
    kind: 'append',
    texts: [text],
    synced: false,
    landed: undefined,
    resolve: () => undefined,
    reject: (error) => state.options.log(`${state.options.path}: a note was not written: ${textOf(error)}`),
  });
}

function ask(state: State, job: Append | Rewrite): void {
  state.jobs.push(job);
  state.working ??= work(state);
}

async function work(state: State): Promise<void> {
  // What the same turn of the event loop asks for is one group.
  await Promise.resolve();
  while (state.jobs.length > 0) {
    const first = state.jobs[0]!;
    if (first.kind === 'append') await write(state, takeGroup(state));
    else {
      state.jobs.shift();
      await first.act().then(first.resolve, first.reject);
    }
  }
  // In the same turn as the last look at the list: nothing asked for is left lying.
  state.working = undefined;
}

function takeGroup(state: State): Append[] {
  const group: Append[] = [];
  let bytes = 0;
  for (const job of state.jobs) {
    if (job.kind !== 'append' || bytes > GROUP_BYTES) break;
    group.push(job);
    for (const text of job.texts) bytes += text.length;
  }
  state.jobs = state.jobs.slice(group.length);
  return group;
}

async function write(state: State, group: readonly Append[]): Promise<void> {
  const texts = group.flatMap((job) => job.texts);
  const { lines, places } = linesOf(texts, state.size);
  try {
    await guarded(async () => {
      await writeAll(state.file, lines, state.size);
      if (group.some((job) => job.synced)) await state.file.datasync();
    });
  } catch (error) {
    // If this fails too, what is there of it is written over by the next group, or cut off for the next start.
    await state.file.truncate(state.size).catch(() => undefined);
    for (const job of group) job.reject(error);
    return;
  }
  state.size += lines.length;
  let from = 0;
  for (const job of group) {
    job.landed?.(places.slice(from, from + job.texts.length));
    from += job.texts.length;
    job.resolve();
  }
}

async function writeAll(file: FileHandle, data: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    done += (await file.write(data, done, data.length - done, at + done)).bytesWritten;
  }
}

async function rewrite(state: State, content: () => Iterable<Place | string>, moved: Moved): Promise<void> {
  const { path } = state.options;
  const aside = `${path}.tmp`;
  const old = state.file;
  await guarded(async () => {
    const next = await open(aside, 'w+', 0o600);
    try {
      const { places, size } = await copy(old, next, content());
      await next.datasync();
      await rename(aside, path);
      state.file = next;
      state.size = size;
      moved(places);
    } catch (error) {
      await next.close();
      await rm(aside, { force: true });
      throw error;
    }
    await old.close();
    await syncFolder(dirname(path));
  });
}

async function copy(
  old: FileHandle,
  next: FileHandle,
  content: Iterable<Place | string>,
): Promise<{ places: (Place | undefined)[]; size: number }> {
  const places: (Place | undefined)[] = [];
  let size = 0;
  let texts: string[] = [];
  let bytes = 0;
  const flush = async () => {
    const { lines } = linesOf(texts, size);
    await writeAll(next, lines, size);
    size += lines.length;
    texts = [];
    bytes = 0;
  };
  for (const piece of content) {
    const copied = typeof piece !== 'string';
    const text = copied ? readRecord(old, piece) : piece;
    if (copied) places.push(text === undefined ? undefined : { at: size + bytes, bytes: piece.bytes });
    if (text === undefined) continue;
    texts.push(text);
    bytes += lineBytes(text) + 1;
    if (bytes > GROUP_BYTES) await flush();
  }
  await flush();
  return { places, size };
}
