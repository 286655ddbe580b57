import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startOf } from '../processes.js';
import { ENGINE_VERSION, type EngineInfo, type EngineSettings, PROTOCOL, type StartReport } from '../wire.js';
import { createAdmin } from './admin/admin.js';
import type { Engine } from './admin/routes/route.js';
import { tokenOf } from './admin/token.js';
import { makeFolder, readDocument, writeDocument } from './disk.js';
import { acquire } from './lock.js';
import { listen, listenFrom, whoListens } from './ports.js';
import { isRefusal, refusal, textOf } from './refusal.js';
import { openStages, reservedPorts, type Stages } from './stage/stages.js';
import { DRAIN_MS } from './stage/versions.js';
import { createExporter, type Exporter, otlpOf } from './telemetry/otlp.js';

/** The daemon: one per home, started by the first command that needs it, found by `engine.json`. */
const TICK_MS = 30_000;

async function start(settings: EngineSettings): Promise<void> {
  const { home } = settings;
  process.umask(0o077);
  const lock = await acquire(home);
  if (lock.kind === 'held') {
    await tell({ kind: 'held', pid: lock.pid });
    process.exit(0);
  }
  // What a killed daemon left half done; nothing names it.
  await rm(join(home, 'tmp'), { recursive: true, force: true });
  await makeFolder(join(home, 'tmp'));
  const token = await tokenOf(home);
  let stages: Stages | undefined;
  let info: EngineInfo | undefined;
  let exporter: Exporter | undefined;
  const stop = once(async () => {
    const hurry = setTimeout(() => process.exit(1), DRAIN_MS + 5_000);
    hurry.unref();
    admin.close();
    await stages?.save();
    await stages?.close(DRAIN_MS);
    await exporter?.close();
    lock.release();
    process.exit(0);
  });
  const ready = <T>(part: T | undefined): T => {
    if (part === undefined || info === undefined) throw refusal(503, 'SFX6001', 'the engine is starting');
    return part;
  };
  const engine: Engine = {
    get stages() {
      return ready(stages);
    },
    info: () => ready(info),
    // After the answer to who asked is on its way.
    stop: () => void setTimeout(stop, 20),
  };
  const admin = createAdmin(engine, token);
  const before = await readDocument<EngineInfo>(join(home, 'engine.json')).catch(() => undefined);
  const opened = await openPort(admin, settings, before?.port, await reservedPorts(home));
  exporter = exporterOf(settings);
  stages = await openStages({
    home,
    now: Date.now,
    port: () => opened.port,
    firstPort: () => opened.port + 1,
    exporter,
    blanks: settings.blanks,
    idleMs: settings.idleMs,
  });
  info = {
    protocol: PROTOCOL,
    version: ENGINE_VERSION,
    pid: process.pid,
    start: startOf(process.pid) ?? null,
    ...opened,
    home,
    started: new Date().toISOString(),
    ...(settings.otlp !== undefined && { otlp: settings.otlp }),
  };
  await writeDocument(join(home, 'engine.json'), info);
  keepTidy(stages, settings.idleMs ?? TICK_MS);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  note(`ready on port ${opened.port}`);
  await tell({ kind: 'ready' });
}

/** Stops instances that nobody calls, and saves metrics, from time to time. */
function keepTidy(stages: Stages, idleMs: number): void {
  setInterval(
    () => {
      stages.sweep(Date.now());
      stages.save().catch((error: unknown) => note(`metrics were not saved: ${textOf(error)}`));
    },
    Math.min(TICK_MS, Math.max(100, idleMs / 2)),
  );
}

function exporterOf(settings: EngineSettings): Exporter | undefined {
  const asked = otlpOf(settings.otlp, process.env);
  if (asked !== undefined && 'problem' in asked) note(asked.problem);
  return asked === undefined || 'problem' in asked ? undefined : createExporter({ ...asked, log: note });
}

/** The port asked for. Without a wish: the one from before, 4100, or the next free one, which is said. */
async function openPort(
  admin: ReturnType<typeof createAdmin>,
  settings: EngineSettings,
  before: number | undefined,
  reserved: ReadonlySet<number>,
): Promise<{ port: number; note?: string }> {
  const { port, explicit } = settings;
  if (explicit) {
    if (await listen(admin, port)) return { port };
    throw refusal(503, 'SFX6002', `port ${port} is taken by ${whoListens(port) ?? 'another program'}`);
  }
  if (before !== undefined && before !== port && (await listen(admin, before))) return { port: before };
  if (await listen(admin, port)) return { port };
  const who = whoListens(port) ?? 'another program';
  const next = await listenFrom(admin, port + 1, reserved);
  if (next === undefined) throw refusal(503, 'SFX6002', `no port from ${port} upward is free`);
  return { port: next, note: `port ${port} is taken by ${who}` };
}

/** To whoever started this process, as long as it listens. */
function tell(report: StartReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send(report, () => {
      if (process.connected) process.disconnect();
      resolve();
    });
  });
}

function note(text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${text}\n`);
}

function once(act: () => Promise<void>): () => void {
  let began = false;
  return () => {
    if (began) return;
    began = true;
    act().catch((error: unknown) => {
      note(`did not stop cleanly: ${textOf(error)}`);
      process.exit(1);
    });
  };
}

process.on('uncaughtException', (error) => {
  // What it would do next cannot be known; what it keeps is on disk, and the next command starts it again.
  note(`stopped by a defect: ${error.stack ?? error.message}`);
  process.exit(1);
});

start(JSON.parse(process.argv[2] ?? '{}') as EngineSettings).catch(async (error: unknown) => {
  note(`did not start: ${error instanceof Error ? error.stack : textOf(error)}`);
  await tell({ kind: 'failed', code: isRefusal(error) ? error.code : 'SFX6001', message: textOf(error) });
  process.exit(1);
});
