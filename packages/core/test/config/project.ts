import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ConfigRequest, type LoadedConfig, loadConfig } from '../../src/config/index.js';
import { type Diagnostic, isSfxError, type SfxError } from '../../src/errors.js';
import type { Run } from '../../src/run.js';

/** A `Run` that has an environment and nothing else. */
export function runWith(env: Readonly<Record<string, string>> = {}): Run {
  return {
    signal: new AbortController().signal,
    env,
    holder: { name: 'test', process: 'test' },
    now: () => 0,
    sleep: async () => undefined,
    random: (bytes) => 'ab'.repeat(bytes),
    emit: () => undefined,
    call: (_call, act) => act(),
    exec: () => Promise.reject(new Error('nothing is run here')),
    isGone: () => 'unknown',
  };
}

export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface Given extends Partial<Omit<ConfigRequest, 'cwd'>> {
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `act` in a new folder with these files, and removes it. */
export async function inProject<T>(files: Files, act: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'sfx-config-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(dir, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    return await act(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Loads a project; a text alone is its serverless.yml. */
export function load(files: Files | string, given: Given = {}): Promise<LoadedConfig> {
  const { env, ...request } = given;
  const all = typeof files === 'string' ? { 'serverless.yml': files } : files;
  return inProject(all, (dir) => loadConfig({ cwd: dir, options: {}, params: {}, ...request }, runWith(env)));
}

/** The error that loading ends with. */
export async function refusal(files: Files | string, given: Given = {}): Promise<SfxError> {
  try {
    await load(files, given);
  } catch (thrown) {
    if (isSfxError(thrown)) return thrown;
    throw thrown;
  }
  throw new Error('loading was expected to fail');
}

export async function problems(files: Files | string, given: Given = {}): Promise<readonly Diagnostic[]> {
  const error = await refusal(files, given);
  return error.details.diagnostics ?? [];
}

/** `SFX2201 serverless.yml:3:1 message` of each problem. */
export async function lines(files: Files | string, given: Given = {}): Promise<string[]> {
  return (await problems(files, given)).map(
    ({ code, at, message }) => `${code} ${at?.file}:${at?.line}:${at?.column} ${message}`,
  );
}

/** A service around a part of its file, with a handler that is there. */
export function service(rest: string, functions = 'functions:\n  list:\n    handler: list.get\n'): Files {
  return { 'serverless.yml': `service: shop\nprovider:\n  name: local\n${functions}${rest}`, 'list.js': '' };
}
