import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isInside } from '../artifact/project.js';
import { fail, messageOf } from '../errors.js';

/** Looks on at a project's folders and says which paths something happened to. */
export interface Watcher {
  /** Files elsewhere that count too; replaces what was said before. SFX1009. */
  also(paths: Iterable<string>): void;
  close(): void;
}

export interface WatchOptions {
  /** Absolute; with all folders below it. */
  readonly dir: string;
  /** Folders that are not looked into, absolute. */
  readonly ignore: readonly string[];
  /** Something was made, changed, moved or removed there. May say too much, and a path that is gone. */
  readonly touched: (path: string) => void;
  /** A folder that appeared cannot be watched: SFX1009. */
  readonly failed: (error: unknown) => void;
}

/** Packages, repositories and what tools keep for themselves: nobody edits there. */
const NOT_WATCHED = new Set([
  'node_modules',
  '.git',
  '.hg',
  '.svn',
  '.sfx',
  '__pycache__',
  '.venv',
  'venv',
  '.mypy_cache',
  '.pytest_cache',
]);

/** What editors put beside a file while they save it. */
const PASSING = /^(\.#.*|.*~|.*\.sw[a-z]|4913|#.*#)$/;

/**
 * Watches folder by folder, so that packages cost nothing; a folder that appears is watched with what is in it already.
 * Rejects with SFX1009 when the folders there cannot all be watched.
 */
export async function watchProject({ dir, ignore, touched, failed }: WatchOptions): Promise<Watcher> {
  const folders = new Map<string, FSWatcher>();
  const others = watchOthers(touched);
  let closed = false;

  async function add(folder: string, isNew: boolean): Promise<void> {
    if (closed || folders.has(folder) || NOT_WATCHED.has(basename(folder)) || ignore.includes(folder)) return;
    const watcher = open(folder, (event, name) => notice(folder, event, name));
    if (watcher === undefined) return;
    folders.set(folder, watcher);
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await add(path, isNew);
      // What was written before the watch began would else go unnoticed.
      else if (isNew && !PASSING.test(entry.name)) touched(path);
    }
  }

  function notice(folder: string, event: string, name: string): void {
    if (closed || PASSING.test(name) || NOT_WATCHED.has(name)) return;
    const path = join(folder, name);
    if (ignore.includes(path)) return;
    if (event === 'rename') {
      forget(path);
      addIfFolder(path);
    }
    touched(path);
  }

  function addIfFolder(path: string): void {
    isFolder(path)
      .then((is) => (is ? add(path, true) : undefined))
      .catch(failed);
  }

  function forget(path: string): void {
    for (const [folder, watcher] of folders) {
      if (!isInside(folder, path)) continue;
      watcher.close();
      folders.delete(folder);
    }
  }

  const close = (): void => {
    closed = true;
    for (const watcher of folders.values()) watcher.close();
    others.set([]);
  };
  try {
    await add(dir, false);
  } catch (error) {
    close();
    throw error;
  }
  return { also: (paths) => others.set([...paths].filter((path) => !isInside(path, dir))), close };
}

/** Single files in folders that are not watched as a whole. */
function watchOthers(touched: (path: string) => void): { set(paths: Iterable<string>): void } {
  const folders = new Map<string, { readonly watcher: FSWatcher; names: ReadonlySet<string> }>();
  return {
    set(paths) {
      const wanted = new Map<string, Set<string>>();
      for (const path of paths) {
        const names = wanted.get(dirname(path)) ?? new Set();
        wanted.set(dirname(path), names.add(basename(path)));
      }
      for (const [folder, { watcher }] of folders) {
        if (wanted.has(folder)) continue;
        watcher.close();
        folders.delete(folder);
      }
      for (const [folder, names] of wanted) {
        const known = folders.get(folder);
        if (known !== undefined) known.names = names;
        else {
          const watcher = open(folder, (_event, name) => {
            if (folders.get(folder)?.names.has(name)) touched(join(folder, name));
          });
          if (watcher !== undefined) folders.set(folder, { watcher, names });
        }
      }
    },
  };
}

/** Undefined when the folder is gone already. */
function open(folder: string, seen: (event: string, name: string) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, (event, name) => {
      if (typeof name === 'string') seen(event, name);
    });
    // The folder itself went away: whoever watches its parent says so.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unwatchable(folder, error);
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw unwatchable(folder, error);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    // A link to a folder may lead anywhere, also back up.
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isGone(error)) return false;
    throw unwatchable(path, error);
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unwatchable(folder: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  const many = code === 'ENOSPC' || code === 'EMFILE';
  const why = many ? 'the system takes no more watches' : messageOf(error);
  return fail('SFX1009', `${folder} cannot be watched: ${why}`, {
    ...(many && { hint: 'Raise fs.inotify.max_user_watches or the limit of open files.' }),
    cause: error,
  });
}
