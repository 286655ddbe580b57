import { link, mkdir, open, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, messageOf } from '../errors.js';
import { digestOf, type Json, short } from '../json.js';
import type { Store } from './store.js';

/** A generation that is older than this may be cleaned away. */
const CLEAN_AFTER_MS = 60 * 60 * 1000;
/** Words of a key; none is `.` or `..`, which would lead out of the folder. */
const KEY = /^(?!\.\.?(\/|$))[A-Za-z0-9._-]+(\/(?!\.\.?(\/|$))[A-Za-z0-9._-]+)*$/;
const FILE = /^(.+)@(\d{10})\.json$/;

/**
 * State in a folder. Each value of a key is a file of its own, `key@generation`, made whole elsewhere and then linked
 * into place: the link fails when the generation is there, so it is the compare-and-swap, without a lock that a killed
 * process could leave behind. The newest generation counts; generations are cleaned oldest first, so a writer that slept
 * through many others finds its predecessor gone and knows that its link proves nothing. A tag is a generation and the
 * checksum of its value: generations begin anew when a key was deleted, and who knows an earlier one must not match.
 *
 * Errors: SFX4118 (cannot be read or written, such as a full disk), SFX4109 (a file that is not what was written).
 */
export function fileStore(dir: string): Store {
  return {
    async get(key) {
      for (;;) {
        const newest = (await generations(dir, key)).at(-1);
        if (newest === undefined) return undefined;
        const found = await readValue(pathOf(dir, key, newest));
        // Cleaned between listing and reading: a newer one is there.
        if (found !== undefined) return { value: found.value, tag: tagOf(newest, found.sum) };
      }
    },
    async put(key, value, expect) {
      return guarded('write', key, () => put(dir, key, value, expect));
    },
    async list(prefix) {
      const found = new Set<string>();
      await walk(dir, '', prefix, found);
      return [...found].sort();
    },
    async delete(key) {
      for (const generation of await generations(dir, key)) {
        await guarded('remove', key, () => rm(pathOf(dir, key, generation), { force: true }));
      }
    },
  };
}

async function put(
  dir: string,
  key: string,
  value: Json,
  expect: string | null,
): Promise<string | 'conflict'> {
  const base = expect === null ? 0 : Number.parseInt(expect, 10);
  if (((await generations(dir, key)).at(-1) ?? 0) !== base) return 'conflict';
  if (expect !== null && (await tagAt(dir, key, base)) !== expect) return 'conflict';
  const target = pathOf(dir, key, base + 1);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const sum = digestOf(value);
  const whole = await writeAside(target, value, sum);
  try {
    await link(whole, target);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'conflict';
    throw error;
  } finally {
    await rm(whole, { force: true });
  }
  if (expect !== null && (await tagAt(dir, key, base)) !== expect) {
    await rm(target, { force: true });
    return 'conflict';
  }
  await clean(dir, key, (await generations(dir, key)).slice(0, -2));
  return tagOf(base + 1, sum);
}

function tagOf(generation: number, sum: string): string {
  return `${generation}-${short(sum, 16)}`;
}

/** The tag of a generation as it is on the disk; undefined when it is gone. */
async function tagAt(dir: string, key: string, generation: number): Promise<string | undefined> {
  const found = await readValue(pathOf(dir, key, generation));
  return found === undefined ? undefined : tagOf(generation, found.sum);
}

async function writeAside(target: string, value: Json, sum: string): Promise<string> {
  const aside = `${target}.${process.pid}.${digestOf([target, Math.random()]).slice(7, 19)}.tmp`;
  const body = JSON.stringify(value);
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ sum })}\n${body}\n`);
    await file.sync();
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return aside;
}

/** The value with its checksum, or undefined when the file is gone. */
async function readValue(path: string): Promise<{ readonly value: Json; readonly sum: string } | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fail('SFX4118', `state file ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const [head = '', body = ''] = text.split('\n');
  try {
    const value = JSON.parse(body) as Json;
    const { sum } = JSON.parse(head) as { sum: string };
    if (sum === digestOf(value)) return { value, sum };
  } catch (error) {
    throw fail('SFX4109', `state file ${path} is damaged: ${messageOf(error)}`, { cause: error });
  }
  throw fail('SFX4109', `state file ${path} is not what sfx wrote: its checksum differs`);
}

async function generations(dir: string, key: string): Promise<number[]> {
  if (!KEY.test(key)) throw fail('SFX9001', `not a state key: ${key}`);
  const cut = key.lastIndexOf('/');
  const name = key.slice(cut + 1);
  const found: number[] = [];
  for (const file of await names(join(dir, key.slice(0, Math.max(cut, 0))))) {
    const match = FILE.exec(file);
    if (match?.[1] === name) found.push(Number(match[2]));
  }
  return found.sort((a, b) => a - b);
}

async function walk(dir: string, at: string, prefix: string, found: Set<string>): Promise<void> {
  for (const entry of await names(join(dir, at))) {
    const key = at === '' ? entry : `${at}/${entry}`;
    const match = FILE.exec(key);
    if (match) {
      if (match[1]!.startsWith(prefix)) found.add(match[1]!);
    } else if (!entry.endsWith('.tmp') && (prefix.startsWith(`${key}/`) || `${key}/`.startsWith(prefix))) {
      await walk(dir, key, prefix, found);
    }
  }
}

async function names(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw fail('SFX4118', `state folder ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Removes what is long out of date, oldest first, so that no gap opens below a generation that stays. */
async function clean(dir: string, key: string, old: readonly number[]): Promise<void> {
  for (const generation of old) {
    const path = pathOf(dir, key, generation);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    if (Date.now() - mtimeMs < CLEAN_AFTER_MS) return;
    await unlink(path).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}

function pathOf(dir: string, key: string, generation: number): string {
  return join(dir, `${key}@${String(generation).padStart(10, '0')}.json`);
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code;
}

async function guarded<T>(what: string, key: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
    const why = code === 'ENOSPC' ? 'the disk is full' : messageOf(error);
    throw fail('SFX4118', `could not ${what} state ${key}: ${why}`, { cause: error });
  }
}
