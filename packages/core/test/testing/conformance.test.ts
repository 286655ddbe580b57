import type { Scope, Service, ServiceFunction } from '@sfx-deploy/core';
import {
  artifactsOf,
  type ConformanceOptions,
  conformance,
  irOf,
  memoryProvider,
  memoryWorld,
  type ShapeName,
  shapeNames,
  stageHands,
} from '@sfx-deploy/core/testing';

const service: Service = {
  name: 'shop',
  stage: 'prod',
  dir: '/shop',
  provider: { name: 'memory', options: {} },
  functions: ['list', 'work'].map(
    (name): ServiceFunction => ({
      name,
      handler: `src/${name}.handle`,
      runtime: 'nodejs20.x',
      memory: 128,
      timeout: 6000,
      environment: { TABLE: { $out: ['table', 'arn'] }, KEY: { $secret: 'env:KEY' } },
      events:
        name === 'list'
          ? [{ kind: 'http', props: { method: 'GET', path: '/list', cors: null }, pointer: '' }]
          : [
              { kind: 'queue', props: { queue: 'orders' }, pointer: '' },
              { kind: 'schedule', props: { schedule: 'rate(1 hour)' }, pointer: '' },
              { kind: 'topic', props: { topic: 'sales' }, pointer: '' },
              { kind: 'bucket', props: { bucket: 'uploads' }, pointer: '' },
            ],
      native: {},
      bundle: true,
      include: [],
      pointer: `/functions/${name}`,
    }),
  ),
  resources: { table: { props: { size: 1 }, data: true } },
  rollout: { steps: [], onFailure: 'rollback', bakeMs: 0, expand: 'late' },
  checks: [],
  keep: 3,
  at: () => undefined,
};

const variants = {
  a: { code: 'one', config: { memory: 128 } },
  b: { code: 'two', config: { memory: 128 } },
  config: { code: 'one', config: { memory: 256 } },
};

/** Cases that each shape passes; the rest does not apply to it. */
const minimum: Record<ShapeName, number> = {
  lambda: 62,
  slots: 60,
  flex: 55,
  cloudRun: 62,
  openfaas: 62,
  whisk: 60,
  local: 62,
};

function optionsFor(shape: ShapeName): ConformanceOptions {
  const world = memoryWorld();
  const provider = memoryProvider({ shape, world });
  const hands = (scope: Scope) => stageHands(world, shape, scope);
  const ir: ConformanceOptions['ir'] = (variant) =>
    irOf(shape, {
      functions: {
        list: { ...variants[variant], routes: ['GET /list'], uses: ['table'] },
        work: {
          ...variants[variant],
          queues: ['orders'],
          schedules: ['1 hour'],
          topics: ['sales'],
          buckets: ['uploads'],
        },
      },
      things: { table: { props: { size: 1 }, data: true } },
    });
  return {
    name: `memory, in the shape of ${shape}`,
    provider,
    connect: (scope, run) => provider.connect(scope, {}, run),
    ir,
    artifact: (variant, unit) => artifactsOf(ir(variant))[unit.id]!,
    minimum: minimum[shape],
    service,
    plantForeign: (scope, resource) =>
      hands(scope).plantForeign(
        resource.kind,
        'source' in resource ? `${resource.kind} ${String(resource.source)}` : resource.id,
      ),
    drift(scope, resource) {
      const keys = {
        thing: 'size',
        http: 'method',
        queue: 'queue',
        schedule: 'rate',
        topic: 'topic',
        bucket: 'bucket',
      };
      const key = keys[resource.kind as keyof typeof keys];
      hands(scope).changeObject(
        'source' in resource ? `${resource.kind} ${String(resource.source)}` : resource.id,
        { [key]: 'other', theirs: 1 },
      );
      return [key];
    },
    offer: (scope, trigger, count) => hands(scope).offer(trigger, count),
    deliveries: (scope, trigger) => hands(scope).deliveries(trigger),
    ignoreWrite: (scope) => hands(scope).ignoreWrites(1),
    consumes: (scope, trigger) =>
      hands(scope)
        .callers()
        .some(
          (caller) =>
            caller.source === trigger.source &&
            caller.kind === trigger.kind &&
            caller.active &&
            caller.to.length > 0,
        ),
  };
}

for (const shape of shapeNames) conformance(optionsFor(shape), { describe, it });
