import { randomInt } from 'node:crypto';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Scope, Table } from '@sfx-deploy/plugin';
import { isName } from '../names.js';
import type { AliasDocument, AliasWrite, EngineService, LiveService, TriggerDocument } from '../wire.js';
import type { Activations } from './activations.js';
import type { Backends } from './backends.js';
import { bucketsOf } from './bucket-folder.js';
import type { Caller, Ended } from './caller.js';
import type { Crowd } from './crowd.js';
import { makeFolder, readDocument, writeDocument } from './disk.js';
import { createGateway } from './gateway.js';
import type { Aim } from './later.js';
import { liveService } from './live.js';
import { LOOPBACK, listen, listenFrom } from './ports.js';
import { queueState } from './queues.js';
import { refusal } from './refusal.js';
import { namedHosts } from './request.js';
import { createRouter, pick, type Router, type RouteSource } from './router.js';
import { openCalls } from './stage-calls.js';
import { EVENTS, openStageEvents, type StageEvents } from './stage-events.js';
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

/** `stage.json` */
interface StageDocument extends Scope {
  readonly port: number | null;
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

interface State {
  events: StageEvents | undefined;
  readonly options: StageOptions;
  readonly versions: VersionStore;
  readonly aliases: Map<string, AliasDocument>;
  readonly triggers: Map<string, TriggerDocument>;
  router: Router;
  port: number | null;
  /** The port that it had before another program took it. */
  before: number | undefined;
  listening: boolean;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const { dir, scope, tmp, now, crowd, backends } = options;
  await makeFolder(join(dir, 'versions'));
  const environment = () => ({
    SFX_EVENTS_URL: `http://${LOOPBACK}:${options.port()}${EVENTS}${events.token}`,
    ...(state.port === null ? {} : { SFX_URL: `http://${LOOPBACK}:${state.port}` }),
  });
  const versions = await openVersions({
    scope,
    dir: join(dir, 'versions'),
    tmp,
    now,
    crowd,
    backends,
    environment,
  });
  const aliases = await readDocument<Record<string, AliasDocument>>(join(dir, 'aliases.json'));
  const triggers = await readDocument<TriggerDocument[]>(join(dir, 'triggers.json'));
  const saved = await readDocument<StageDocument>(join(dir, 'stage.json'));
  const state: State = {
    events: undefined,
    options,
    versions,
    aliases: new Map(Object.entries(aliases ?? {})),
    triggers: new Map((triggers ?? []).map((trigger) => [keyOf(trigger.kind, trigger.id), trigger])),
    router: createRouter([]),
    port: saved?.port ?? null,
    before: undefined,
    listening: false,
  };
  reroute(state);
  const choose = (alias: string, unit: string, candidate: boolean) =>
    chooseVersion(state, alias, unit, candidate);
  const { activations, caller, later } = openCalls(options, {
    choose,
    byId: (id) => versions.byId(id),
    aliasFor: (fn) => [...state.aliases].find(([, alias]) => Object.hasOwn(alias.table, fn))?.[0],
  });
  const token = (alias: string) => state.aliases.get(alias)?.token;
  const hosts = namedHosts(process.env['SFX_LOCAL_HOSTS']);
  const server = createGateway({ scope, caller, router: () => state.router, token }, { hosts });
  const events = await openStageEvents({
    scope,
    dir,
    tmp,
    now,
    caller,
    triggers: () => state.triggers.values(),
    log: (trigger, text) => logOf(state, trigger, text),
  });
  state.events = events;
  let chain: Promise<unknown> = Promise.resolve();
  return {
    scope,
    versions,
    caller,
    activations,
    events,
    later: (fn, payload, aim) => later.accept(fn, payload, aim),
    serially: (act) => {
      const next = chain.then(act);
      chain = next.catch(() => undefined);
      return next;
    },
    alias: (id) => state.aliases.get(id),
    setAlias: (id, write) => setAlias(state, id, write),
    namedBy: (version) =>
      [...state.aliases].filter(([, alias]) => names(alias.table).has(version)).map(([id]) => id),
    trigger: (kind, id) => state.triggers.get(keyOf(kind, id)),
    triggers: () => [...state.triggers.values()],
    async setTrigger(trigger) {
      const key = keyOf(trigger.kind, trigger.id);
      const before = state.triggers.get(key);
      await changeTriggers(state, (all) => all.set(key, trigger));
      try {
        await events.follow(trigger);
      } catch (error) {
        // What cannot deliver is not said to be there.
        await changeTriggers(state, (all) => (before === undefined ? all.delete(key) : all.set(key, before)));
        await events.follow({ kind: trigger.kind, id: '' });
        throw error;
      }
    },
    async removeTrigger(kind, id) {
      await changeTriggers(state, (all) => all.delete(keyOf(kind, id)));
      await events.follow({ kind, id });
      await events.forget(kind, id);
    },
    choose,
    url: () => (state.listening ? `http://${LOOPBACK}:${state.port}` : null),
    report: () => report(state),
    live: () => live(state),
    async open(from, reserved) {
      await openPort(state, server, from, reserved);
      await later.resume();
      await events.open();
      await events.follow();
    },
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([later.close(), events.close(graceMs), versions.close(graceMs)]);
      await closeConnections(server, closed);
      await activations.close();
      state.listening = false;
    },
  };
}

function keyOf(kind: string, id: string): string {
  return `${kind}\n${id}`;
}

function names(table: Table): Set<string> {
  return new Set(
    Object.values(table).flatMap((split) =>
      split.candidate ? [split.stable, split.candidate.version] : [split.stable],
    ),
  );
}

