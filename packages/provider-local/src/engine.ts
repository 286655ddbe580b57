import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  fail,
  type Identity,
  isObject,
  type JsonObject,
  messageOf,
  type Run,
  type Scope,
} from '@sfx-deploy/plugin';
import { type Address, type Client, createClient, knock } from './client.js';
import { homeOf, settingsOf } from './options.js';
import { isRunning } from './processes.js';
import { START_MS, spawnDaemon } from './spawn.js';
import {
  type EngineInfo,
  type EngineService,
  type EngineSettings,
  PROTOCOL,
  type StartReport,
} from './wire.js';

/** The daemon of a home, found or started. */
export interface Engine extends Address {
  readonly info: EngineInfo;
  /** This command started it. */
  readonly started: boolean;
}

export interface EngineStarted {
  /** False when it ran already. */
  readonly started: boolean;
  readonly home: string;
  readonly pid: number;
  readonly url: string;
  /** Where it is not as one would expect: `port 4100 is taken by process 812 (nginx)`. */
  readonly note?: string;
}

/** What `sfx local status` shows. */
export interface EngineStatus {
  readonly running: boolean;
  readonly home: string;
  readonly pid?: number;
  readonly url?: string;
  readonly note?: string;
  readonly services: readonly EngineService[];
}

export interface EngineStopped {
  /** False when none ran. */
  readonly stopped: boolean;
  readonly home: string;
  readonly pid?: number;
  /** Services that stay in the home and are back with the next start. */
  readonly services: readonly EngineService[];
}

const ANSWER_MS = 5_000;
const STOP_MS = 20_000;
const LOOK_MS = 40;

/**
 * The engine of `SFX_LOCAL_HOME`, started if none runs. Two commands that start it at once find the same one.
 * Errors: SFX6001 (did not start), SFX6002 (the port that was asked for is taken), SFX6004, SFX6005, SFX6006.
 */
export async function reachEngine(run: Run, options: JsonObject): Promise<Engine> {
  const settings = settingsOf(options, run.env);
  await useHome(settings.home);
  const deadline = run.now() + START_MS;
  for (;;) {
    const running = await findEngine(settings.home, run);
    if (running !== undefined) return { ...running, started: false };
    const report = await spawnDaemon(settings, run);
    const found = await waitForEngine(settings.home, report, run);
    if (found !== undefined) return { ...found, started: report.kind === 'ready' };
    // Another command's daemon had the lock, and ended before it was ready: what it failed at may be its own.
    if (run.now() > deadline) throw fail('SFX6001', `no engine answers for ${settings.home}`);
  }
}

/** The same for people: without what opens its admin door. */
export async function startEngine(run: Run, options: JsonObject = {}): Promise<EngineStarted> {
  const { info, started } = await reachEngine(run, options);
  const note = info.note === undefined ? {} : { note: info.note };
  return { started, home: info.home, pid: info.pid, url: urlOf(info), ...note };
}

/** What runs and what it keeps; starts nothing. */
export async function engineStatus(run: Run): Promise<EngineStatus> {
  const home = homeOf(run.env);
  const engine = await findEngine(home, run);
  if (engine === undefined) return { running: false, home, services: [] };
  const { info } = engine;
  return {
    running: true,
    home,
    pid: info.pid,
    url: urlOf(info),
    ...(info.note !== undefined && { note: info.note }),
    services: await servicesOf(engine, run),
  };
}

/** Lets calls finish, then stops the engine. What it keeps stays. Throws SFX6001 when it cannot be stopped. */
export async function stopEngine(run: Run): Promise<EngineStopped> {
  const home = homeOf(run.env);
  const engine = await findEngine(home, run);
  if (engine === undefined) return { stopped: false, home, services: [] };
  const { pid, start } = engine.info;
  const services = await servicesOf(engine, run);
  await withClient(engine, run, (client) =>
    client.ask({ op: 'engine.stop', on: 'engine', method: 'POST', path: '/v1/stop' }),
  );
  const deadline = run.now() + STOP_MS;
  while (isRunning(pid, start)) {
    if (run.now() > deadline)
      throw fail('SFX6001', `the engine (pid ${pid}) does not stop`, {
        hint: killHint(pid),
      });
    await run.sleep(LOOK_MS);
  }
  return { stopped: true, home, pid, services };
}

/** Takes away all that a running engine keeps of a service and stage; gone is success. */
export async function forgetStage({ service, stage }: Scope, run: Run): Promise<void> {
  const engine = await findEngine(homeOf(run.env), run);
  if (engine === undefined) return;
  await withClient(engine, run, (client) =>
    client.ask({ op: 'forget', on: stage, method: 'DELETE', path: `/v1/stages/${service}/${stage}` }),
  );
}

