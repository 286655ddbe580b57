import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isObject } from '../json.js';
import { notThere } from './handler.js';
import { isPackaged } from './project.js';

/** What built code came from, as the cache remembers it. */
export interface Origins {
  /** Absolute paths of files, also of some that are not there and would count if they were. */
  readonly files: ReadonlySet<string>;
  /** Folders whose names count: a file that appears there can shadow another. */
  readonly folders: ReadonlySet<string>;
}

/** Inputs of these artifacts, without those in packages. Undefined when the cache does not remember all of them. */
export async function originsOf(
  cacheDir: string,
  digests: ReadonlySet<Digest>,
): Promise<Origins | undefined> {
  const known = new Set<string>();
  const paths = new Set<string>();
  for (const { digest, inputs } of await builds(cacheDir)) {
    if (!digests.has(digest)) continue;
    known.add(digest);
    for (const path of inputs) if (!isPackaged(path)) paths.add(path);
  }
  if (known.size < digests.size) return undefined;
  const folders = new Set<string>();
  for (const path of paths) if ((await stat(path).catch(notThere))?.isDirectory()) folders.add(path);
  return { files: new Set([...paths].filter((path) => !folders.has(path))), folders };
}

/**
 * Removes built code that is neither in use nor among the newest `keep`, with what is remembered of it. It is only a cache:
 * what is needed again is built again.
 */
export async function pruneCache(cacheDir: string, used: ReadonlySet<Digest>, keep: number): Promise<void> {
  const folder = join(cacheDir, 'artifacts');
  const names = ((await readdir(folder).catch(notThere)) ?? []).filter((name) => name.endsWith('.zip'));
  if (names.length <= keep + used.size) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name)).catch(notThere))?.mtimeMs ?? 0 })),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(keep);
  const gone = new Set<string>();
  for (const { name } of old) {
    const digest = `sha256:${name.slice(0, -'.zip'.length)}` as Digest;
    if (used.has(digest)) continue;
    gone.add(digest);
    await rm(join(folder, name), { force: true });
  }
  for (const { digest, file } of await builds(cacheDir))
    if (gone.has(digest)) await rm(file, { force: true });
}

interface Remembered {
  readonly file: string;
  readonly digest: Digest;
  readonly inputs: readonly string[];
}

/** A note that is damaged counts as none, as where it is recalled. */
async function builds(cacheDir: string): Promise<Remembered[]> {
  const folder = join(cacheDir, 'builds');
  const names = ((await readdir(folder).catch(notThere)) ?? []).filter((name) => name.endsWith('.json'));
  const found = await Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      const value = parsed(await readFile(file, 'utf8').catch(notThere));
      if (!isObject(value) || !Array.isArray(value['inputs'])) return undefined;
      const inputs = (value['inputs'] as readonly { readonly path: string }[]).map((one) => one.path);
      return { file, digest: value['digest'] as Digest, inputs };
    }),
  );
  return found.filter((one) => one !== undefined);
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
