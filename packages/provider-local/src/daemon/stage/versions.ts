import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Digest, Scope, Version } from '@sfx-deploy/plugin';
import { physicalName, shownVersion, versionId } from '../../names.js';
import type { StageMeta, VersionConfig } from '../../wire.js';
import {
  guarded,
  makeFolder,
  namesIn,
  readDocument,
  syncFolder,
  writeDocument,
  writeSynced,
} from '../disk.js';
import type { Backends } from '../instances/backends.js';
import type { Crowd } from '../instances/crowd.js';
import { createPool, type Pool } from '../instances/pool.js';
import { errnoOf } from '../refusal.js';
import { type LogStream, type VersionLog, versionLog } from '../telemetry/logs.js';
import { type SavedMetrics, type VersionMetrics, versionMetrics } from '../telemetry/metrics.js';
import { readZip } from './zip.js';

/** `version.json`: what makes a version what it is, beside its unpacked artifact. Holds environment values, so it is 0600. */
interface VersionDocument {
  readonly unit: string;
  readonly digest: Digest;
  readonly release: number;
  readonly config: VersionConfig;
  /** Its files hold native code (`*.node`): it runs as a process unless it says otherwise. */
  readonly native?: true;
  /** ISO 8601. */
  readonly staged: string;
}

/** A version that can be called. */
export interface Serving {
  readonly version: Version;
  readonly pool: Pool;
  readonly metrics: VersionMetrics;
  readonly logs: VersionLog;
  /** As callers see it in `x-sfx-version`. */
  readonly shown: string;
  log(stream: LogStream, text: string, activation?: string): void;
}

/** The version that takes a call, and the release that it takes it for. */
export interface Chosen {
  readonly serving: Serving;
  readonly release: number;
}

/** The versions of one service and stage. */
export interface VersionStore {
  list(unit: string): readonly Version[];
  all(): readonly Serving[];
  /** By digest, or the part of it that is in the version's name. */
  byKey(unit: string, hex: string): Serving | undefined;
  byId(id: string): Serving | undefined;
  /**
   * Idempotent by digest. Throws SFX6008 (not a good artifact), SFX6004 (disk full), SFX6130 (no Python for it): then
   * nothing of it is kept.
   */
  put(unit: string, hex: string, meta: StageMeta, zip: Buffer): Promise<Version>;
  /** Lets its calls finish, then removes it. Gone is success. */
  remove(version: Version): Promise<void>;
  /** Metrics to the disk. */
  save(): Promise<void>;
  close(graceMs: number): Promise<void>;
}

/** How long calls of a version that is removed or stopped may go on. */
export const DRAIN_MS = 10_000;

export interface VersionStoreOptions {
  readonly scope: Scope;
  /** `versions` of the stage. */
  readonly dir: string;
  /** For what is not whole yet; on the same disk. */
  readonly tmp: string;
  readonly now: () => number;
  readonly crowd: Crowd;
  /** What every handler of the stage gets beside its own. */
  readonly environment: () => Readonly<Record<string, string>>;
  readonly backends: Backends;
}

export async function openVersions(options: VersionStoreOptions): Promise<VersionStore> {
  const serving = new Map<string, Serving>();
  const keep = async (document: VersionDocument) => {
    const one = await serve(options, document);
    serving.set(one.version.id, one);
    return one.version;
  };
  for (const unit of await namesIn(options.dir)) {
    for (const hex of await namesIn(join(options.dir, unit))) {
      const document = await readDocument<VersionDocument>(join(options.dir, unit, hex, 'version.json'));
      if (document !== undefined) await keep(document);
    }
  }
  const byKey = (unit: string, hex: string) => serving.get(versionId(unit, hex));
  return {
    list: (unit) =>
      [...serving.values()].map((one) => one.version).filter((version) => version.unit === unit),
    all: () => [...serving.values()],
    byKey,
    byId: (id) => serving.get(id),
    async put(unit, hex, meta, zip) {
      const known = byKey(unit, hex);
      if (known !== undefined) return known.version;
      await options.backends.check(meta.config, { ...hostEnvironment(), ...meta.config.environment });
      const native = isNative(zip, meta.config);
      const document: VersionDocument = {
        unit,
        digest: `sha256:${hex}`,
        release: meta.release,
        config: meta.config,
        ...(native && { native }),
        staged: new Date(options.now()).toISOString(),
      };
      await unpack(options, document, hex, zip);
      const version = await keep(document);
      if (native) serving.get(version.id)?.log('engine', NATIVE);
      return version;
    },
    async remove(version) {
      const known = serving.get(version.id);
      if (known === undefined) return;
      serving.delete(version.id);
      await known.pool.drain(DRAIN_MS);
      known.pool.leave();
      await known.logs.flush();
      await discard(options, folderOf(options, known.version));
    },
    async save() {
      for (const one of serving.values()) {
        if (one.metrics.changed()) await writeDocument(metricsFile(options, one.version), one.metrics.save());
      }
    },
    async close(graceMs) {
      await Promise.all(
        [...serving.values()].map((one) =>
          one.pool.drain(graceMs).then(() => {
            one.pool.leave();
            return one.logs.flush();
          }),
        ),
      );
    },
  };
}

