// A local engine with a home, a port and a code cache of its own, and sfx as a user would run it there.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateService } from './generate-service.mjs';
import { withFolder } from './lib.mjs';

export const bin = fileURLToPath(new URL('../packages/cli/bin/sfx.cjs', import.meta.url));

/** How long any command may take. */
const PATIENCE_MS = 120_000;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What `sfx` printed as result. Throws when it ends otherwise than with one of `exits`. */
function sfx(cwd, env, words, exits, running) {
  return run(cwd, env, words, running).then(({ code, out, said }) => {
    if (exits.includes(code)) return out;
    throw new Error(`sfx ${words.join(' ')} ended with ${code}\n${said}`);
  });
}

/** How `sfx` ended, and what it printed. */
function run(cwd, env, words, running) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...words], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PATIENCE_MS,
    });
    running.add(child);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ code: code ?? signal, out, said: `${out}${err}` });
    });
  });
}

/**
 * Runs `act` with an engine that is stopped when it is over, however it ends. `service(n)` makes a service of n functions
 * and answers what can be done with it; `bare(name)` only a folder for one.
 */
export async function withEngine(act) {
  const port = await freePort();
  const running = new Set();
  const envOf = (dir) => ({
    PATH: process.env.PATH,
    HOME: dir,
    NO_COLOR: '1',
    LANG: 'C.UTF-8',
    SFX_LOCAL_HOME: join(dir, 'engine'),
    SFX_LOCAL_PORT: String(port),
    SFX_CODE_CACHE: join(dir, 'code'),
  });
  const stop = (dir) => {
    for (const child of running) child.kill('SIGKILL');
    spawnSync(process.execPath, [bin, 'local', 'stop'], { cwd: dir, env: envOf(dir), timeout: PATIENCE_MS });
  };
  return withFolder((dir) => {
    const env = envOf(dir);
    return act({
      env,
      service: (n) => serviceOf(n, join(dir, `service-${n}`), env, running),
      bare: (name) => bareOf(join(dir, name), env, running),
    });
  }, stop);
}

/** A folder for a service that the caller writes. */
function bareOf(dir, env, running) {
  mkdirSync(dir, { recursive: true });
  return {
    dir,
    exitOf: async (words) => (await run(dir, env, words, running)).code,
    url: async () => JSON.parse((await run(dir, env, ['status', '--json'], running)).out).urls.http,
  };
}

function serviceOf(n, dir, env, running) {
  const run = (words, exits = [0]) => sfx(dir, env, words, exits, running);
  const edit = (edition) => generateService(dir, n, { name: `bench-${n}`, edition });
  edit(1);
  return {
    dir,
    sfx: run,
    /** The code of every function becomes another. */
    edit,
    url: async () => JSON.parse(await run(['status', '--json'])).urls.http,
  };
}
