import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRun } from '@sfx-deploy/core';
import type {
  Artifact,
  Connection,
  Digest,
  Json,
  Run,
  Scope,
  Service,
  ServiceEvent,
  ServiceFunction,
  Table,
  Trigger,
  Unit,
  Version,
} from '@sfx-deploy/plugin';
import { digestOf } from '@sfx-deploy/plugin';
import { zipSync } from 'fflate';
import { provider, stopEngine } from '../src/index.js';

export const SCOPE: Scope = { service: 'shop', stage: 'dev' };
export const ALIAS = { id: 'live', units: [] };

/** An engine in a home and at a port of its own; `close` stops it and leaves nothing. */
export interface TestEngine {
  readonly home: string;
  readonly port: number;
  run(env?: Record<string, string>): Run;
  connect(scope?: Scope): Promise<Connection>;
  close(): Promise<void>;
}

export async function testEngine(): Promise<TestEngine> {
  const home = await mkdtemp(join(tmpdir(), 'sfx-local-'));
  const port = await freePort();
  const run = (env: Record<string, string> = {}) =>
    createRun({
      signal: new AbortController().signal,
      emit: () => undefined,
      env: { PATH: process.env['PATH'], SFX_LOCAL_HOME: home, SFX_LOCAL_PORT: String(port), ...env },
      who: 'test',
    });
  return {
    home,
    port,
    run,
    connect: (scope = SCOPE) => provider.connect(scope, {}, run()),
    async close() {
      await stopEngine(run());
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Far from 4100, where an engine of the person who runs the tests may be. */
export async function freePort(): Promise<number> {
  for (let port = 20_000 + Math.floor(Math.random() * 20_000); ; port += 1) {
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** An artifact with `<name>.mjs`; `code` is the body of the module. */
export function artifactOf(name: string, code: string, more: Record<string, string> = {}): Artifact {
  const files = Object.fromEntries(
    Object.entries({ [`${name}.mjs`]: code, ...more }).map(([path, text]) => [
      path,
      new TextEncoder().encode(text),
    ]),
  );
  return artifactFrom(zipSync(files, { mtime: new Date(1980, 0, 1) }));
}

export function artifactFrom(bytes: Uint8Array): Artifact {
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {
    digest,
    size: bytes.length,
    async *bytes() {
      yield bytes;
    },
  };
}

/** A handler module: `http` and `invoke` are bodies of functions of `req` / `payload` and `ctx`. */
export function handler(http: string, invoke = 'return payload', top = ''): string {
  return `${top}
const text = (body, status = 200, headers = []) => ({ status, headers: [['content-type', 'text/plain'], ...headers], body: new TextEncoder().encode(String(body)) });
export default {
  style: 'fetch',
  async http(req, ctx) { ${http} },
  async invoke(payload, ctx) { ${invoke} },
};`;
}

export interface Config {
  readonly memory?: number;
  readonly timeout?: number;
  readonly environment?: Record<string, string>;
}

export function unitOf(name: string, config: Config = {}): Unit {
  return {
    id: name,
    functions: [name],
    build: {},
    config: { runtime: 'nodejs20.x', memory: 128, timeout: 5_000, environment: {}, ...config },
    dependsOn: [],
  };
}

/** Stages one version; its digest covers code and configuration. */
export function stage(
  connection: Connection,
  name: string,
  code: string,
  config: Config = {},
  release = 1,
): Promise<Version> {
  const artifact = artifactOf(name, code);
  const unit = unitOf(name, config);
  const digest = digestOf([artifact.digest, unit.config]);
  return connection.versions.stage(unit, digest, artifact, { release, fence: 1 });
}

/** Moves the alias from whatever it is to `to`, under the fence that it has or `least`. */
export async function flip(connection: Connection, to: Table, least = 1, release = 1): Promise<void> {
  const now = await connection.traffic.read(ALIAS);
  const fence = Math.max(least, now.stamp?.fence ?? 0);
  const moved = await connection.traffic.set(ALIAS, { from: now.table, to, stamp: { release, fence } });
  if (moved === 'conflict') throw new Error('the alias was moved by somebody else');
}

export async function route(
  connection: Connection,
  name: string,
  source: string,
  cors: Json = null,
): Promise<void> {
  const [method = 'GET', path = '/'] = source.split(' ');
  const props = { method, path, cors };
  const trigger: Trigger = {
    id: `http:${source}`,
    kind: 'http',
    source,
    props,
    alias: 'live',
    function: name,
    delivers: 'asked',
    dependsOn: [],
  };
  await connection.resources['http']!.reconcile(
    {
      resource: trigger,
      to: { alias: 'live', function: name },
      props,
      digest: digestOf(props),
      enabled: true,
      stamp: { release: 1, fence: 1 },
    },
    undefined,
  );
}

/** One function, live, with routes. */
export async function live(
  connection: Connection,
  name: string,
  code: string,
  routes: readonly string[],
  config: Config = {},
): Promise<Version> {
  const version = await stage(connection, name, code, config);
  await connection.versions.warm(version);
  const { table } = await connection.traffic.read(ALIAS);
  await flip(connection, { ...table, [name]: { stable: version.id } });
  for (const source of routes) await route(connection, name, source);
  return version;
}

export interface Answer {
  readonly status: number;
  /** What stands beside the status in the first line. */
  readonly reason: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly agent?: Agent;
}

/** Not `fetch`: it would forbid some methods, headers and paths that a test wants to send. */
export function call(url: string, asking: Asking = {}): Promise<Answer> {
  const { origin } = new URL(url);
  return new Promise((resolve, reject) => {
    const req = request(
      origin,
      {
        path: url.slice(origin.length),
        method: asking.method ?? 'GET',
        headers: asking.headers ?? {},
        agent: asking.agent,
      },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            reason: res.statusMessage ?? '',
            headers: res.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
        res.on('error', reject);
      },
    );
    req.on('error', reject);
    req.end(asking.body);
  });
}

export async function urlOf(connection: Connection): Promise<string> {
  const urls = await connection.urls!();
  return urls['http']!;
}

export function httpEvent(route: string, pointer = '/functions/list/events/0', kind = 'http'): ServiceEvent {
  const [method = 'GET', path = '/'] = route.split(' ');
  return { kind, props: { method, path, cors: null }, pointer };
}

export function functionOf(name: string, change: Partial<ServiceFunction> = {}): ServiceFunction {
  return {
    name,
    handler: `src/${name}.get`,
    runtime: 'nodejs20.x',
    memory: 256,
    timeout: 6_000,
    environment: { TABLE: { $secret: 'env:TABLE' }, PLAIN: 'x' },
    events: [],
    native: {},
    bundle: true,
    include: [],
    pointer: `/functions/${name}`,
    ...change,
  };
}

export function serviceOf(functions: readonly ServiceFunction[], change: Partial<Service> = {}): Service {
  return {
    name: 'shop',
    stage: 'dev',
    dir: '/nowhere',
    provider: { name: 'local', options: {} },
    functions,
    resources: null,
    rollout: { steps: [], onFailure: 'rollback', bakeMs: 0, expand: 'late' },
    checks: [],
    keep: 5,
    at: (pointer) => ({ file: 'serverless.yml', line: pointer.length, column: 1 }),
    ...change,
  };
}
