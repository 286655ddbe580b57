import assert from 'node:assert/strict';
import {
  isSfxError,
  type Json,
  type JsonObject,
  type Service,
  type ServiceEvent,
  type ServiceFunction,
} from '@sfx-deploy/core';
import { provider } from '../src/index.js';
import { functionOf, httpEvent, serviceOf } from './bench.js';

const compile = (service: Service) => provider.compile(service, {}, provider.documented);
const notes = (service: Service) =>
  (provider.notes?.(service, {}, provider.documented) ?? []).map(({ code, message }) => `${code} ${message}`);

function problems(service: Service): string[] {
  try {
    compile(service);
  } catch (thrown) {
    assert.ok(isSfxError(thrown) && thrown.code === 'SFX2200', String(thrown));
    return (thrown.details.diagnostics ?? []).map(({ code, message }) => `${code} ${message}`);
  }
  return assert.fail('it should be refused');
}

let written = 0;
const event = (kind: string, props: JsonObject): ServiceEvent => ({
  kind,
  props,
  pointer: `/functions/work/events/${written++}/${kind}`,
});
const plain = { environment: {} };
const work = (events: readonly ServiceEvent[], change: Partial<ServiceFunction> = {}) =>
  functionOf('work', { ...plain, events, ...change });
const schedule = (props: JsonObject): ServiceEvent =>
  event('schedule', {
    schedule: 'rate(5 minutes)',
    timezone: 'UTC',
    overlap: 'skip',
    enabled: true,
    ...props,
  });
const aws = { provider: { name: 'local', options: {}, written: 'aws' } };

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

describe('kinds of AWS, compiled for the local engine', () => {
  const resources = {
    Resources: {
      Orders: {
        Properties: {
          QueueName: 'orders-prod',
          VisibilityTimeout: 60,
          RedrivePolicy: { maxReceiveCount: 5, deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] } },
        },
      },
      Dead: { Properties: { QueueName: 'orders-lost' } },
    },
  };

  it('mean the same where it is the same', () => {
    const { triggers } = compile(
      serviceOf(
        [
          work([
            event('sqs', {
              arn: { 'Fn::GetAtt': ['Orders', 'Arn'] },
              batchSize: 3,
              maximumBatchingWindow: 2,
            }),
            event('sqs', {
              arn: 'arn:aws:sqs:eu-west-1:1:mail',
              functionResponseType: 'ReportBatchItemFailures',
            }),
            event('sqs', {
              arn: { 'Fn::Join': [':', ['arn', 'aws', 'sqs', { Ref: 'AWS::Region' }, 'joined']] },
            }),
            event('sns', { arn: 'sales', filterPolicy: { kind: ['a', 'b'] } }),
            event('sns', { topicName: 'other', arn: { Ref: 'Topic' } }),
            event('s3', { bucket: 'photos', event: 's3:ObjectRemoved:*', rules: [{ prefix: 'a/' }] }),
            event('s3', { bucket: 'photos' }),
            event('eventBridge', { schedule: 'cron(0 12 * * ? *)', input: { a: 1 } }),
          ]),
        ],
        { resources, ...aws },
      ),
    );
    assert.deepEqual(
      triggers.map(({ id, props }) => [id, props]),
      [
        ['bucket:photos:work', { bucket: 'photos', events: ['removed'], prefix: 'a/', enabled: true }],
        ['bucket:photos:work:2', { bucket: 'photos', events: ['created', 'changed'], enabled: true }],
        [
          'queue:joined',
          {
            queue: 'joined',
            batchSize: 10,
            windowMs: 0,
            maxReceives: 3,
            deadLetter: 'joined-dead',
            concurrency: 2,
            enabled: true,
          },
        ],
        [
          'queue:mail',
          {
            queue: 'mail',
            batchSize: 10,
            windowMs: 0,
            maxReceives: 3,
            deadLetter: 'mail-dead',
            concurrency: 2,
            enabled: true,
          },
        ],
        [
          'queue:orders-prod',
          {
            queue: 'orders-prod',
            batchSize: 3,
            windowMs: 2000,
            visibilityMs: 60_000,
            maxReceives: 5,
            deadLetter: 'orders-lost',
            concurrency: 2,
            enabled: true,
          },
        ],
        [
          'schedule:work:1',
          {
            schedule: 'cron(0 12 * * ? *)',
            timezone: 'UTC',
            overlap: 'allow',
            input: { a: 1 },
            enabled: true,
          },
        ],
        ['topic:other:work', { topic: 'other', maxReceives: 3, deadLetter: 'other-dead', enabled: true }],
        [
          'topic:sales:work',
          {
            topic: 'sales',
            filter: { kind: ['a', 'b'] },
            maxReceives: 3,
            deadLetter: 'sales-dead',
            enabled: true,
          },
        ],
      ],
    );
  });

  const foreign = [
    event('sqs', { arn: 'arn:x:orders.fifo' }),
    event('sqs', { arn: 'arn:x:a', filterPatterns: [] }),
    event('sqs', { arn: { 'Fn::ImportValue': 'q' } }),
    event('sns', { arn: 'a', filterPolicy: { price: [{ numeric: ['>', 1] }] } }),
    event('s3', { bucket: 'b', event: 's3:ObjectRestore:*' }),
    event('eventBridge', { pattern: {} }),
    event('stream', { arn: 'x' }),
    schedule({ inputPath: '$.x' }),
  ];
  const said = [
    'event `sqs` of work: not on the local engine: queues here keep no order',
    'event `sqs` of work: not on the local engine: queues here have no filterPatterns',
    'event `sqs` of work: not on the local engine: its arn does not say which queue it is',
    'event `sns` of work: not on the local engine: filters here compare attributes with texts, and nothing else',
    'event `s3` of work: not on the local engine: buckets here have no s3:ObjectRestore:*',
    'event `eventBridge` of work: not on the local engine: event buses are not on the local engine; a schedule is',
    'event `stream` of work: not on the local engine',
    '`inputPath` of a schedule of work: not on the local engine',
  ].map((text) => `SFX2204 ${text}`);

  it('are left out and named where they are not, in a file for another provider', () => {
    const service = serviceOf([work(foreign)], aws);
    assert.deepEqual(compile(service).triggers, []);
    assert.deepEqual(notes(service), said);
  });

  it('are refused where they are not, in a file for the engine', () => {
    const service = serviceOf([work(foreign)]);
    assert.deepEqual(problems(service), said);
    assert.deepEqual(notes(service), []);
  });
});