function chooseVersion(
  state: State,
  alias: string,
  unit: string,
  candidate: boolean,
): Chosen | 'nothing live' | 'no candidate' {
  const document = state.aliases.get(alias);
  const split = document?.table[unit];
  if (split === undefined) return 'nothing live';
  if (candidate && split.candidate === undefined) return 'no candidate';
  const id = candidate ? split.candidate!.version : pick(split, Math.random());
  const serving = state.versions.byId(id);
  if (serving === undefined) return 'nothing live';
  const stamped = document?.stamp?.release ?? 0;
  return { serving, release: id === split.stable ? (document?.live ?? stamped) : stamped };
}

async function setAlias(state: State, id: string, write: AliasWrite): Promise<AliasDocument | 'conflict'> {
  const now = state.aliases.get(id);
  if (now?.stamp !== undefined && now.stamp.fence > write.stamp.fence) return 'conflict';
  if (write.token !== (now?.token ?? null)) return 'conflict';
  checkTable(state.versions, write.to);
  const live = stableMoved(now?.table ?? {}, write.to) ? write.stamp.release : now?.live;
  const next: AliasDocument = {
    table: write.to,
    stamp: write.stamp,
    token: tokenAfter(now),
    ...(live === undefined ? {} : { live }),
  };
  const all = Object.fromEntries([...state.aliases, [id, next]]);
  await writeDocument(join(state.options.dir, 'aliases.json'), all);
  state.aliases.set(id, next);
  return next;
}

/** A unit that is new changes nothing for callers of the others; the first table of all does. */
function stableMoved(before: Table, after: Table): boolean {
  const known = Object.keys(after).filter((unit) => before[unit] !== undefined);
  return known.length === 0 || known.some((unit) => before[unit]!.stable !== after[unit]!.stable);
}

/** Never the same twice, also when an alias document was restored from somewhere. */
function tokenAfter(now: AliasDocument | undefined): string {
  const count = Number(now?.token.split('-')[0] ?? 0);
  return `${count + 1}-${randomInt(2 ** 40).toString(36)}`;
}

function checkTable(versions: VersionStore, table: Table): void {
  for (const [unit, split] of Object.entries(table)) {
    if (!isName(unit)) throw refusal(400, 'SFX6007', `not a name: ${JSON.stringify(unit)}`);
    const percent = split.candidate?.percent ?? 0;
    if (!Number.isInteger(percent) || percent < 0 || percent > 100) {
      throw refusal(400, 'SFX6010', `not a percent: ${String(percent)}`);
    }
  }
  for (const id of names(table)) {
    if (versions.byId(id) === undefined) throw refusal(404, 'SFX3105', `version ${id} is gone`);
  }
}

async function changeTriggers(
  state: State,
  change: (all: Map<string, TriggerDocument>) => unknown,
): Promise<void> {
  const next = new Map(state.triggers);
  change(next);
  await writeDocument(join(state.options.dir, 'triggers.json'), [...next.values()]);
  state.triggers.clear();
  for (const [key, trigger] of next) state.triggers.set(key, trigger);
  reroute(state);
}

/** Into the log of the version that is stable for the trigger's function; there may be none. */
function logOf(state: State, { alias, function: fn, id }: TriggerDocument, text: string): void {
  const stable = state.aliases.get(alias)?.table[fn]?.stable;
  const serving = stable === undefined ? undefined : state.versions.byId(stable);
  if (serving === undefined) process.stderr.write(`${id}: ${text}\n`);
  else serving.log('engine', text);
}

function reroute(state: State): void {
  const http = [...state.triggers.values()].filter((trigger) => trigger.kind === 'http' && trigger.enabled);
  state.router = createRouter(
    http.map((trigger) => {
      const props = trigger.props as unknown as Pick<RouteSource, 'method' | 'path' | 'cors' | 'authorizer'>;
      return {
        method: props.method,
        path: props.path,
        cors: props.cors,
        authorizer: props.authorizer ?? null,
        function: trigger.function,
        alias: trigger.alias,
      };
    }),
  );
}

function report(state: State): EngineService {
  const { service, stage } = state.options.scope;
  const all = state.versions.all();
  const note =
    state.before === undefined ? {} : { note: `port ${state.before} was taken; it has ${state.port} now` };
  return {
    service,
    stage,
    url: state.listening ? `http://${LOOPBACK}:${state.port}` : null,
    ...note,
    functions: [...new Set(all.map((one) => one.version.unit))].sort(),
    versions: all.length,
    instances: all.reduce((sum, one) => sum + one.pool.instances(), 0),
    queues: (state.events?.queues() ?? []).map(queueState),
    buckets: bucketsOf(state.options.dir, state.triggers.values()),
  };
}

function live(state: State): LiveService {
  const { url, queues = [] } = report(state);
  return liveService({
    ...state.options.scope,
    url,
    queues,
    aliases: [...state.aliases.values()],
    triggers: [...state.triggers.values()],
    now: state.options.now(),
    byId: (id) => state.versions.byId(id),
  });
}

/** Answers that are being written are written; then nothing is left open. */
async function closeConnections(server: Server, closed: Promise<void>): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), 10);
  const all = setTimeout(() => server.closeAllConnections(), 500);
  await closed;
  clearInterval(idle);
  clearTimeout(all);
}

async function openPort(
  state: State,
  server: Server,
  from: number,
  reserved: ReadonlySet<number>,
): Promise<void> {
  if (state.listening) return;
  const had = state.port;
  if (had === null || !(await listen(server, had))) {
    const port = await listenFrom(server, from, reserved);
    if (port === undefined) throw refusal(503, 'SFX6002', 'no free port is left');
    if (had !== null) state.before = had;
    state.port = port;
    await writeDocument(join(state.options.dir, 'stage.json'), { ...state.options.scope, port });
  }
  state.listening = true;
}
