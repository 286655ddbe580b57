import { randomUUID } from 'node:crypto';
import type { ErrorCode, Scope } from '@sfx-deploy/plugin';
import { hexOf, isName, keyOf } from '../names.js';
import type {
  AliasWrite,
  EngineInfo,
  EngineService,
  InvokeWrite,
  StageMeta,
  TriggerDocument,
  VersionConfig,
} from '../wire.js';
import type { Failure } from './outcomes.js';
import { refusal, textOf } from './refusal.js';
import type { Stage } from './stage.js';
import type { Stages } from './stages.js';
import type { Serving } from './versions.js';

/** What the admin door opens. */
export interface Engine {
  readonly stages: Stages;
  info(): EngineInfo;
  /** Begins to stop; the answer to who asked is sent first. */
  stop(): void;
}

export interface AdminCall {
  readonly engine: Engine;
  /** Values of `:name` in the path, checked. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly signal: AbortSignal;
}

export interface AdminRoute {
  readonly method: string;
  readonly pattern: string;
  /** Bytes of a body. */
  readonly limit: number;
  /** A function as the answer is a stream of lines. */
  act(call: AdminCall): Promise<unknown>;
}

const MB = 1024 * 1024;
const STAGE = '/v1/stages/:service/:stage';
const VERSION = `${STAGE}/versions/:unit/:digest`;

const routes: readonly AdminRoute[] = [
  route('GET', '/v1/health', async ({ engine }) => engine.info()),
  route(
    'GET',
    '/v1/status',
    async ({ engine }): Promise<{ info: EngineInfo; services: EngineService[] }> => ({
      info: engine.info(),
      services: engine.stages.all().map((stage) => stage.report()),
    }),
  ),
  route('POST', '/v1/stop', async ({ engine }) => engine.stop()),
  route('GET', STAGE, async (call) => (known(call) ?? missing('stage')).report()),
  route('DELETE', STAGE, (call) => call.engine.stages.forget(scopeOf(call))),
  route(
    'GET',
    `${STAGE}/versions/:unit`,
    async (call) => known(call)?.versions.list(call.path['unit']!) ?? [],
  ),
  route('GET', VERSION, async (call) => version(call).version),
  route('PUT', VERSION, putVersion, 256 * MB),
  route('DELETE', VERSION, removeVersion),
  route('POST', `${VERSION}/warm`, warm),
  route('POST', `${VERSION}/cool`, async (call) => version(call).pool.drain(10_000)),
  route('GET', `${VERSION}/logs`, logs),
  route('GET', `${VERSION}/metrics`, metrics),
  route(
    'GET',
    `${STAGE}/aliases/:alias`,
    async (call) => known(call)?.alias(call.path['alias']!) ?? missing('alias'),
  ),
  route('PUT', `${STAGE}/aliases/:alias`, putAlias, 8 * MB),
  route(
    'GET',
    `${STAGE}/triggers/:kind`,
    async (call) => known(call)?.trigger(call.path['kind']!, idOf(call)) ?? missing('trigger'),
  ),
  route('PUT', `${STAGE}/triggers/:kind`, putTrigger),
  route('DELETE', `${STAGE}/triggers/:kind`, removeTrigger),
  route('POST', `${STAGE}/invoke`, invoke, 10 * MB),
];

function route(method: string, pattern: string, act: AdminRoute['act'], limit = MB): AdminRoute {
  return { method, pattern, limit, act };
}

/** The route of a path, with its values. A value that is no name or digest is refused here, so none reaches the disk. */
export function findRoute(
  method: string,
  pathname: string,
): { route: AdminRoute; path: Record<string, string> } | undefined {
  for (const candidate of routes) {
    const path = candidate.method === method ? valuesOf(candidate.pattern, pathname) : undefined;
    if (path !== undefined) return { route: candidate, path };
  }
  return undefined;
}

function valuesOf(pattern: string, pathname: string): Record<string, string> | undefined {
  const [parts, given] = [pattern.split('/'), pathname.split('/')];
  if (parts.length !== given.length) return undefined;
  const values: Record<string, string> = {};
  for (const [n, part] of parts.entries()) {
    const text = given[n]!;
    if (!part.startsWith(':')) {
      if (part !== text) return undefined;
      continue;
    }
    const name = part.slice(1);
    const fits = name === 'digest' ? keyOf(text) !== undefined : isName(text);
    if (!fits) throw refusal(400, 'SFX6007', `not a ${name}: ${JSON.stringify(text)}`);
    values[name] = text;
  }
  return values;
}

function scopeOf(call: AdminCall): Scope {
  return { service: call.path['service']!, stage: call.path['stage']! };
}

function known(call: AdminCall): Stage | undefined {
  return call.engine.stages.get(scopeOf(call));
}

function missing(what: string): never {
  throw refusal(404, 'SFX6011', `no such ${what}`);
}

function found(call: AdminCall): Serving | undefined {
  return known(call)?.versions.byKey(call.path['unit']!, call.path['digest']!);
}

function version(call: AdminCall): Serving {
  const one = found(call);
  if (one === undefined)
    throw refusal(
      404,
      'SFX3105',
      `version ${call.path['unit']}@${call.path['digest']!.slice(0, 12)} is gone`,
    );
  return one;
}

function idOf(call: AdminCall): string {
  return call.query.get('id') ?? missing('trigger');
}