describe('a file for another provider', () => {
  const function_ = work(
    [
      {
        ...httpEvent('GET /a'),
        props: { ...httpEvent('GET /a').props, private: true, authorizer: 'aws_iam', integration: 'lambda' },
      },
    ],
    {
      environment: { TABLE: { Ref: 'Table' }, KEY: { $secret: 'env:KEY' }, PLAIN: 'x' },
      native: { layers: ['x'], vpc: {}, reservedConcurrency: 4 },
    },
  );

  it('runs, and what does not happen is named', () => {
    const service = serviceOf([function_], { ...aws, resources: { Resources: {} } });
    const ir = compile(service);
    const config = ir.units[0]?.config as JsonObject;
    assert.deepEqual(config['environment'], { KEY: { $secret: 'env:KEY' }, PLAIN: 'x' });
    assert.equal(config['instances'], 4);
    assert.deepEqual(
      ir.triggers.map(({ props }) => props),
      [{ method: 'GET', path: '/a', cors: null }],
    );
    assert.deepEqual(notes(service), [
      'SFX3005 `layers` of work: the local engine has no such thing',
      'SFX3005 `vpc` of work: the local engine has no such thing',
      'SFX3005 `resources`: the local engine makes none',
      'SFX3005 variable TABLE of work: the local engine has no Ref to fill it with',
      'SFX3005 the authorizer of a route of work is no function of this service: the local engine cannot ask it',
      'SFX3005 `private` of GET /a: routes here have no such thing',
      'SFX3005 `integration` of GET /a: the local engine hands over the request as it is (lambda-proxy)',
    ]);
  });

  it('says once what all functions share, and each time what is written twice', () => {
    const at: Service['at'] = (pointer) => {
      const line = pointer.startsWith('/provider')
        ? 1
        : /^\/functions\/\w+\/events/.test(pointer)
          ? pointer.length
          : 9;
      return { file: 'serverless.yml', line, column: 1 };
    };
    const shared = { TABLE: { Ref: 'Table' } };
    const streams = [0, 10].map((n) => ({ kind: 'stream', props: {}, pointer: `/functions/a/events/${n}` }));
    const functions = [
      functionOf('a', { environment: shared, events: streams }),
      functionOf('b', { environment: shared }),
    ];
    assert.deepEqual(notes(serviceOf(functions, { ...aws, at })), [
      'SFX3005 variable TABLE of the provider: the local engine has no Ref to fill it with',
      'SFX2204 event `stream` of a: not on the local engine',
      'SFX2204 event `stream` of a: not on the local engine',
    ]);
  });

  it('is refused where it says the same for the engine', () => {
    assert.equal(problems(serviceOf([function_], { resources: { Resources: {} } })).length, 8);
  });

  it('is refused where a function cannot run at all', () => {
    const image = work([], { handler: '', native: { image: 'x' } });
    const java = functionOf('java', { ...plain, runtime: 'java21' });
    assert.deepEqual(problems(serviceOf([image, java], aws)), [
      'SFX3005 `image` of work: the local engine runs no containers',
      'SFX3005 runtime `java21` of java: the local engine runs Node.js, Python, and a `command` that serves HTTP',
    ]);
  });
});

