import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../refusal.js';

/** A file as a look at its folder tells it. */
export interface Seen {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly mtimeMs: number;
  readonly ino: number;
}

export interface Scan {
  /** By key: the path in the folder, with `/`. */
  readonly files: ReadonlyMap<string, Seen>;
  /** Folders with what is in them, as keys that end with `/`; the bucket itself is the empty one. */
  readonly folders: readonly string[];
  /** Folders and files that could not be looked at, and why; what is in them is neither there nor gone. */
  readonly unreadable: ReadonlyMap<string, string>;
}

const AT_ONCE = 32;

/**
 * All files below a folder, but no temporary ones: names that begin with a dot, or end with `.tmp` or `.part`. Links are
 * not followed, so nothing outside of the folder is ever named. `gone`: there is no such folder now.
 */
export async function scanFolder(root: string): Promise<Scan | 'gone'> {
  const files = new Map<string, Seen>();
  const unreadable = new Map<string, string>();
  const folders: string[] = [];
  let waiting = [''];
  while (waiting.length > 0) {
    const below: string[] = [];
    for (const folder of waiting) {
      const found = await entriesOf(root, folder);
      if (found === 'gone' && folder === '') return 'gone';
      if (found === 'gone') continue;
      if ('why' in found) {
        unreadable.set(folder, found.why);
        continue;
      }
      folders.push(folder);
      below.push(...found.folders);
      await inGroups(found.files, (key) => look(root, key, files, unreadable));
    }
    waiting = below;
  }
  return { files, folders, unreadable };
}

export function isTemporary(name: string): boolean {
  return name.startsWith('.') || name.endsWith('.tmp') || name.endsWith('.part');
}

type Entries = { readonly files: readonly string[]; readonly folders: readonly string[] };

async function entriesOf(root: string, folder: string): Promise<Entries | 'gone' | { readonly why: string }> {
  try {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !isTemporary(entry.name));
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    return {
      files: files.map(({ name }) => `${folder}${name}`),
      folders: folders.map(({ name }) => `${folder}${name}/`),
    };
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'gone';
    if (code === undefined) throw error;
    return { why: code };
  }
}

async function look(root: string, key: string, files: Map<string, Seen>, unreadable: Map<string, string>) {
  try {
    const { size, mtimeMs, ino } = await lstat(join(root, key));
    files.set(key, { size, mtimeMs, ino });
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    // What is gone already is gone; a name that is no UTF-8 is not found under what it was read as.
    if (key.includes('\ufffd')) unreadable.set(key, 'its name is not UTF-8');
    else if (code !== 'ENOENT') unreadable.set(key, code);
  }
}

export async function inGroups<T>(
  all: readonly T[],
  act: (one: T) => Promise<void>,
  size = AT_ONCE,
): Promise<void> {
  for (let n = 0; n < all.length; n += size) await Promise.all(all.slice(n, n + size).map(act));
}
