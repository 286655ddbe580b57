import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isSfxError, type Json, type JsonObject, type Service, type ServiceEvent } from '@sfx-deploy/core';
import { provider } from '../src/index.js';
import { ENGINE_VERSION } from '../src/wire.js';
import { functionOf, httpEvent, serviceOf } from './bench.js';

function compile(one: Service) {
  return provider.compile(one, {}, provider.documented);
}

function problems(one: Service): { code: string; message: string; at: string }[] {
  try {
    compile(one);
  } catch (thrown) {
    assert.ok(isSfxError(thrown));
    assert.equal(thrown.code, 'SFX2200');
    return (thrown.details.diagnostics ?? []).map(({ code, message, at }) => ({
      code,
      message,
      at: `${at?.file}:${at?.line}`,
    }));
  }
  return assert.fail('it should be refused');
}

describe('a service compiled for the local engine', () => {
  it('is a unit per function, one alias over all, and a trigger per route', () => {
    const ir = compile(
      serviceOf([
        functionOf('list', { events: [httpEvent('get /products/{id}')] }),
        functionOf('add', { events: [httpEvent('POST /products', '', 'httpApi')] }),
      ]),
    );
    assert.deepEqual(ir.infra, []);
    assert.deepEqual(
      ir.units.map((unit) => unit.id),
      ['add', 'list'],
    );
    assert.deepEqual(ir.aliases, [{ id: 'live', units: ['add', 'list'] }]);
    assert.deepEqual(
      ir.triggers.map(({ source, function: to, alias, delivers, kind }) => ({
        source,
        to,
        alias,
        delivers,
        kind,
      })),
      [
        { source: 'GET /products/{id}', to: 'list', alias: 'live', delivers: 'asked', kind: 'http' },
        { source: 'POST /products', to: 'add', alias: 'live', delivers: 'asked', kind: 'http' },
      ],
    );
    assert.deepEqual(ir.units[1]!.build, {
      kind: 'node',
      host: 'local',
      bundle: true,
      include: [],
      entries: [{ function: 'list', handler: 'src/list.get' }],
    });
    assert.deepEqual((ir.units[1]!.config as JsonObject)['environment'], {
      TABLE: { $secret: 'env:TABLE' },
      PLAIN: 'x',
    });
  });

  it('is the same for every stage, and whatever the order of its functions', () => {
    const [a, b] = [functionOf('a', { events: [httpEvent('GET /a')] }), functionOf('b')];
    assert.deepEqual(compile(serviceOf([a, b])), compile(serviceOf([b, a], { stage: 'prod', dir: '/else' })));
  });

  it('is plain JSON', () => {
    const ir = compile(serviceOf([functionOf('list', { events: [httpEvent('GET /')] })]));
    assert.deepEqual(JSON.parse(JSON.stringify(ir)) as Json, ir);
  });

  it('names everything that the engine cannot honour, each with its place', () => {
    const events: ServiceEvent[] = [
      { kind: 'cognitoUserPool', props: {}, pointer: '/functions/a/events/0' },
      { kind: 'stream', props: {}, pointer: '/functions/a/events/1' },
    ];
    const found = problems(
      serviceOf(
        [
          functionOf('a', {
            events,
            runtime: 'ruby3.2',
            native: { layers: ['x'] },
            memory: 16,
            timeout: 1_000_000,
          }),
          functionOf('b.c'),
        ],
        {
          resources: { Resources: { Table: {} } },
        },
      ),
    );
    assert.deepEqual(found.map(({ code }) => code).sort(), [
      'SFX2204',
      'SFX2204',
      'SFX3005',
      'SFX3005',
      'SFX3005',
      'SFX6007',
      'SFX6010',
      'SFX6010',
    ]);
    const trigger = found.find(({ code }) => code === 'SFX2204')!;
    assert.equal(trigger.message, 'event `cognitoUserPool` of a: not on the local engine');
    assert.equal(trigger.at, `serverless.yml:${'/functions/a/events/0'.length}`);
    for (const { at } of found) assert.match(at, /^serverless\.yml:\d+$/);
  });

  it('gives one route to one function', () => {
    const found = problems(
      serviceOf([
        functionOf('a', { events: [httpEvent('GET /x/{id}')] }),
        functionOf('b', { events: [httpEvent('GET /x/{name}', '/functions/b/events/0')] }),
      ]),
    );
    assert.deepEqual(
      found.map(({ code, message }) => [code, message]),
      [['SFX6009', 'GET /x/{name} of b is also a route of a']],
    );
    compile(
      serviceOf([
        functionOf('a', { events: [httpEvent('GET /x/{id}')] }),
        functionOf('b', { events: [httpEvent('POST /x/{id}'), httpEvent('ANY /x/{id}')] }),
      ]),
    );
  });
});

describe('the package of the local engine', () => {
  const file = (path: string) =>
    JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Record<string, unknown>;

  it('says the same about its own keys as the schema of configurations', () => {
    const own = provider.schema as unknown as { properties: Record<string, unknown> };
    const all = file('../../../schemas/providers/local.schema.json')['properties'] as Record<string, unknown>;
    for (const [key, schema] of Object.entries(own.properties)) assert.deepEqual(all[key], schema, key);
  });

  it('has one version', () => {
    assert.equal(file('../package.json')['version'], ENGINE_VERSION);
  });
});
