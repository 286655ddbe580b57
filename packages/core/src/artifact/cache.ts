import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, type SfxError } from '../errors.js';
import { canonical, type Digest, isObject } from '../json.js';
import type { Artifact } from '../provider/contract.js';
import type { InputStamp, Looker } from './inputs.js';

/**
 * Built code by its digest, and by which inputs it came from. Only a cache: what is missing or damaged is built again.
 * Every write goes to a file of its own first, so that a crash or a full disk leaves nothing half-written under a name
 * that counts.
 */
export interface Cache {
  /** Makes the folder, which git ignores by itself. @throws SFX2305 */
  prepare(): Promise<void>;
  /** The artifact that was built for `key`, if nothing it was built from has changed since. */
  recall(key: Digest, looker: Looker): Promise<Artifact | undefined>;
  /** @throws SFX2305 */
  keep(bytes: Uint8Array): Promise<Artifact>;
  /** @throws SFX2305 */
  remember(key: Digest, artifact: Artifact, inputs: readonly InputStamp[]): Promise<void>;
}

export function openCache(cacheDir: string): Cache {
  const buildFile = (key: Digest) => join(cacheDir, 'builds', `${hex(key)}.json`);
  return {
    prepare: () => writable(cacheDir, () => prepare(cacheDir)),
    async recall(key, looker) {
      const build = parseBuild(await readFile(buildFile(key), 'utf8').catch(nothing));
      if (build === undefined || !(await looker.unchanged(build.inputs))) return undefined;
      return findArtifact(cacheDir, build.digest);
    },
    async keep(bytes) {
      const digest = sha256(bytes);
      const file = artifactFile(cacheDir, digest);
      if (findArtifact(cacheDir, digest) === undefined) await writable(file, () => writeWhole(file, bytes));
      return artifact(file, digest, bytes.length);
    },
    async remember(key, { digest }, inputs) {
      const file = buildFile(key);
      await writable(file, () => writeWhole(file, canonical({ digest, inputs })));
    },
  };
}

/**
 * An artifact that was built before, as a resumed release needs it. Undefined when it is not in this cache, or when its
 * content is not what its name says.
 */
export function findArtifact(cacheDir: string, digest: Digest): Artifact | undefined {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
  const file = artifactFile(cacheDir, digest);
  const bytes = readOrNothing(file);
  return bytes !== undefined && sha256(bytes) === digest ? artifact(file, digest, bytes.length) : undefined;
}

function artifact(file: string, digest: Digest, size: number): Artifact {
  return { digest, size, bytes: () => createReadStream(file) };
}

function artifactFile(cacheDir: string, digest: Digest): string {
  return join(cacheDir, 'artifacts', `${hex(digest)}.zip`);
}

function hex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function prepare(cacheDir: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  await writeFile(join(cacheDir, '.gitignore'), '*\n', { flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}

async function writeWhole(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(draft, content);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

async function writable<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw notWritten(path, error as NodeJS.ErrnoException);
  }
}

function notWritten(path: string, error: NodeJS.ErrnoException): SfxError {
  if (error.code === undefined) return fail('SFX9001', error.message, { cause: error });
  const reason =
    error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'no space is left' : `the system says ${error.code}`;
  return fail('SFX2305', `built code could not be written: ${reason}`, { resource: path, cause: error });
}

interface Build {
  readonly digest: Digest;
  readonly inputs: readonly InputStamp[];
}

/** A note that is damaged counts as none. */
function parseBuild(text: string | undefined): Build | undefined {
  if (text === undefined) return undefined;
  try {
    const build: unknown = JSON.parse(text);
    return isObject(build) && Array.isArray(build['inputs']) ? (build as unknown as Build) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What cannot be read is not in the cache; writing it again will say why, if that is still so. */
function nothing(error: NodeJS.ErrnoException): undefined {
  if (error.code === undefined) throw error;
}

function readOrNothing(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    return nothing(error as NodeJS.ErrnoException);
  }
}
