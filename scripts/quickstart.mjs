// One release after another, as a user would do it: deploys a copy of examples/shop on a local engine of its own, calls
// it, sends an order through its queue, runs its schedule, sends 5 % to a changed version, promotes it, rolls it back,
// removes everything. Copy, state and engine live in one temporary folder, which is gone at the end, however it ends.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'packages/cli/bin/sfx.cjs');

const PERCENT = 5;
const CALLS = 2000;
/** Calls under way at once. */
const WIDTH = 20;
/** Of a normal distribution: 99.99 % lie within this many deviations. */
const Z = 3.891;
/** How long a command may take to end after it was asked to, and the engine after it was told to stop. */
const PATIENCE_MS = 20_000;

const stopped = new AbortController();

function say(text = '') {
  process.stdout.write(`${text}\n`);
}

/** Runs `sfx` in the service's folder; what it prints as result and as progress comes out here in one stream. */
function sfx(world, words, { quiet = false } = {}) {
  if (!quiet) {
    stopped.signal.throwIfAborted();
    say(`$ sfx ${words.join(' ')}`);
  }
  return new Promise((resolve, reject) => {
    // In a process group of its own, so that Ctrl-C reaches it once, from here.
    const child = spawn(process.execPath, [bin, ...words], {
      cwd: world.service,
      env: world.env,
      stdio: quiet ? 'ignore' : ['ignore', 1, 1],
      detached: true,
    });
    let patience;
    const onStop = () => {
      child.kill('SIGTERM');
      patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    };
    if (!quiet) stopped.signal.addEventListener('abort', onStop, { once: true });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(patience);
      stopped.signal.removeEventListener('abort', onStop);
      if (quiet || code === 0) return resolve();
      reject(new Error(`sfx ${words.join(' ')} ended with ${signal ?? code}`));
    });
  }).finally(() => !quiet && say());
}