describe('functions, compiled for the local engine', () => {
  const unit = (change: Partial<ServiceFunction>, options: JsonObject = {}) =>
    compile(serviceOf([work([], change)], { provider: { name: 'local', options } })).units[0];
  const config = (change: Partial<ServiceFunction>, options: JsonObject = {}) => {
    const { runtime, memory, timeout, environment, ...rest } = unit(change, options)?.config as JsonObject;
    return rest;
  };

  it('say nothing about what the file says nothing about: their digests stay', () => {
    assert.deepEqual(config({}), {});
    assert.deepEqual(unit({})?.config, {
      runtime: 'nodejs20.x',
      memory: 256,
      timeout: 6000,
      environment: {},
    });
  });

  it('have bounds and isolation, their own before the service’s', () => {
    assert.deepEqual(config({ concurrency: { instances: 3, calls: 1 } }), { instances: 3, calls: 1 });
    assert.deepEqual(config({}, { isolation: 'process' }), { isolation: 'process' });
    assert.deepEqual(config({ isolation: 'thread' }, { isolation: 'process' }), { isolation: 'thread' });
    assert.deepEqual(config({ runtime: 'python3.12' }, { isolation: 'thread' }), {});
  });

  it('in Python, and programs, are files as they are', () => {
    const python = unit({ runtime: 'python3.12', handler: 'src/stats.handler', include: ['data/**'] });
    assert.deepEqual(python?.build, {
      kind: 'files',
      host: 'local',
      language: 'python',
      include: ['data/**'],
      entries: [{ function: 'work', handler: 'src/stats.handler' }],
    });
    const program = unit({ handler: '', command: ['node', 'server.js'] });
    assert.deepEqual(program?.build, {
      kind: 'files',
      host: 'local',
      language: 'program',
      include: [],
      entries: [{ function: 'work', command: ['node', 'server.js'] }],
    });
    assert.deepEqual((program?.config as JsonObject)['command'], ['node', 'server.js']);
    assert.equal((program?.config as JsonObject)['runtime'], 'program');
  });

  it('are refused with bounds that nothing here can keep', () => {
    const python = { runtime: 'python3.12' };
    assert.deepEqual(
      problems(
        serviceOf([
          work([], { ...python, concurrency: { calls: 2 }, isolation: 'thread' }),
          functionOf('many', { ...plain, concurrency: { instances: 5000 } }),
        ]),
      ),
      [
        'SFX6010 calls of work is 2; an instance of Python works on one call at a time',
        'SFX3005 isolation of work: threads are for Node.js; this one has processes of its own',
        'SFX6010 instances of many is 5000; the local engine takes 1 to 1000',
      ],
    );
  });

  it('hand a route to its authorizer', () => {
    const authorizer = { function: 'check', identity: ['$request.header.key'], ttlMs: 0, form: 'simple' };
    const route = httpEvent('GET /a');
    const { triggers } = compile(serviceOf([work([{ ...route, props: { ...route.props, authorizer } }])]));
    assert.deepEqual((triggers[0]?.props as JsonObject)['authorizer'], authorizer);
  });
});
