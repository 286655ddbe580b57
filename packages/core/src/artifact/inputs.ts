import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import pMap from 'p-map';
import type { Digest } from '../json.js';
import { notThere } from './handler.js';

/** What a build has read: a file, or the names in a folder. */
export interface InputStamp {
  /** Absolute. */
  readonly path: string;
  readonly size: number;
  /** -1: too young to be trusted, so that the content decides. */
  readonly mtimeMs: number;
  /** Of the content, or of the names in a folder; null where nothing was there. */
  readonly digest: Digest | null;
}

/** Looks at each path once, however many units have read it. */
export interface Looker {
  /** @returns undefined when something changed at or after `startedAt`, so that it may not be what was built. */
  stamp(paths: Iterable<string>, startedAt: number): Promise<readonly InputStamp[] | undefined>;
  unchanged(stamps: readonly InputStamp[]): Promise<boolean>;
}

interface Look {
  readonly size: number;
  readonly mtimeMs: number;
  readonly folder: boolean;
}

/** Clocks of file systems tick in steps of up to some milliseconds. */
const tickMs = 20;
const atOnce = 16;

export function createLooker(): Looker {
  const looks = new Map<string, Promise<Look | undefined>>();
  const digests = new Map<string, Promise<Digest>>();
  const look = (path: string) => once(looks, path, () => lookAt(path));
  const digest = (path: string, folder: boolean) =>
    once(digests, path, () => (folder ? namesDigest(path) : fileDigest(path)));

  async function stampOne(path: string, startedAt: number): Promise<InputStamp | undefined> {
    const now = await look(path);
    if (now === undefined) return { path, size: 0, mtimeMs: 0, digest: null };
    const young = now.mtimeMs >= startedAt - tickMs;
    if (now.folder ? now.mtimeMs >= startedAt : young) return undefined;
    return {
      path,
      size: now.size,
      mtimeMs: young ? -1 : now.mtimeMs,
      digest: await digest(path, now.folder),
    };
  }

  async function isSame(stamp: InputStamp): Promise<boolean> {
    const now = await look(stamp.path);
    if (now === undefined || stamp.digest === null) return now === undefined && stamp.digest === null;
    if (now.mtimeMs === stamp.mtimeMs && now.size === stamp.size) return true;
    return (now.folder || now.size === stamp.size) && (await digest(stamp.path, now.folder)) === stamp.digest;
  }

  return {
    async stamp(paths, startedAt) {
      const stamps = await pMap(new Set(paths), (path) => stampOne(path, startedAt), { concurrency: atOnce });
      const whole = stamps.filter((stamp) => stamp !== undefined);
      return whole.length === stamps.length ? whole : undefined;
    },
    async unchanged(stamps) {
      return (await pMap(stamps, isSame, { concurrency: atOnce })).every(Boolean);
    },
  };
}

function once<T>(known: Map<string, Promise<T>>, path: string, act: () => Promise<T>): Promise<T> {
  const before = known.get(path);
  if (before !== undefined) return before;
  const now = act();
  known.set(path, now);
  return now;
}

async function lookAt(path: string): Promise<Look | undefined> {
  const found = await stat(path).catch(notThere);
  return found && { size: found.size, mtimeMs: found.mtimeMs, folder: found.isDirectory() };
}

async function fileDigest(path: string): Promise<Digest> {
  return `sha256:${createHash('sha256')
    .update(await readFile(path))
    .digest('hex')}`;
}

/** A file that appears can shadow another one, so the names beside what was read count; names with a dot in front resolve nothing. */
async function namesDigest(path: string): Promise<Digest> {
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
  return `sha256:${createHash('sha256').update(names.join('\n')).digest('hex')}`;
}
