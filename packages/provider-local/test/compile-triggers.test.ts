import assert from 'node:assert/strict';
import { isSfxError, type Json, type JsonObject, type Service } from '@sfx-deploy/core';
import fc from 'fast-check';
import { functionOf, serviceOf } from './bench.js';
import { compile, event, plain, problems, schedule, work } from './compile-bench.js';

describe('triggers that pull, compiled for the local engine', () => {
  it('have an identity of their own, a title, and all that the engine goes by', () => {
    const { triggers } = compile(
      serviceOf([
        work([
          event('queue', { queue: 'orders', enabled: true }),
          event('topic', { topic: 'sales', filter: { kind: ['a'] }, enabled: true }),
          event('bucket', { bucket: 'uploads', events: ['created'], enabled: false }),
          event('bucket', { bucket: 'uploads', events: ['removed'], enabled: true }),
          schedule({}),
          schedule({ schedule: '0 3 * * *', input: { a: 1 } }),
          schedule({ name: 'nightly' }),
        ]),
      ]),
    );
    assert.deepEqual(
      triggers.map(({ id, source, title, delivers, function: fn, alias }) => [
        id,
        source,
        title,
        delivers,
        fn,
        alias,
      ]),
      [
        ['bucket:uploads:work', 'uploads:work', 'bucket uploads', 'pulls', 'work', 'live'],
        ['bucket:uploads:work:2', 'uploads:work:2', 'bucket uploads', 'pulls', 'work', 'live'],
        ['queue:orders', 'orders', 'queue orders', 'pulls', 'work', 'live'],
        ['schedule:nightly', 'nightly', 'rate(5 minutes)', 'pulls', 'work', 'live'],
        ['schedule:work:1', 'work:1', 'rate(5 minutes)', 'pulls', 'work', 'live'],
        ['schedule:work:2', 'work:2', '0 3 * * *', 'pulls', 'work', 'live'],
        ['topic:sales:work', 'sales:work', 'topic sales', 'pulls', 'work', 'live'],
      ],
    );
    const props = Object.fromEntries(triggers.map((one) => [one.id, one.props]));
    assert.deepEqual(props['queue:orders'], {
      queue: 'orders',
      batchSize: 10,
      windowMs: 0,
      maxReceives: 3,
      deadLetter: 'orders-dead',
      concurrency: 2,
      enabled: true,
    });
    assert.deepEqual(props['topic:sales:work'], {
      topic: 'sales',
      filter: { kind: ['a'] },
      maxReceives: 3,
      deadLetter: 'sales-dead',
      enabled: true,
    });
    assert.deepEqual(props['schedule:work:2'], {
      schedule: '0 3 * * *',
      timezone: 'UTC',
      overlap: 'skip',
      input: { a: 1 },
      enabled: true,
    });
    assert.deepEqual(JSON.parse(JSON.stringify(triggers)) as Json, triggers);
  });

  it('keep their identity when they move to another function, where the source says who they are', () => {
    const at = (name: string) =>
      compile(
        serviceOf([
          functionOf(name, { ...plain, events: [event('queue', { queue: 'orders', enabled: true })] }),
        ]),
      ).triggers[0];
    assert.equal(at('a')?.id, at('b')?.id);
    assert.deepEqual(at('a')?.props, at('b')?.props);
  });

  it('are refused where two would take from one source, or messages would go in a circle', () => {
    const queue = (name: string, more: JsonObject = {}) =>
      event('queue', { queue: name, enabled: true, ...more });
    assert.deepEqual(
      problems(
        serviceOf([
          work([
            queue('a', { deadLetter: 'b' }),
            queue('b', { deadLetter: 'a' }),
            queue('slow', { visibilityMs: 1000 }),
            schedule({ name: 'x' }),
          ]),
          functionOf('other', {
            ...plain,
            events: [
              queue('a'),
              schedule({ name: 'x' }),
              event('bucket', { bucket: 'b', events: ['created'], path: 'in', enabled: true }),
            ],
          }),
        ]),
      ),
      [
        'SFX6010 visibility of the queue slow is shorter than the timeout of work: messages would be worked on twice',
        'SFX6010 path of the bucket b is in; it takes a folder from the root on, so that every copy of the project means the same',
        'SFX2205 queue a of other is also a source of work',
        'SFX2205 rate(5 minutes) of other is also a source of work',
        'SFX6010 dead letters go in a circle: a -> b -> a',
        'SFX6010 dead letters go in a circle: b -> a -> b',
      ],
    );
  });
});

describe('any service, compiled for the local engine', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const anyEvent = fc.oneof(
    name.map((queue): [string, JsonObject] => ['queue', { queue, enabled: true }]),
    name.map((topic): [string, JsonObject] => ['topic', { topic, enabled: true }]),
    fc
      .tuple(name, fc.constantFrom('created', 'removed'))
      .map(([bucket, event]): [string, JsonObject] => ['bucket', { bucket, events: [event], enabled: true }]),
    fc.option(name, { nil: undefined }).map((named): [string, JsonObject] => [
      'schedule',
      {
        schedule: 'rate(1 day)',
        timezone: 'UTC',
        overlap: 'skip',
        ...(named === undefined ? {} : { name: named }),
        enabled: true,
      },
    ]),
    name.map((part): [string, JsonObject] => ['http', { method: 'GET', path: `/${part}`, cors: null }]),
  );
  const services = fc
    .uniqueArray(fc.constantFrom('f', 'g', 'h', 'i'), { minLength: 1 })
    .chain((names) =>
      fc.tuple(...names.map((fn) => fc.tuple(fc.constant(fn), fc.array(anyEvent, { maxLength: 4 })))),
    );
  const built = (rows: readonly (readonly [string, readonly (readonly [string, JsonObject])[]])[]) =>
    serviceOf(
      rows.map(([fn, events]) =>
        functionOf(fn, {
          ...plain,
          events: events.map(([kind, props], n) => ({
            kind,
            props,
            pointer: `/functions/${fn}/events/${n}`,
          })),
        }),
      ),
    );

  it('has triggers of one source each, and the same whatever the order of its functions', () => {
    fc.assert(
      fc.property(services, (rows) => {
        const outcome = (service: Service) => {
          try {
            return compile(service);
          } catch (thrown) {
            assert.ok(isSfxError(thrown) && thrown.code === 'SFX2200', String(thrown));
            return 'refused';
          }
        };
        const [there, back] = [outcome(built(rows)), outcome(built([...rows].reverse()))];
        assert.deepEqual(back, there);
        if (typeof there === 'string') return;
        const sources = there.triggers.map((one) => `${one.kind} ${one.source}`);
        assert.equal(new Set(sources).size, sources.length);
        assert.equal(sources.length, rows.flatMap(([, events]) => events).length, 'none is dropped');
        for (const one of there.triggers) assert.equal(one.id, `${one.kind}:${one.source}`);
      }),
    );
  });
});
