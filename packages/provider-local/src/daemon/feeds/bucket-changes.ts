import type { Scan, Seen } from './bucket-scan.js';

/** A file as it was when it was announced, or when the bucket was first looked at. */
export interface Known extends Seen {
  /** Hash of its content; absent where nobody needed it. */
  readonly etag?: string;
}

/** What is otherwise than it is known, and has been so for long enough. `seen` is absent when the file is gone. */
export interface Ripe {
  readonly key: string;
  readonly seen?: Seen;
}

export interface Settling {
  /** What is otherwise but may be in the middle of being written: how it was last seen, and since when. */
  readonly open: ReadonlyMap<string, { readonly seen: Seen | undefined; readonly since: number }>;
  readonly ripe: readonly Ripe[];
}

/**
 * Compares what is there with what is known. A file, or its absence, is ripe when it was seen unchanged for `quietMs`.
 * `at` is in milliseconds by a clock that nobody sets.
 */
export function settle(
  known: ReadonlyMap<string, Known>,
  before: Settling['open'],
  scan: Scan,
  at: number,
  quietMs: number,
): Settling {
  const open = new Map<string, { seen: Seen | undefined; since: number }>();
  const ripe: Ripe[] = [];
  const note = (key: string, seen: Seen | undefined) => {
    const last = before.get(key);
    const same = last !== undefined && (last.seen === seen || sameFile(last.seen, seen));
    const since = same ? last.since : at;
    open.set(key, { seen, since });
    if (at - since >= quietMs) ripe.push(seen === undefined ? { key } : { key, seen });
  };
  for (const [key, seen] of scan.files) if (!sameFile(known.get(key), seen)) note(key, seen);
  const hidden = [...scan.unreadable.keys()];
  for (const key of known.keys()) {
    if (scan.files.has(key) || hidden.some((each) => key === each || isBelow(key, each))) continue;
    note(key, undefined);
  }
  return { open, ripe };
}

export function sameFile(one: Seen | undefined, other: Seen | undefined): boolean {
  return (
    one !== undefined &&
    other !== undefined &&
    one.size === other.size &&
    one.mtimeMs === other.mtimeMs &&
    one.ino === other.ino
  );
}

function isBelow(key: string, folder: string): boolean {
  return folder === '' || (folder.endsWith('/') && key.startsWith(folder));
}
