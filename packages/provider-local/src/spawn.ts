import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, type Run } from '@sfx-deploy/plugin';
import { daemonEntry } from './entries.js';
import type { EngineSettings, StartReport } from './wire.js';

/** How long a daemon may take until it is ready. */
export const START_MS = 30_000;
/** A log that is larger begins anew with the next start. */
const LOG_BYTES = 1024 * 1024;

/** A process of its own, that outlives this one and says how its start went. */
export async function spawnDaemon(settings: EngineSettings, run: Run): Promise<StartReport> {
  const { file, flags } = daemonEntry();
  const path = join(settings.home, 'engine.log');
  const log = await open(path, (await sizeOf(path)) > LOG_BYTES ? 'w' : 'a', 0o600);
  const { size } = await log.stat();
  const child = spawn(process.execPath, [...flags, fileURLToPath(file), JSON.stringify(settings)], {
    cwd: settings.home,
    detached: true,
    env: environmentOf(run.env),
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  });
  try {
    const report = await reportOf(child, run);
    if (report?.kind === 'failed') throw fail(report.code, report.message, { facts: { log: path } });
    if (report !== undefined) return report;
    throw fail('SFX6001', `it ended before it was ready${await tail(path, size)}`, { facts: { log: path } });
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
    await log.close();
  }
}

/** What a daemon says about its start; undefined when it ended, or said nothing for too long. */
async function reportOf(child: ChildProcess, run: Run): Promise<StartReport | undefined> {
  const over = new AbortController();
  const { signal } = over;
  const said = once(child, 'message', { signal }).then(([report]) => report as StartReport);
  const exited = once(child, 'exit', { signal }).then(() => undefined);
  const late = run.sleep(START_MS, signal).then(() => undefined);
  // Whichever comes second is of no interest any more.
  for (const ending of [said, exited, late]) ending.catch(() => undefined);
  try {
    return await Promise.race([said, exited, late]);
  } finally {
    over.abort();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Nothing of the caller's environment but what a program needs: a daemon outlives the command that started it. */
function environmentOf(env: Run['env']): Record<string, string> {
  const names = [
    'PATH',
    'HOME',
    'TMPDIR',
    'LANG',
    'TZ',
    'SystemRoot',
    'TEMP',
    'SFX_LOCAL_HOSTS',
    'SFX_PYTHON',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_HEADERS',
  ];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

async function tail(path: string, from: number): Promise<string> {
  const text = (await readFile(path)).subarray(from).toString('utf8').trim();
  return text === '' ? '' : `: ${text.split('\n').slice(-3).join(' / ')}`;
}
