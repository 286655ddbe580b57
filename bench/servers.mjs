// Local servers as processes: started, asked, loaded, measured, ended with all that they started.
import { spawn } from 'node:child_process';
import { once as event } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, get as httpGet } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { peerBin } from './peers.mjs';

const START_MS = 60_000;

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Status, body and milliseconds of one call; status 0 when there was no answer. */
export function ask(port, path, agent) {
  return new Promise((resolve) => {
    const began = performance.now();
    const request = httpGet({ host: '127.0.0.1', port, path, agent, timeout: START_MS }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text) => (body += text));
      answer.on('end', () => resolve({ status: answer.statusCode, body, ms: performance.now() - began }));
      answer.on('error', () => resolve({ status: 0, body: '', ms: 0 }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', () => resolve({ status: 0, body: '', ms: 0 }));
  });
}

/**
 * Starts a server and waits for its first 200 at `path`. Answers that time from its start, and how to end it.
 * @param {{ argv: string[], cwd?: string, env?: object, port: number, path: string }} server
 */
export async function startServer({ argv, cwd, env = {}, port, path }) {
  const began = performance.now();
  const child = spawn(argv[0], argv.slice(1), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-4000)));
  const stop = () => stopGroup(child);
  while ((await ask(port, path)).status !== 200) {
    if (child.exitCode !== null || performance.now() - began > START_MS) {
      await stop();
      throw new Error(`${argv.join(' ')} does not answer\n${said}`);
    }
    await sleep(2);
  }
  return { pid: child.pid, firstMs: performance.now() - began, stop };
}

async function stopGroup(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = event(child, 'exit');
  process.kill(-child.pid, 'SIGTERM');
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), 3_000);
  await gone;
  clearTimeout(timer);
}

/** Requests per second of `width` connections for `seconds`, as autocannon counts them. */
export async function cannon(url, width, seconds) {
  const file = join(peerBin('autocannon'), 'autocannon.js');
  const child = spawn(process.execPath, [file, '-j', '-n', '-c', String(width), '-d', String(seconds), url], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  await event(child, 'close');
  const { requests, non2xx, errors, timeouts } = JSON.parse(out);
  return { rate: requests.average, failed: non2xx + errors + timeouts };
}

export function keptAgent() {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** A process and all below it. */
function family(pid) {
  const all = [pid];
  for (const one of all) {
    try {
      for (const task of readdirSync(`/proc/${one}/task`)) {
        const children = readFileSync(`/proc/${one}/task/${task}/children`, 'utf8').trim();
        if (children !== '') all.push(...children.split(' ').map(Number));
      }
    } catch {
      // It ended meanwhile.
    }
  }
  return [...new Set(all)];
}

/** MB that a process and all below it keep in memory. Undefined where the system does not tell. */
export function memoryOf(pid) {
  let kilobytes = 0;
  for (const one of family(pid)) {
    try {
      kilobytes += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))[1]);
    } catch {
      // It ended meanwhile, or there is no /proc.
    }
  }
  return kilobytes === 0 ? undefined : kilobytes / 1024;
}
