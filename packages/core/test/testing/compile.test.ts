import assert from 'node:assert/strict';
import { isSfxError, type Json, type Service, type ServiceEvent } from '@sfx-deploy/core';
import {
  artifactOf,
  grade,
  memoryProvider,
  memoryWorld,
  type ShapeName,
  shapeNames,
  shapes,
} from '@sfx-deploy/core/testing';

function service(events: Readonly<Record<string, readonly ServiceEvent[]>>, resources: Json = {}): Service {
  return {
    name: 'shop',
    stage: 'prod',
    dir: '/shop',
    provider: { name: 'memory', options: {} },
    functions: Object.entries(events).map(([name, list]) => ({
      name,
      handler: `src/${name}.handle`,
      runtime: 'nodejs20.x',
      memory: 128,
      timeout: 6000,
      environment: { TABLE: { $out: ['table', 'arn'] } },
      events: list,
      native: {},
      bundle: true,
      include: [],
      pointer: `/functions/${name}`,
    })),
    resources,
    rollout: { steps: [], onFailure: 'rollback', bakeMs: 0, expand: 'late' },
    checks: [],
    keep: 3,
    at: (pointer) => ({ file: 'serverless.yml', line: pointer.length, column: 1 }),
  };
}

function compile(shape: ShapeName, given: Service) {
  return memoryProvider({ shape, world: memoryWorld() }).compile(given, {}, shapes[shape]);
}

const event = (kind: string, props: ServiceEvent['props'], pointer = ''): ServiceEvent => ({
  kind,
  props,
  pointer,
});
const route = event('http', { method: 'GET', path: '/list', cors: null });
const two = { list: [route], work: [event('queue', { queue: 'orders' })] };

describe('compiling for a provider in memory', () => {
  it('makes a unit per function, or one of all, as the shape has them', () => {
    const units = Object.fromEntries(
      shapeNames.map((shape) => [shape, compile(shape, service(two)).units.map((unit) => unit.id)]),
    );
    const each = ['list', 'work'];
    assert.deepEqual(units, {
      lambda: each,
      slots: ['app'],
      flex: ['app'],
      cloudRun: each,
      openfaas: each,
      whisk: ['package'],
      local: each,
    });
  });

  it('makes an alias per unit, or one of the service, and triggers that point at it', () => {
    for (const shape of shapeNames) {
      const ir = compile(shape, service(two));
      const ids = shapes[shape].alias === 'unit' ? ['list', 'work'] : ['live'];
      assert.deepEqual(
        ir.aliases.map((alias) => alias.id),
        ids,
      );
      assert.deepEqual(
        ir.triggers.map(({ kind, source, delivers, function: name }) => [kind, source, delivers, name]),
        [
          ['http', 'GET /list', 'asked', 'list'],
          ['queue', 'orders', 'pulls', 'work'],
        ],
      );
    }
  });

  it('makes things of resources, kept while a version needs them', () => {
    const ir = compile(
      'lambda',
      service({ list: [route] }, { table: { props: { size: 2 }, data: true }, spare: {} }),
    );
    assert.deepEqual(ir.infra, [
      { id: 'table', kind: 'thing', props: { size: 2 }, dependsOn: [], data: true },
      { id: 'spare', kind: 'thing', props: {}, dependsOn: [] },
    ]);
    assert.deepEqual(ir.units[0]?.dependsOn, ['table']);
  });

  it('names every event that it does not know, each with its place', () => {
    const bad = service({ list: [event('sns', {}, '/a'), route, event('alexa', {}, '/ab')] });
    assert.throws(
      () => compile('local', bad),
      (error) => {
        assert.ok(isSfxError(error) && error.code === 'SFX2200');
        assert.deepEqual(
          error.details.diagnostics?.map((one) => [one.code, one.at?.line]),
          [
            ['SFX2204', 2],
            ['SFX2204', 3],
          ],
        );
        return true;
      },
    );
  });
});

describe('a change of a thing', () => {
  it('is none, widens, breaks or replaces', () => {
    assert.equal(grade({ size: 1, type: 'a' }, { type: 'a', size: 1 }), 'none');
    assert.equal(grade({ size: 1 }, { size: 2 }), 'widens');
    assert.equal(grade({ size: 2 }, { size: 1 }), 'breaks');
    assert.equal(grade({ size: 1, type: 'a' }, { size: 2, type: 'b' }), 'replaces');
  });
});

describe('an artifact of a text', () => {
  it('has the digest and the size of its bytes', async () => {
    const artifact = artifactOf('hé');
    const chunks: Uint8Array[] = [];
    for await (const chunk of artifact.bytes()) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), 'hé');
    assert.equal(artifact.size, 3);
    assert.equal(artifact.digest, artifactOf('hé').digest);
    assert.notEqual(artifact.digest, artifactOf('he').digest);
  });
});
