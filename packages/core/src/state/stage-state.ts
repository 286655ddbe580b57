import { fail, type SfxError } from '../errors.js';
import type { Json } from '../json.js';
import type { Scope } from '../provider/contract.js';
import { repeatedly } from '../retry.js';
import type { Run } from '../run.js';
import { type Entry, type Head, type Release, STATE_VERSION } from './documents.js';
import type { Store } from './store.js';

/** Head as it was read, with the tag that the next write must still find. `head` is undefined before the first release. */
export interface HeadAt {
  readonly head: Head | undefined;
  readonly tag: string | null;
}

/** The documents of one service and stage in a store. Every call passes `run.call`. */
export interface StageState {
  readHead(): Promise<HeadAt>;
  /** Errors: none; a lost race answers `conflict`. */
  writeHead(head: Head, expect: string | null): Promise<string | 'conflict'>;
  readRelease(number: number): Promise<Release>;
  /** Create-only. An equal document that is there already is success: the answer to an earlier try was lost. */
  createRelease(release: Release): Promise<void>;
  readEntry(seq: number): Promise<Entry>;
  createEntry(entry: Entry): Promise<'created' | 'conflict'>;
  /** Highest number in the journal, 0 when it is empty. */
  lastSeq(): Promise<number>;
  /** Entries of one release, oldest first, from `since` on. */
  entriesOf(release: number, since: number): Promise<readonly Entry[]>;
  removeEntriesBelow(seq: number): Promise<void>;
  removeRelease(number: number): Promise<void>;
  /** Everything, head last. */
  removeAll(): Promise<void>;
}

export function stageState(store: Store, scope: Scope, run: Run): StageState {
  const base = `${scope.service}/${scope.stage}`;
  const headKey = `${base}/head`;
  const releaseKey = (number: number) => `${base}/releases/${String(number).padStart(6, '0')}`;
  const entryKey = (seq: number) => `${base}/journal/${String(seq).padStart(9, '0')}`;
  const call = <T>(op: string, on: string, writes: boolean, act: () => Promise<T>): Promise<T> =>
    repeatedly(run, op, on, () => run.call({ op, on, writes }, act), mayRepeat);
  const get = (key: string) => call('store.get', key, false, () => store.get(key));
  const put = (key: string, value: unknown, expect: string | null) =>
    call('store.put', key, true, () => store.put(key, value as Json, expect));
  const list = (prefix: string) => call('store.list', prefix, false, () => store.list(prefix));
  const drop = (key: string) => call('store.delete', key, true, () => store.delete(key));

  const read = async <T extends { readonly version: number }>(key: string, what: string): Promise<T> => {
    const found = await get(key);
    if (found === undefined)
      throw fail('SFX4109', `${what} is missing from the state of ${scope.service} ${scope.stage}`);
    return checked<T>(found.value, what);
  };
  const seqs = async () =>
    (await list(`${base}/journal/`)).map((key) => Number(key.slice(key.lastIndexOf('/') + 1)));

  return {
    async readHead() {
      const found = await get(headKey);
      if (found === undefined) return { head: undefined, tag: null };
      return { head: checked<Head>(found.value, 'head'), tag: found.tag };
    },
    writeHead: (head, expect) => put(headKey, head, expect),
    readRelease: (number) => read<Release>(releaseKey(number), `release ${number}`),
    async createRelease(release) {
      const key = releaseKey(release.number);
      const isThere = async () => JSON.stringify((await get(key))?.value) === JSON.stringify(release);
      try {
        if ((await put(key, release, null)) !== 'conflict') return;
      } catch (error) {
        if (await isThere().catch(() => false)) return;
        throw error;
      }
      if (await isThere()) return;
      throw fail('SFX4122', `release ${release.number} was written by another command`);
    },
    readEntry: (seq) => read<Entry>(entryKey(seq), `journal entry ${seq}`),
    async createEntry(entry) {
      return (await put(entryKey(entry.seq), entry, null)) === 'conflict' ? 'conflict' : 'created';
    },
    async lastSeq() {
      return (await seqs()).at(-1) ?? 0;
    },
    async entriesOf(release, since) {
      const found: Entry[] = [];
      for (const seq of await seqs()) {
        if (seq >= since) found.push(await read<Entry>(entryKey(seq), `journal entry ${seq}`));
      }
      return found.filter((entry) => entry.release === release);
    },
    async removeEntriesBelow(limit) {
      for (const seq of await seqs()) if (seq < limit) await drop(entryKey(seq));
    },
    removeRelease: (number) => drop(releaseKey(number)),
    async removeAll() {
      for (const key of await list(`${base}/`)) if (key !== headKey) await drop(key);
      await drop(headKey);
    },
  };
}

/** A compare-and-swap whose answer was lost is not repeated: a second try would meet its own write. The caller looks. */
function mayRepeat(error: SfxError): boolean {
  return error.details.unknownOutcome !== true;
}

function checked<T extends { readonly version: number }>(value: Json, what: string): T {
  const document = value as unknown as T;
  if (typeof document?.version !== 'number') throw fail('SFX4109', `${what} is not a document of sfx`);
  if (document.version > STATE_VERSION) {
    throw fail(
      'SFX4108',
      `${what} was written in version ${document.version} of the state format; this sfx knows ${STATE_VERSION}`,
    );
  }
  return document;
}
