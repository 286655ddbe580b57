import assert from 'node:assert/strict';
import type { JsonObject, Service, ServiceFunction } from '@sfx-deploy/core';
import { functionOf, httpEvent, serviceOf } from './bench.js';
import { aws, compile, event, notes, plain, problems, schedule, work } from './compile-bench.js';

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
