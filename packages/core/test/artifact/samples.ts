import { mkdir, mkdtemp, readdir, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Adapted, PlainContext, PlainRequest } from '@sfx-deploy/runtime';
import { strFromU8, unzipSync } from 'fflate';
import { type BuildOptions, buildUnits } from '../../src/artifact/index.js';
import { isSfxError, type SfxError } from '../../src/errors.js';
import type { Event } from '../../src/events.js';
import type { Artifact, Unit } from '../../src/provider/contract.js';
import type { Run } from '../../src/run.js';

/** A run with the clock of the machine, as file systems have it. */
export function realRun(
  signal: AbortSignal = new AbortController().signal,
): Run & { readonly events: Event[] } {
  const events: Event[] = [];
  return {
    signal,
    env: {},
    holder: { name: 'test', process: 'test' },
    now: () => Date.now(),
    sleep: async () => {},
    random: (bytes) => '0'.repeat(bytes * 2),
    emit: (event) => events.push(event),
    call: (_call, act) => act(),
    exec: () => Promise.reject(new Error('nothing is run here')),
    isGone: () => 'unknown',
    events,
  };
}

export async function temporary(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), 'sfx-artifact-')));
}

/** Writes files with a date in the past, so that a build may trust them. */
export async function write(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await utimes(path, 1_600_000_000, 1_600_000_000);
  }
}

/** Sets the date of every folder back. */
export async function settle(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) await settle(join(dir, entry.name));
  }
  await utimes(dir, 1_600_000_000, 1_600_000_000);
}

export interface UnitOptions {
  readonly bundle?: boolean;
  readonly include?: readonly string[];
}

export function unit(handlers: Readonly<Record<string, string>>, options: UnitOptions = {}): Unit {
  const entries = Object.entries(handlers).map(([name, handler]) => ({ function: name, handler }));
  return {
    id: Object.keys(handlers).join('+'),
    functions: Object.keys(handlers),
    build: {
      kind: 'node',
      host: 'local',
      bundle: options.bundle ?? true,
      include: options.include ?? [],
      entries,
    },
    config: {},
    dependsOn: [],
  };
}

export async function buildOne(
  dir: string,
  one: Unit,
  options: Partial<BuildOptions> = {},
  run: Run = realRun(),
): Promise<Artifact> {
  const built = await buildUnits(
    [{ key: 'x', unit: one, dir }],
    { cacheDir: join(dir, '.sfx'), cwd: dir, ...options },
    run,
  );
  return built['x']!;
}

export async function bytesOf(artifact: Artifact): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of artifact.bytes()) parts.push(part);
  return Buffer.concat(parts);
}

/** Name → text. */
export async function filesIn(artifact: Artifact): Promise<Record<string, string>> {
  const files = unzipSync(await bytesOf(artifact));
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
}

/** Unpacks an artifact into a fresh folder and loads the entry of a function, as an engine does. */
export async function load(artifact: Artifact, name: string): Promise<Adapted> {
  const folder = await temporary();
  try {
    await write(folder, await filesIn(artifact));
    const loaded = (await import(pathToFileURL(join(folder, `${name}.mjs`)).href)) as { default: Adapted };
    return loaded.default;
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function refused(act: Promise<unknown>): Promise<SfxError> {
  try {
    await act;
  } catch (error) {
    if (isSfxError(error)) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}

export const context: PlainContext = {
  requestId: 'r-1',
  function: 'f',
  version: 'f@1',
  release: 1,
  service: 'shop',
  stage: 'dev',
  deadline: 0,
};

export async function ask(
  adapted: Adapted,
  route: string,
  over: Partial<PlainRequest> = {},
): Promise<{ status: number; body: unknown }> {
  const [method, path] = route.split(' ') as [string, string];
  const url = `http://127.0.0.1${path}`;
  const { status, body } = await adapted.http(
    { method, url, headers: [], body: null, params: {}, route, ...over },
    context,
  );
  return { status, body: body === null ? null : JSON.parse(Buffer.from(body).toString('utf8')) };
}
