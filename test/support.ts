import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'packages/cli/bin/sfx.cjs');

/** How a process ended, and all that it said. */
export interface Ended {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has said so far on both streams. */
  said(): string;
}

export interface ProcessOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** A shell word that starts node, such as `ulimit -f 8; exec`; default none. */
  readonly shell?: string;
}

/** What every process of these tests is given of this one's environment. */
export const plainEnv: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  LANG: 'C.UTF-8',
  GIT_CONFIG_NOSYSTEM: '1',
};

export function startNode(words: readonly string[], { cwd, env, shell }: ProcessOptions): Running {
  const [command, args] =
    shell === undefined
      ? [process.execPath, words]
      : ['/bin/bash', ['-c', `${shell} "$0" "$@"`, process.execPath, ...words]];
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve({ exit, signal, out, err }));
  });
  return { child, ended, said: () => out + err };
}

/** The whole output of a command line, for people or as JSON, without `--debug`. */
export function assertPlain(text: string, what: string): void {
  const found = /^\s+at .+:\d+:\d+\)?$|\bundefined\b|\[object \w+\]|\bNaN\b/m.exec(text)?.[0];
  assert.equal(found, undefined, `${what} says ${found}:\n${text}`);
}

export async function tempDir(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `sfx-${name}-`));
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** An engine of its own and the folders around it. */
export interface Home {
  readonly dir: string;
  /** `SFX_LOCAL_HOME`. */
  readonly engine: string;
  readonly env: Record<string, string>;
  /** A folder with nothing in it. */
  readonly empty: string;
  /** Everything that commands said here so far. */
  readonly said: string[];
  sfx(cwd: string, ...words: string[]): Promise<Ended>;
  start(
    cwd: string,
    words: readonly string[],
    options?: { shell?: string; env?: Record<string, string> },
  ): Running;
  /** Ends the engine as `kill -9` does; answers its process id. */
  killEngine(): Promise<number>;
  close(): Promise<void>;
}

export async function openHome(name: string, more: Readonly<Record<string, string>> = {}): Promise<Home> {
  assert.ok(existsSync(join(root, 'packages/cli/dist/sfx.cjs')), 'sfx is not built here: run npm run build');
  const dir = await tempDir(name);
  const engine = join(dir, 'engine');
  const empty = join(dir, 'empty');
  await mkdir(empty);
  const env = {
    ...plainEnv,
    HOME: dir,
    SFX_LOCAL_HOME: engine,
    SFX_LOCAL_PORT: String(await freePort()),
    SFX_CODE_CACHE: join(dir, 'code'),
    ...more,
  };
  const said: string[] = [];
  const start: Home['start'] = (cwd, words, options = {}) => {
    const running = startNode([bin, ...words], {
      cwd,
      env: { ...env, ...options.env },
      ...(options.shell === undefined ? {} : { shell: options.shell }),
    });
    const ended = running.ended.then((end) => {
      said.push(end.out, end.err);
      if (!words.includes('--debug')) assertPlain(end.out + end.err, `sfx ${words.join(' ')}`);
      return end;
    });
    return { ...running, ended };
  };
  return {
    dir,
    engine,
    env,
    empty,
    said,
    start,
    sfx: (cwd, ...words) => start(cwd, words).ended,
    async killEngine() {
      const { pid } = JSON.parse(await readFile(join(engine, 'engine.json'), 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
      await untilGone(pid);
      return pid;
    },
    async close() {
      await start(empty, ['local', 'stop']).ended;
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Waits until no process has this number; a killed one is there until its parent takes note. */
export async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
      if (/^\d+ \(.*\) Z/.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A copy of an example to change, without what needs more than Node: the shop's function in Python. */
export async function copyOf(example: string, to: string): Promise<string> {
  for (const part of ['serverless.yml', 'src', 'package.json']) {
    await cp(join(root, 'examples', example, part), join(to, part), { recursive: true });
  }
  if (example === 'shop')
    await edit(join(to, 'serverless.yml'), (text) => text.replace(/^ {2}stats:\n(?: {4}.*\n)+/m, ''));
  return to;
}

export async function edit(file: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(file, 'utf8');
  const after = change(before);
  assert.notEqual(after, before, `${file} was to be changed`);
  await writeFile(file, after);
}

/** Path → content (as latin1) of every file below a folder. */
export async function filesIn(dir: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found[relative(dir, path)] = await readFile(path, 'latin1');
  }
  return found;
}

export async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

/** A script with all that it uses in one file, so that starting it takes a moment. */
export async function bundled(script: string, outfile: string): Promise<string> {
  await build({
    entryPoints: [script],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    conditions: ['sfx-source'],
    // It brings a program of its own, and is found from beside the script.
    external: ['esbuild'],
    minify: true,
    logLevel: 'warning',
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
  });
  const modules = join(dirname(outfile), 'node_modules');
  if (!existsSync(modules)) await symlink(join(root, 'node_modules'), modules);
  return outfile;
}

/** Does all, at most `width` at once, in order. After a failure nothing new begins, and what is under way is waited for. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !failed) {
      await act(items[next++]!).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: width }, worker));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

/** Every how manyeth call a process is killed at: 1 is each; `SFX_KILL_STRIDE`, default 5. */
export const killStride = Math.max(1, Number(process.env['SFX_KILL_STRIDE'] ?? 5));

/**
 * The numbers of calls, up to `total`, at which a process is killed. Where that is not each of them, they begin elsewhere
 * at each `turn`, so that a sample covers all kinds of calls.
 */
export function killsUpTo(total: number, turn = 0): number[] {
  const all = Array.from({ length: total }, (_, index) => index + 1);
  return all.filter((at) => at % killStride === (turn + 1) % killStride);
}
