import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance, type Variant } from '@sfx-deploy/core/testing';
import type { Ir, Json, JsonObject, Resource, Scope, Trigger } from '@sfx-deploy/plugin';
import { provider } from '../src/index.js';
import {
  artifactOf,
  call,
  functionOf,
  handler,
  httpEvent,
  serviceOf,
  type TestEngine,
  testEngine,
} from './bench.js';

describe('the local engine', () => {
  let engine: TestEngine;
  let folder: string;
  before(async () => {
    engine = await testEngine();
    folder = await mkdtemp(join(tmpdir(), 'sfx-conformance-'));
  });
  after(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });
  const seen = (scope: Scope) => join(folder, `${scope.service}-${scope.stage}`);

  const names = ['list', 'order'];
  const ir = (variant: Variant): Ir => ({
    infra: [],
    units: names.map((name) => ({
      id: name,
      functions: [name],
      build: {
        kind: 'node',
        host: 'local',
        bundle: true,
        include: [],
        entries: [{ function: name, handler: `src/${name}.get` }],
      },
      config: {
        runtime: 'nodejs20.x',
        memory: variant === 'config' ? 160 : 128,
        timeout: 5_000,
        environment: {},
      },
      dependsOn: [],
    })),
    aliases: [{ id: 'live', units: names }],
    triggers: [
      {
        id: 'http:GET /list',
        kind: 'http',
        source: 'GET /list',
        props: { method: 'GET', path: '/list', cors: null },
        alias: 'live',
        function: 'list',
        delivers: 'asked',
        dependsOn: [],
      },
      pulling('queue', 'orders', { queue: 'orders', batchSize: 1, concurrency: 4, enabled: true }),
      pulling('topic', 'sales:list', { topic: 'sales', batchSize: 1, concurrency: 4, enabled: true }),
      pulling('schedule', 'list:1', {
        schedule: 'rate(1 day)',
        timezone: 'UTC',
        overlap: 'allow',
        enabled: true,
      }),
      pulling('bucket', 'uploads:list', { bucket: 'uploads', events: ['created'], enabled: true }),
    ],
  });

  conformance(
    {
      name: 'local',
      provider,
      connect: (scope, run) => provider.connect(scope, {}, run),
      run: () => engine.run(),
      ir,
      artifact: (variant, unit) =>
        artifactOf(
          unit.id,
          handler(
            'return text(ctx.version)',
            `if (payload?.$event) record(payload.$event.kind, ctx); return { version: ctx.version, payload }`,
            `// ${variant === 'b' ? 'b' : 'a'}\n${recordIn(folder)}`,
          ),
        ),
      service: serviceOf([functionOf('list', { events: [httpEvent('GET /list')] }), functionOf('order')]),
      async drift(scope, resource) {
        const path = pathOf(resource);
        const trigger = await somebodyElse(engine, scope, 'GET', path);
        const [key, value] = OTHERWISE[resource.kind]!;
        const props = { ...(trigger['props'] as JsonObject), [key]: value };
        await somebodyElse(engine, scope, 'PUT', path, { ...trigger, props });
        return [key];
      },
      offer: (scope, trigger, count) => offer(engine, scope, trigger, count),
      async deliveries(scope, trigger) {
        const text = await readFile(seen(scope), 'utf8').catch(() => '');
        return text.split('\n').flatMap((line) => {
          const [kind, version] = line.split(' ');
          return kind === trigger.kind && version !== undefined ? [version] : [];
        });
      },
      minimum: 62,
    },
    { describe, it },
  );
});

function pulling(kind: string, source: string, props: JsonObject): Trigger {
  return {
    id: `${kind}:${source}`,
    kind,
    source,
    props,
    alias: 'live',
    function: 'list',
    delivers: 'pulls',
    dependsOn: [],
  };
}

/** Of a module: writes down which version got what kind of delivery, by service and stage. */
function recordIn(folder: string): string {
  return [
    `import { appendFileSync } from 'node:fs';`,
    `const record = (kind, ctx) => appendFileSync(${JSON.stringify(folder)} + '/' + ctx.service + '-' + ctx.stage, kind + ' ' + ctx.version + '\\n');`,
  ].join('\n');
}

/** A key of each kind, and what somebody else makes of it. */
const OTHERWISE: Readonly<Record<string, readonly [key: string, value: Json]>> = {
  http: ['path', '/else'],
  queue: ['batchSize', 7],
  topic: ['batchSize', 9],
  schedule: ['timezone', 'Europe/Berlin'],
  bucket: ['events', ['removed']],
};

let made = 0;

/** As whoever sends, publishes, writes a file, or lets time pass. What nobody takes is nobody's fault. */
async function offer(engine: TestEngine, scope: Scope, trigger: Trigger, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    if (trigger.kind === 'queue') await somebodyElse(engine, scope, 'POST', 'queues/orders', 'hello', [404]);
    else if (trigger.kind === 'topic') await somebodyElse(engine, scope, 'POST', 'topics/sales', 'hello');
    else if (trigger.kind === 'schedule') {
      await somebodyElse(engine, scope, 'POST', `schedules/run?id=${trigger.id}`, undefined, [404, 409]);
    } else {
      const bucket = join(engine.home, 'stages', scope.service, scope.stage, 'buckets', 'uploads');
      await mkdir(bucket, { recursive: true });
      await writeFile(join(bucket, `file-${made++}`), 'hello');
    }
  }
}

function pathOf({ kind, id }: Resource): string {
  return `triggers/${kind}?id=${encodeURIComponent(id)}`;
}

/** The engine's own door, without sfx. A refusal is an error, unless its status is one of these. */
async function somebodyElse(
  engine: TestEngine,
  scope: Scope,
  method: string,
  path: string,
  body?: JsonObject | string,
  refusals: readonly number[] = [],
): Promise<JsonObject> {
  const token = (await readFile(join(engine.home, 'token'), 'utf8')).trim();
  const headers = { authorization: `Bearer ${token}` };
  const url = `http://127.0.0.1:${engine.port}/v1/stages/${scope.service}/${scope.stage}/${path}`;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await call(url, { method, headers, ...(body !== undefined && { body: text }) });
  if (answer.status >= 300 && !refusals.includes(answer.status))
    throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.text === '' ? {} : (JSON.parse(answer.text) as JsonObject);
}
