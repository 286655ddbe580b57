import { randomBytes } from 'node:crypto';
import { rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scope } from '@sfx-deploy/plugin';
import { isName } from '../../names.js';
import { makeFolder, namesIn, readDocument } from '../disk.js';
import { createBackends } from '../instances/backends.js';
import { createCrowd } from '../instances/crowd.js';
import { errnoOf } from '../refusal.js';
import type { Exporter } from '../telemetry/otlp.js';
import { openStage, type Stage } from './stage.js';

/** All services and stages of a home. */
export interface Stages {
  all(): readonly Stage[];
  get(scope: Scope): Stage | undefined;
  /** Makes it, with a port of its own, when it is not there. */
  ensure(scope: Scope): Promise<Stage>;
  /** Takes away all that is kept of it. Gone is success. */
  forget(scope: Scope): Promise<void>;
  close(graceMs: number): Promise<void>;
  save(): Promise<void>;
  sweep(now: number): void;
}

export interface StagesOptions {
  readonly home: string;
  readonly now: () => number;
  /** The engine's own. */
  readonly port: () => number;
  /** Where ports of stages begin. */
  readonly firstPort: () => number;
  /** Threads that are kept ready; default `BLANKS`. */
  readonly blanks?: number | undefined;
  /** How long instances without calls are kept; default `IDLE_MS`. */
  readonly idleMs?: number | undefined;
  /** Where the spans of calls go, when somebody asked for them. */
  readonly exporter?: Exporter | undefined;
}

/** Ports that stages of a home had when it was last open: not to be given to anything else. */
export async function reservedPorts(home: string): Promise<Set<number>> {
  const ports = new Set<number>();
  for (const scope of await scopesIn(home)) {
    const saved = await readDocument<{ port: number | null }>(join(folderOf(home, scope), 'stage.json'));
    if (typeof saved?.port === 'number') ports.add(saved.port);
  }
  return ports;
}

export async function openStages(options: StagesOptions): Promise<Stages> {
  const { home, now } = options;
  const tmp = join(home, 'tmp');
  const crowd = createCrowd(options);
  const backends = createBackends(options);
  const stages = new Map<string, Promise<Stage>>();
  const opened = new Map<string, Stage>();
  const keyOf = (scope: Scope) => `${scope.service}/${scope.stage}`;

  const open = async (scope: Scope): Promise<Stage> => {
    const dir = folderOf(home, scope);
    await makeFolder(dir);
    const ended = options.exporter?.of(scope);
    const stage = await openStage({ scope, dir, tmp, now, crowd, backends, ended, port: options.port });
    await stage.open(options.firstPort(), await reservedPorts(home));
    opened.set(keyOf(scope), stage);
    return stage;
  };
  const ensure = (scope: Scope): Promise<Stage> => {
    const key = keyOf(scope);
    let stage = stages.get(key);
    if (stage === undefined) {
      stage = open(scope);
      stages.set(key, stage);
      // One that could not be made is tried again by the next request.
      stage.catch(() => stages.delete(key));
    }
    return stage;
  };

  for (const scope of await scopesIn(home)) await ensure(scope);
  return {
    all: () => [...opened.values()],
    get: (scope) => opened.get(keyOf(scope)),
    ensure,
    async forget(scope) {
      const stage = opened.get(keyOf(scope));
      if (stage === undefined) return;
      opened.delete(keyOf(scope));
      await stage.close(0);
      const aside = join(tmp, randomBytes(8).toString('hex'));
      await rename(folderOf(home, scope), aside);
      stages.delete(keyOf(scope));
      await rm(aside, { recursive: true, force: true });
      await removeEmpty(join(home, 'stages', scope.service));
    },
    async close(graceMs) {
      await Promise.all([...opened.values()].map((stage) => stage.close(graceMs)));
      backends.close();
    },
    async save() {
      for (const stage of opened.values()) await stage.versions.save();
    },
    sweep(at) {
      for (const stage of opened.values()) for (const one of stage.versions.all()) one.pool.sweep(at);
    },
  };
}

/** The folder of a service goes with its last stage. */
async function removeEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
  });
}

function folderOf(home: string, scope: Scope): string {
  return join(home, 'stages', scope.service, scope.stage);
}

async function scopesIn(home: string): Promise<Scope[]> {
  const found: Scope[] = [];
  for (const service of (await namesIn(join(home, 'stages'))).filter(isName)) {
    for (const stage of (await namesIn(join(home, 'stages', service))).filter(isName))
      found.push({ service, stage });
  }
  return found;
}
