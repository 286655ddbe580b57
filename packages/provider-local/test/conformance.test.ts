import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { conformance, type Variant } from '@sfx-deploy/core/testing';
import type { Ir, JsonObject, Scope } from '@sfx-deploy/plugin';
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
  before(async () => {
    engine = await testEngine();
  });
  after(() => engine.close());

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
            'return { version: ctx.version, payload }',
            `// ${variant === 'b' ? 'b' : 'a'}`,
          ),
        ),
      service: serviceOf([functionOf('list', { events: [httpEvent('GET /list')] }), functionOf('order')]),
      async drift(scope, resource) {
        const trigger = await somebodyElse(engine, scope, 'GET', resource.id);
        await somebodyElse(engine, scope, 'PUT', resource.id, {
          ...trigger,
          props: { method: 'GET', path: '/else', cors: null },
        });
        return ['path'];
      },
      minimum: 55,
    },
    { describe, it },
  );
});

/** The engine's own door, without sfx. */
async function somebodyElse(
  engine: TestEngine,
  scope: Scope,
  method: string,
  id: string,
  body?: JsonObject,
): Promise<JsonObject> {
  const token = (await readFile(join(engine.home, 'token'), 'utf8')).trim();
  const path = `/v1/stages/${scope.service}/${scope.stage}/triggers/http?id=${encodeURIComponent(id)}`;
  const headers = { authorization: `Bearer ${token}` };
  const answer = await call(`http://127.0.0.1:${engine.port}${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  return JSON.parse(answer.text) as JsonObject;
}
