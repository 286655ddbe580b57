import { conformance, type Variant } from '@sfx-deploy/core/testing';
import type { Ir } from '@sfx-deploy/plugin';
import { provider } from '../src/index.js';
import { artifactOf, handler, type TestEngine, testEngine } from './bench.js';

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
      minimum: 30,
    },
    { describe, it },
  );
});
