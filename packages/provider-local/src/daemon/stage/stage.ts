import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Scope } from '@sfx-deploy/plugin';
import type { AliasDocument, AliasWrite, EngineService, LiveService, TriggerDocument } from '../../wire.js';
import type { Activations } from '../calls/activations.js';
import type { Caller, Ended } from '../calls/caller.js';
import type { Aim } from '../calls/later.js';
import { openCalls, type StageCalls } from '../calls/stage-calls.js';
import { makeFolder } from '../disk.js';
import { bucketsOf } from '../feeds/bucket-folder.js';
import { createGateway } from '../http/gateway.js';
import { namedHosts } from '../http/request.js';
import type { Backends } from '../instances/backends.js';
import type { Crowd } from '../instances/crowd.js';
import { LOOPBACK } from '../ports.js';
import { queueState } from '../queues/queues.js';
import { liveService } from '../telemetry/live.js';
import { type Aliases, openAliases } from './aliases.js';
import { EVENTS, openStageEvents, type StageEvents } from './stage-events.js';
import { createStagePort, type StagePort } from './stage-port.js';
import { openTriggers, type StageTriggers } from './stage-triggers.js';
import { type Chosen, openVersions, type VersionStore } from './versions.js';

/** One service and stage on the engine: its versions, aliases, triggers, its port and the gateway behind it. */
export interface Stage {
  readonly scope: Scope;
  readonly versions: VersionStore;
  readonly caller: Caller;
  readonly activations: Activations;
  /** Its queues, topics and feeds. */
  readonly events: StageEvents;
  /**
   * Takes a call that nobody waits for; the id of its activation once it is on disk. `payload`: JSON as text. Throws
   * SFX6112, SFX6012, SFX6013, SFX6004.
   */
  later(fn: string, payload: string, aim: Aim): Promise<string>;
  /** Changes to one stage happen one after the other. */
  serially<T>(act: () => Promise<T>): Promise<T>;
  alias(id: string): AliasDocument | undefined;
  /** Conflict: the token is not the current one, or a later fence was seen. Throws SFX3105 when a named version is gone. */
  setAlias(id: string, write: AliasWrite): Promise<AliasDocument | 'conflict'>;
  /** Aliases that name a version. */
  namedBy(version: string): readonly string[];
  trigger(kind: string, id: string): TriggerDocument | undefined;
  triggers(): readonly TriggerDocument[];
  setTrigger(trigger: TriggerDocument): Promise<void>;
  removeTrigger(kind: string, id: string): Promise<void>;
  choose(alias: string, unit: string, candidate: boolean): Chosen | 'nothing live' | 'no candidate';
  url(): string | null;
  report(): EngineService;
  /** For the page: names and counts. */
  live(): LiveService;
  /** Opens its port: its own from before, or the next free one. */
  open(from: number, reserved: ReadonlySet<number>): Promise<void>;
  close(graceMs: number): Promise<void>;
}

export interface StageOptions {
  readonly scope: Scope;
  readonly dir: string;
  readonly tmp: string;
  readonly now: () => number;
  /** The engine's own port. */
  readonly port: () => number;
  readonly crowd: Crowd;
  readonly backends: Backends;
  /** Told of every call that is over, for traces. */
  readonly ended?: Ended | undefined;
}

/** What a stage is made of. */
interface Parts {
  readonly options: StageOptions;
  readonly versions: VersionStore;
  readonly aliases: Aliases;
  readonly triggers: StageTriggers;
  readonly port: StagePort;
  readonly calls: StageCalls;
  readonly events: StageEvents;
  readonly server: Server;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const parts = await partsOf(options);
  const { versions, aliases, triggers, port, calls, events } = parts;
  let chain: Promise<unknown> = Promise.resolve();
  return {
    scope: options.scope,
    versions,
    caller: calls.caller,
    activations: calls.activations,
    events,
    later: (fn, payload, aim) => calls.later.accept(fn, payload, aim),
    serially: (act) => {
      const next = chain.then(act);
      chain = next.catch(() => undefined);
      return next;
    },
    alias: aliases.get,
    setAlias: aliases.set,
    namedBy: aliases.naming,
    trigger: triggers.get,
    triggers: triggers.all,
    setTrigger: (trigger) => setTrigger(parts, trigger),
    async removeTrigger(kind, id) {
      await triggers.remove(kind, id);
      await events.follow({ kind, id });
      await events.forget(kind, id);
    },
    choose: aliases.choose,
    url: port.url,
    report: () => report(parts),
    live: () => live(parts),
    async open(from, reserved) {
      await port.open(parts.server, from, reserved);
      await calls.later.resume();
      await events.open();
      await events.follow();
    },
    close: (graceMs) => close(parts, graceMs),
  };
}