/** Shown before the first write. */
export function identityOf(engine: Engine, asked: EngineSettings): Identity {
  const { info, started } = engine;
  const notes = [
    started ? `started, pid ${info.pid}, stops with \`sfx local stop\`` : undefined,
    info.note,
    asked.explicit && asked.port !== info.port
      ? `port ${asked.port} takes effect after \`sfx local stop\``
      : undefined,
    asked.otlp !== undefined && asked.otlp !== info.otlp
      ? 'the address for spans takes effect after `sfx local stop`'
      : undefined,
  ].filter((note) => note !== undefined);
  return { where: `local engine ${urlOf(info)}`, ...(notes.length > 0 && { note: notes.join('; ') }) };
}

function killHint(pid: number): string {
  return `End it with \`kill -9 ${pid}\`; what it keeps is on disk.`;
}

function urlOf(info: EngineInfo): string {
  return `http://127.0.0.1:${info.port}`;
}

async function servicesOf(engine: Address, run: Run): Promise<readonly EngineService[]> {
  const status = await withClient(engine, run, (client) =>
    client.ask<{ services: EngineService[] }>({
      op: 'engine.status',
      on: 'engine',
      method: 'GET',
      path: '/v1/status',
    }),
  );
  return status.services;
}

async function withClient<T>(engine: Address, run: Run, act: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient(engine, async () => engine, run);
  try {
    return await act(client);
  } finally {
    client.close();
  }
}

/** The engine of a home that answers. Undefined when none runs. */
async function findEngine(home: string, run: Run): Promise<Omit<Engine, 'started'> | undefined> {
  const deadline = run.now() + STOP_MS;
  for (;;) {
    const info = await readJson<EngineInfo>(join(home, 'engine.json'));
    const token = (await readMaybe(join(home, 'token')))?.trim();
    // The port of a daemon that is gone may be another program's by now, and the token is not for that.
    if (info === undefined || token === undefined || !isRunning(info.pid, info.start)) return undefined;
    const answer = await knock({ port: info.port, token }, ANSWER_MS);
    if (isObject(answer?.body) && answer.status === 200 && answer.body['pid'] === info.pid) {
      checkProtocol(info);
      return { info, port: info.port, token };
    }
    if (answer?.status === 401) {
      throw fail(
        'SFX6003',
        `the engine (pid ${info.pid}) does not know the token in ${join(home, 'token')}`,
        {
          hint: `End it with \`kill ${info.pid}\`, then run the command again.`,
        },
      );
    }
    // It may be stopping.
    if (run.now() > deadline) {
      throw fail('SFX6001', `the engine (pid ${info.pid}) does not answer on port ${info.port}`, {
        hint: killHint(info.pid),
      });
    }
    await run.sleep(LOOK_MS);
  }
}

function checkProtocol(info: EngineInfo): void {
  if (info.protocol === PROTOCOL) return;
  throw fail(
    'SFX6006',
    `the engine that runs (pid ${info.pid}) is of sfx ${info.version}, which this one does not understand`,
  );
}

/** Undefined when the daemon that has the lock ended before it was ready. */
async function waitForEngine(
  home: string,
  report: StartReport,
  run: Run,
): Promise<Omit<Engine, 'started'> | undefined> {
  const deadline = run.now() + START_MS;
  for (;;) {
    const found = await findEngine(home, run);
    if (found !== undefined) return found;
    if (report.kind === 'held' && !isRunning(report.pid, null)) return undefined;
    if (run.now() > deadline) throw fail('SFX6001', `no engine answers for ${home}`);
    await run.sleep(LOOK_MS);
  }
}

/** The folder is made for this user alone; one that others may write to is not used. */
async function useHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    const { uid, mode } = await stat(home);
    if (process.getuid !== undefined && uid !== process.getuid())
      throw fail('SFX6005', `${home} belongs to another user`);
    if (process.platform !== 'win32' && (mode & 0o022) !== 0)
      throw fail('SFX6005', `${home} can be written by other users`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOSPC') throw fail('SFX6004', `the disk is full at ${home}`, { cause: error });
    if (/^E[A-Z]+$/.test(code))
      throw fail('SFX6005', `${home} cannot be used: ${messageOf(error)}`, { cause: error });
    throw error;
  }
}

async function readMaybe(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fail('SFX6005', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readMaybe(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    // Written whole or not at all; what is not JSON was put there by another hand, and a start writes it anew.
    return undefined;
  }
}