function folderOf(options: VersionStoreOptions, version: Version): string {
  return join(options.dir, version.unit, version.digest.slice('sha256:'.length));
}

function metricsFile(options: VersionStoreOptions, version: Version): string {
  return join(folderOf(options, version), 'metrics.json');
}

async function serve(options: VersionStoreOptions, document: VersionDocument): Promise<Serving> {
  const { unit, digest, release, config } = document;
  const hex = digest.slice('sha256:'.length);
  const version: Version = { unit, id: versionId(unit, hex), digest, release };
  const folder = folderOf(options, version);
  const files = join(folder, 'files');
  const logs = versionLog(join(folder, 'log'), options.now);
  const saved = await readDocument<SavedMetrics>(metricsFile(options, version)).catch(() => undefined);
  const shown = shownVersion(unit, hex);
  const context = {
    function: unit,
    version: version.id,
    release,
    service: options.scope.service,
    stage: options.scope.stage,
  };
  const pool = createPool({
    name: physicalName(options.scope, unit),
    memory: config.memory,
    timeout: config.timeout,
    now: options.now,
    crowd: options.crowd,
    start: options.backends.of(document.native ? { ...config, isolation: 'process' } : config, files),
    folder: files,
    config,
    log: logs.write,
    load: {
      memory: config.memory,
      module: pathToFileURL(join(files, `${unit}.mjs`)).href,
      root: pathToFileURL(`${files}/`).href,
      // When an instance loads: ports may be others than before.
      get environment() {
        return { ...hostEnvironment(), ...options.environment(), ...config.environment };
      },
      context,
    },
  });
  return { version, pool, metrics: versionMetrics(options.now, saved), logs, shown, log: logs.write };
}

const NATIVE =
  'its files hold native code (*.node), so it runs as a process of its own; `isolation: thread` says otherwise';

/** A thread would load native code into the engine's own process, where its faults are the engine's. */
function isNative(zip: Buffer, { command, isolation, runtime }: VersionConfig): boolean {
  const chosen = command !== undefined || isolation !== undefined || !runtime.startsWith('node');
  return !chosen && readZip(zip).some((entry) => entry.path.endsWith('.node'));
}

/** What a program needs of its machine; nothing else of the daemon's environment reaches a handler. */
function hostEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'SystemRoot', 'TEMP'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Whole in `tmp` first, then renamed into place. */
async function unpack(
  options: VersionStoreOptions,
  document: VersionDocument,
  hex: string,
  zip: Buffer,
): Promise<void> {
  const aside = join(options.tmp, randomBytes(8).toString('hex'));
  const target = join(options.dir, document.unit, hex);
  try {
    await guarded(async () => {
      await mkdir(join(aside, 'files'), { recursive: true, mode: 0o700 });
      for (const entry of readZip(zip)) {
        const path = join(aside, 'files', entry.path);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeSynced(path, entry.data(), entry.executable ? 0o700 : 0o600);
      }
    });
    await writeDocument(join(aside, 'version.json'), document);
    await makeFolder(dirname(target));
    await guarded(() => rename(aside, target).catch((error: unknown) => replaceRest(error, aside, target)));
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

/** A folder without `version.json`, from a removal that was cut off, gives way. */
async function replaceRest(error: unknown, aside: string, target: string): Promise<void> {
  const code = errnoOf(error);
  if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM') throw error;
  await rm(target, { recursive: true, force: true });
  await rename(aside, target);
}

/** Out of sight with one rename, then removed: a kill in between leaves no half version. */
async function discard(options: VersionStoreOptions, folder: string): Promise<void> {
  const aside = join(options.tmp, randomBytes(8).toString('hex'));
  await rename(folder, aside).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
  await rm(aside, { recursive: true, force: true });
}