async function partsOf(options: StageOptions): Promise<Parts> {
  const { dir, scope, tmp, now, crowd, backends } = options;
  await makeFolder(join(dir, 'versions'));
  const port = await createStagePort(dir, scope);
  // Asked when an instance loads, which is after all is open.
  const environment = () => {
    const own = port.address();
    return {
      SFX_EVENTS_URL: `http://${LOOPBACK}:${options.port()}${EVENTS}${events.token}`,
      ...(own === null ? {} : { SFX_URL: own }),
    };
  };
  const folder = join(dir, 'versions');
  const versions = await openVersions({ scope, dir: folder, tmp, now, crowd, backends, environment });
  const aliases = await openAliases(dir, versions);
  const triggers = await openTriggers(dir);
  const { choose, having: aliasFor } = aliases;
  const calls = openCalls(options, { choose, byId: versions.byId, aliasFor });
  const { caller } = calls;
  const token = (alias: string) => aliases.get(alias)?.token;
  const hosts = namedHosts(process.env['SFX_LOCAL_HOSTS']);
  const server = createGateway({ scope, caller, router: triggers.router, token }, { hosts });
  const log = logger(aliases, versions);
  const events = await openStageEvents({ scope, dir, tmp, now, caller, triggers: triggers.all, log });
  return { options, versions, aliases, triggers, port, calls, events, server };
}

async function setTrigger({ triggers, events }: Parts, trigger: TriggerDocument): Promise<void> {
  const { kind, id } = trigger;
  const before = triggers.get(kind, id);
  await triggers.set(trigger);
  try {
    await events.follow(trigger);
  } catch (error) {
    // What cannot deliver is not said to be there.
    await (before === undefined ? triggers.remove(kind, id) : triggers.set(before));
    await events.follow({ kind, id: '' });
    throw error;
  }
}

async function close({ server, versions, calls, events, port }: Parts, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await Promise.all([calls.later.close(), events.close(graceMs), versions.close(graceMs)]);
  await port.close(server, closed);
  await calls.activations.close();
}

/** Into the log of the version that is stable for a trigger's function; there may be none. */
function logger(aliases: Aliases, versions: VersionStore) {
  return ({ alias, function: fn, id }: TriggerDocument, text: string): void => {
    const stable = aliases.get(alias)?.table[fn]?.stable;
    const serving = stable === undefined ? undefined : versions.byId(stable);
    if (serving === undefined) process.stderr.write(`${id}: ${text}\n`);
    else serving.log('engine', text);
  };
}

function report({ options, versions, triggers, port, events }: Parts): EngineService {
  const { service, stage } = options.scope;
  const all = versions.all();
  const note = port.note();
  return {
    service,
    stage,
    url: port.url(),
    ...(note === undefined ? {} : { note }),
    functions: [...new Set(all.map((one) => one.version.unit))].sort(),
    versions: all.length,
    instances: all.reduce((sum, one) => sum + one.pool.instances(), 0),
    queues: events.queues().map(queueState),
    buckets: bucketsOf(options.dir, triggers.all()),
  };
}

function live(parts: Parts): LiveService {
  const { url, queues = [] } = report(parts);
  const { options, aliases, triggers, versions } = parts;
  return liveService({
    ...options.scope,
    url,
    queues,
    aliases: aliases.all(),
    triggers: triggers.all(),
    now: options.now(),
    byId: versions.byId,
  });
}
