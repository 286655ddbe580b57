import { readDocument, writeDocument } from '../disk.js';
import type { Known } from './bucket-changes.js';
import type { Seen } from './bucket-scan.js';

type Row = readonly [key: string, size: number, mtimeMs: number, ino: number, etag?: string];

/** `bucket.json` in the trigger's folder. */
interface IndexDocument {
  readonly root: string;
  readonly serial: number;
  readonly files: readonly Row[];
}

/** What of a bucket is known already, on disk. */
export interface BucketIndex {
  readonly known: Map<string, Known>;
  /** Nothing was known yet of this folder. */
  readonly empty: boolean;
  /** Counts what was written, so that the same change at another time is another one. */
  serial(): number;
  /** Throws SFX6004 when the disk is full. */
  save(): Promise<void>;
}

export async function openIndex(path: string, root: string): Promise<BucketIndex> {
  const before = await readDocument<IndexDocument>(path);
  const same = before?.root === root;
  let serial = (before?.serial ?? 0) + (same ? 0 : 1);
  const known = new Map(same ? before.files.map((row) => [row[0], knownOf(row)]) : []);
  return {
    known,
    empty: !same,
    serial: () => serial,
    async save() {
      const files = [...known].map(([key, { size, mtimeMs, ino, etag }]) =>
        etag === undefined ? [key, size, mtimeMs, ino] : [key, size, mtimeMs, ino, etag],
      );
      await writeDocument(path, { root, serial: serial + 1, files });
      serial += 1;
    },
  };
}

function knownOf([, size, mtimeMs, ino, etag]: Row): Known {
  const seen: Seen = { size, mtimeMs, ino };
  return etag === undefined ? seen : { ...seen, etag };
}
