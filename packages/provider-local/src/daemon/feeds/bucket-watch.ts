import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

/** Says that something may be otherwise in some folders. It is a hint: whoever needs to know looks. */
export interface Watchers {
  /** Exactly these from here on, as far as the system lets them be watched. */
  set(folders: readonly string[]): void;
  close(): void;
}

/** The system gives few watches to all programs of a person; folders beyond are looked at in turn only. */
const MOST = 64;

export function createWatchers(root: string, hint: () => void): Watchers {
  const open = new Map<string, FSWatcher>();
  const end = (folder: string): void => {
    open.get(folder)?.close();
    open.delete(folder);
  };
  const begin = (folder: string): void => {
    try {
      const watcher = watch(join(root, folder), { persistent: false }, hint);
      watcher.on('error', () => {
        end(folder);
        hint();
      });
      open.set(folder, watcher);
    } catch {
      // A folder that is gone again, or a system that has no watches left: the next look finds what there is.
    }
  };
  return {
    set(folders) {
      const wanted = new Set(folders.slice(0, MOST));
      for (const folder of [...open.keys()]) if (!wanted.has(folder)) end(folder);
      for (const folder of wanted) if (!open.has(folder)) begin(folder);
    },
    close() {
      for (const folder of [...open.keys()]) end(folder);
    },
  };
}