function jsonOf<T>(body: Buffer): T {
  try {
    return JSON.parse(body.toString('utf8')) as T;
  } catch (error) {
    throw refusal(400, 'SFX6003', `the body is not JSON: ${textOf(error)}`);
  }
}

/** Body: the length of the JSON in 4 bytes, the JSON, then the zip. */
async function putVersion(call: AdminCall): Promise<unknown> {
  const { body } = call;
  const length = body.length >= 4 ? body.readUInt32BE(0) : 0;
  if (length === 0 || 4 + length > body.length)
    throw refusal(400, 'SFX6003', 'the version has no configuration');
  const meta = jsonOf<StageMeta>(body.subarray(4, 4 + length));
  checkConfig(meta);
  const hex = hexOf(call.path['digest']!);
  if (hex === undefined)
    throw refusal(400, 'SFX6007', `not a digest: ${JSON.stringify(call.path['digest'])}`);
  const stage = await call.engine.stages.ensure(scopeOf(call));
  return stage.serially(() => stage.versions.put(call.path['unit']!, hex, meta, body.subarray(4 + length)));
}

function checkConfig({ release, config }: Partial<StageMeta>): void {
  const { memory, timeout, environment } = (config ?? {}) as Partial<VersionConfig>;
  const values = Object.values(environment ?? { missing: null });
  const good =
    Number.isInteger(release) &&
    Number.isFinite(memory) &&
    Number(memory) > 0 &&
    Number.isFinite(timeout) &&
    Number(timeout) > 0;
  if (!good || values.some((value) => typeof value !== 'string')) {
    throw refusal(400, 'SFX6010', 'release, memory, timeout or environment of the version is not valid');
  }
}

async function removeVersion(call: AdminCall): Promise<void> {
  const [stage, one] = [known(call), found(call)];
  if (stage === undefined || one === undefined) return;
  await stage.serially(async () => {
    const aliases = stage.namedBy(one.version.id);
    if (aliases.length > 0)
      throw refusal(409, 'SFX3107', `version ${one.version.id} has alias ${aliases.join(', ')}`);
    await stage.versions.remove(one.version);
  });
}

async function warm(call: AdminCall): Promise<void> {
  const one = version(call);
  await one.pool.warm().catch((error: unknown) => {
    throw refusal(502, 'SFX3106', `${one.version.unit} did not come up: ${textOf(error)}`);
  });
}

async function logs(call: AdminCall): Promise<unknown> {
  const one = version(call);
  const since = Number(call.query.get('since') ?? 0);
  return () => one.logs.read(since, call.query.get('follow') === '1', call.signal);
}

async function metrics(call: AdminCall): Promise<unknown> {
  const { from, to } = { from: Number(call.query.get('from')), to: Number(call.query.get('to')) };
  return version(call).metrics.read(from, to) ?? missing('metrics');
}

async function putAlias(call: AdminCall): Promise<unknown> {
  const write = jsonOf<AliasWrite>(call.body);
  const stage = await call.engine.stages.ensure(scopeOf(call));
  const written = await stage.serially(() => stage.setAlias(call.path['alias']!, write));
  if (written === 'conflict') throw refusal(409, 'SFX4105', 'the alias is not what was compared');
  return written;
}

async function putTrigger(call: AdminCall): Promise<void> {
  const trigger = jsonOf<TriggerDocument>(call.body);
  const stage = await call.engine.stages.ensure(scopeOf(call));
  await stage.serially(() => stage.setTrigger({ ...trigger, kind: call.path['kind']! }));
}

async function removeTrigger(call: AdminCall): Promise<void> {
  const stage = known(call);
  await stage?.serially(() => stage.removeTrigger(call.path['kind']!, idOf(call)));
}

const FAILED: Readonly<Record<Failure, ErrorCode>> = {
  threw: 'SFX6106',
  crashed: 'SFX6107',
  timeout: 'SFX6108',
  unloadable: 'SFX6111',
  busy: 'SFX6110',
};

async function invoke(call: AdminCall): Promise<unknown> {
  const wanted = jsonOf<InvokeWrite>(call.body);
  const one = invoked(call, wanted);
  const began = performance.now();
  const outcome = await one.pool.call({
    kind: 'invoke',
    requestId: randomUUID(),
    payload: JSON.stringify(wanted.payload ?? null),
  });
  // A call of a version by its own address is a check, not traffic: it is not what a rollout is judged by.
  if (wanted.alias !== undefined) one.metrics.record(performance.now() - began, outcome.kind === 'failed');
  if (outcome.kind === 'failed')
    throw refusal(502, FAILED[outcome.why], `${one.version.unit}: ${outcome.message}`);
  return {
    version: one.version.id,
    result: outcome.kind === 'json' ? (JSON.parse(outcome.text) as unknown) : null,
  };
}

function invoked(call: AdminCall, wanted: InvokeWrite): Serving {
  const stage = known(call) ?? missing('stage');
  if (wanted.version !== undefined) {
    const one = stage.versions.byId(wanted.version);
    if (one?.version.unit !== wanted.function)
      throw refusal(404, 'SFX3105', `a version of ${wanted.function} is gone`);
    return one;
  }
  const chosen = stage.choose(wanted.alias ?? '', wanted.function, false);
  if (typeof chosen === 'string') throw refusal(404, 'SFX6105', `nothing is live for ${wanted.function}`);
  return chosen.serving;
}