/** What a command prints as result. */
async function answerOf(world, words) {
  const child = spawn(process.execPath, [bin, ...words], {
    cwd: world.service,
    env: world.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const parts = [];
  for await (const part of child.stdout) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

async function urlOf(world) {
  return JSON.parse(await answerOf(world, ['status', '--json'])).urls.http;
}

async function call(url) {
  const answer = await fetch(url, { signal: stopped.signal });
  const body = await answer.text();
  const version = answer.headers.get('x-sfx-version');
  const release = answer.headers.get('x-sfx-release');
  return { status: answer.status, version, release, body };
}

/** One call, shown with the headers that say which version answered, and for which release. */
async function show(url, wanted) {
  const { status, version, release, body } = await call(url);
  say(`GET ${url}`);
  say(`  ${status}   x-sfx-version: ${version}   x-sfx-release: ${release}`);
  say(`  ${body}`);
  say();
  if (status !== 200 || release !== wanted) throw new Error(`expected 200 from release ${wanted}`);
}

/** An order goes through the queue to the worker, the schedule runs now, a function in Python answers, all are listed. */
async function work(world, url) {
  const order = JSON.stringify({ product: '2', quantity: 3 });
  const answer = await fetch(`${url}/orders`, { method: 'POST', body: order, signal: stopped.signal });
  say(`POST ${url}/orders ${order}`);
  say(`  ${answer.status}   ${await answer.text()}`);
  say();
  if (answer.status !== 201) throw new Error('the order was not taken');
  await sfx(world, ['local', 'run', 'shop/dev/sweep']);
  if (world.python) {
    const stats = await call(`${url}/stats?prices=2400,900,5200`);
    say(`GET ${url}/stats?prices=2400,900,5200   (Python)`);
    say(`  ${stats.status}   ${stats.body}`);
    say();
    if (stats.status !== 200) throw new Error('the Python function did not answer');
  }
  // The worker has the order within a moment, and the schedule ran.
  await kept(world, (all) => all.some(did('worker', 'queue')) && all.some(did('sweep', 'schedule')));
  await sfx(world, ['activations']);
}

function did(name, cause) {
  return (one) => one.function === name && one.cause === cause && one.status === 'ok';
}

async function kept(world, enough) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { activations } = JSON.parse(await answerOf(world, ['activations', '--json']));
    if (enough(activations)) return;
    if (Date.now() > deadline) throw new Error('the worker or the schedule did not run');
    await sleep(100);
  }
}

/** Sends calls to a stage with an open canary and tells how many of them each release answered. */
async function measure(url) {
  say(`${CALLS} calls to GET ${url}`);
  const seen = new Map();
  let left = CALLS;
  const one = async () => {
    while (left-- > 0) {
      const { status, release } = await call(url);
      if (status !== 200) throw new Error(`a call was answered with ${status}`);
      seen.set(release, (seen.get(release) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, one));
  const expected = (CALLS * PERCENT) / 100;
  const spread = Z * Math.sqrt(expected * (1 - PERCENT / 100));
  const [low, high] = [Math.ceil(expected - spread), Math.floor(expected + spread)];
  const [stable, candidate] = [seen.get('1') ?? 0, seen.get('2') ?? 0];
  const share = ((100 * candidate) / CALLS).toFixed(1);
  say(`  release 1   ${String(stable).padStart(4)} calls`);
  say(
    `  release 2   ${String(candidate).padStart(4)} calls = ${share} %   expected ${low} to ${high} (99.99 %)`,
  );
  say();
  if (stable + candidate !== CALLS) throw new Error('calls were answered by something else');
  if (candidate < low || candidate > high) throw new Error(`the split is not ${PERCENT} %`);
}

async function edit(world) {
  const file = join(world.service, 'src/catalog.ts');
  const before = await readFile(file, 'utf8');
  const after = before.replace("name: 'Teapot', price: 2400", "name: 'Teapot', price: 2600");
  if (after === before) throw new Error('examples/shop has no teapot for 2400 any more');
  await writeFile(file, after);
  say('edit src/catalog.ts: the teapot costs 2600 instead of 2400');
  say();
}

async function story(world) {
  say('A copy of examples/shop, on a local engine of its own.');
  say();
  await sfx(world, ['deploy']);
  const url = await urlOf(world);
  await show(`${url}/products/1`, '1');
  await work(world, url);
  await edit(world);
  await sfx(world, ['deploy', '--canary', String(PERCENT)]);
  await measure(`${url}/products`);
  await sfx(world, ['status']);
  await sfx(world, ['promote']);
  await show(`${url}/products/1`, '2');
  await sfx(world, ['rollback']);
  // Release 3 equals release 1, and its versions are the same.
  await show(`${url}/products/1`, '3');
  await sfx(world, ['remove', '--yes']);
  await sfx(world, ['local', 'stop']);
}

/** Everything that this run makes, in one folder: the service, the engine's home, caches. */
async function makeWorld(folder) {
  const service = join(folder, 'shop');
  const example = join(root, 'examples/shop');
  await cp(example, service, {
    recursive: true,
    filter: (path) => !/[\\/](\.sfx|node_modules)$/.test(path),
  });
  const python = hasPython();
  if (!python) await withoutPython(join(service, 'serverless.yml'));
  const { SHOP_CURRENCY: _, ...env } = process.env;
  return {
    service,
    python,
    env: {
      ...env,
      SFX_LOCAL_HOME: join(folder, 'engine'),
      SFX_LOCAL_PORT: String(await freePort()),
      SFX_CODE_CACHE: join(folder, 'code'),
    },
  };
}

function hasPython() {
  return ['python3', 'python'].some((name) => {
    const asked = spawnSync(name, ['-c', 'import sys; print(sys.version_info[0])'], { encoding: 'utf8' });
    return asked.status === 0 && asked.stdout.trim() === '3';
  });
}

/** The shop has one function in Python; a machine without it runs the others. */
async function withoutPython(file) {
  say('There is no Python 3 here: the copy is without its one function in Python.');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^ {2}stats:\n(?: {4}.*\n)+/m, ''));
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Stops the engine, also one that was still starting when this run was interrupted, and removes the folder. */
async function tidy(world, folder) {
  if (world !== undefined) await sfx(world, ['local', 'stop'], { quiet: true });
  const deadline = Date.now() + PATIENCE_MS;
  for (let left = await processesOf(folder); left.length > 0; left = await processesOf(folder)) {
    for (const pid of left) end(pid, Date.now() > deadline ? 'SIGKILL' : 'SIGTERM');
    await sleep(50);
  }
  await rm(folder, { recursive: true, force: true });
}

/** Processes that were started with this run's folder in their words. Where the system does not tell: none. */
async function processesOf(folder) {
  if (!existsSync('/proc/self/cmdline')) return [];
  const found = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes(folder) && Number(pid) !== process.pid) found.push(Number(pid));
  }
  return found;
}

function end(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

async function main() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => stopped.abort(new Error(`stopped by ${signal}`, { cause: signal })));
  }
  // Whoever reads along may leave first; what was started is ended all the same.
  process.stdout.on('error', (error) => {
    stopped.abort(new Error('nobody reads what it says', { cause: 'SIGPIPE' }));
    if (error.code !== 'EPIPE') throw error;
  });
  if (!existsSync(join(root, 'packages/cli/dist/sfx.cjs'))) {
    say('sfx is not built here. Run `npm run build` first.');
    return 1;
  }
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sfx-quickstart-')));
  let world;
  try {
    world = await makeWorld(folder);
    await story(world);
  } catch (error) {
    const { reason, aborted } = stopped.signal;
    say(aborted ? `${reason.message}; nothing is left behind.` : `The quickstart failed: ${error.message}`);
    return aborted ? 128 + constants.signals[reason.cause] : 1;
  } finally {
    await tidy(world, folder);
  }
  say('Done. No process and no file is left. Now with a service of your own: README.md.');
  return 0;
}

process.exitCode = await main();
