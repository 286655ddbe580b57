import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, refusal } from './refusal.js';

/**
 * How the daemon writes: whole elsewhere, synced, then renamed into place. A reader, and the next daemon after `kill -9`,
 * sees the old or the new document. All of it is readable by its owner only.
 */

/** Throws SFX6004 when the disk is full; the old document is still there then. */
export async function writeDocument(path: string, value: unknown): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  await guarded(async () => {
    try {
      await writeSynced(aside, `${JSON.stringify(value)}\n`, 0o600);
      await rename(aside, path);
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  });
}

/** Undefined when there is none. */
export async function readDocument<T>(path: string): Promise<T | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeSynced(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function makeFolder(path: string): Promise<void> {
  await guarded(() => mkdir(path, { recursive: true, mode: 0o700 }));
}

/** Names in a folder that do not begin with a dot; none when there is no folder. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; there a rename is durable without it.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Says a full disk as such. */
export async function guarded<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw refusal(507, 'SFX6004', `the disk is full${pathOf(error)}`);
    }
    throw error;
  }
}

function pathOf(error: unknown): string {
  const path = (error as { path?: unknown }).path;
  return typeof path === 'string' ? ` at ${dirname(path)}` : '';
}
