import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type Files, lines, load } from '../config/project.js';

function files(events: readonly string[], more = ''): Files {
  const text = [
    'service: shop',
    'provider:',
    '  name: local',
    'functions:',
    '  work:',
    '    handler: work.run',
    '    events:',
    ...events.map((event) => `      - ${event}`),
    '',
  ].join('\n');
  return { 'serverless.yml': `${text}${more}`, 'work.js': '' };
}

async function events(...written: string[]) {
  const { service } = await load(files(written));
  return service.functions[0]!.events.map(({ kind, props }) => ({ kind, ...props }));
}

const wrong = (...written: string[]) => lines(files(written), { env: { KEY: 'secret-value' } });

describe('schedules', () => {
  it('have one form, whichever way they are written', async () => {
    const plain = { kind: 'schedule', timezone: 'UTC', overlap: 'skip', enabled: true };
    assert.deepEqual(
      await events(
        'schedule: rate(5 minutes)',
        'schedule: 0 12 * * 1-5',
        'schedule: {rate: 1 hour}',
        "schedule: {cron: '0 12 * * ? *', timezone: Europe/Berlin, overlap: allow}",
        'schedule: {expression: cron(0 12 ? * MON-FRI *), name: noon, input: {a: [1]}, enabled: false}',
      ),
      [
        { ...plain, schedule: 'rate(5 minutes)' },
        { ...plain, schedule: '0 12 * * 1-5' },
        { ...plain, schedule: 'rate(1 hour)' },
        { ...plain, schedule: 'cron(0 12 * * ? *)', timezone: 'Europe/Berlin', overlap: 'allow' },
        {
          ...plain,
          schedule: 'cron(0 12 ? * MON-FRI *)',
          name: 'noon',
          input: { a: [1] },
          enabled: false,
        },
      ],
    );
  });

  it('with a list are one for each, as in v3, and keep what only a provider knows', async () => {
    const found = await events(
      'schedule: {rate: [rate(1 day), cron(0 1 * * ? *)], name: tidy, method: scheduler, description: x}',
    );
    assert.deepEqual(
      found.map((event: Record<string, unknown>) => [event['schedule'], event['name'], event['method']]),
      [
        ['rate(1 day)', 'tidy', 'scheduler'],
        ['cron(0 1 * * ? *)', 'tidy-2', 'scheduler'],
      ],
    );
  });

  it('are refused where they are wrong, each at its place', async () => {
    const found = await wrong(
      'schedule: rate(5 minute)',
      'schedule: {rate: [rate(1 hour), cron(0 12 * * *)]}',
      'schedule: {rate: rate(1 day), timezone: Europe/Berln}',
      'schedule: {rate: rate(1 day), cron: 0 12 * * ? *}',
      'schedule: {name: empty}',
      'schedule: {rate: rate(1 day), overlap: skp}',
    );
    assert.deepEqual(
      found.map((line) => line.replace(/^(SFX\d+ serverless.yml:\d+):\d+ .*?(?=did|$)/, '$1 ').trim()),
      [
        'SFX2202 serverless.yml:8',
        'SFX2202 serverless.yml:9',
        'SFX2202 serverless.yml:10 did you mean Europe/Berlin?',
        'SFX2202 serverless.yml:11',
        'SFX2203 serverless.yml:12',
        'SFX2202 serverless.yml:13 did you mean skip?',
      ],
    );
    assert.match(found[1]!, /serverless.yml:9:41 /, 'the second of the list is marked');
  });

  it('keep nothing from outside: releases keep them', async () => {
    const all = await wrong('schedule: {rate: rate(1 day), input: {key: "x-${env:KEY}"}}');
    assert.deepEqual(all, [
      'SFX2208 serverless.yml:8:39 input of a schedule of work takes a value from outside; releases keep their triggers',
    ]);
  });
});

describe('queues, topics and buckets', () => {
  it('have one form, in milliseconds', async () => {
    assert.deepEqual(
      await events(
        'queue: orders',
        'queue: {name: mail, batchSize: 5, maximumBatchingWindow: 2, visibility: 1m, maxReceives: 4, deadLetter: lost, maximumConcurrency: 3, rate: 0.5, enabled: false}',
        'topic: sales',
        'topic: {topic: sales, filter: {kind: order, land: [de, fr]}, maxReceives: 2}',
        'bucket: uploads',
        'bucket: {name: uploads, events: [removed, created], rules: [{prefix: in/}, {suffix: .png}], path: /srv/in}',
      ),
      [
        { kind: 'queue', queue: 'orders', enabled: true },
        {
          kind: 'queue',
          queue: 'mail',
          batchSize: 5,
          windowMs: 2000,
          visibilityMs: 60_000,
          maxReceives: 4,
          deadLetter: 'lost',
          concurrency: 3,
          rate: 0.5,
          enabled: false,
        },
        { kind: 'topic', topic: 'sales', enabled: true },
        {
          kind: 'topic',
          topic: 'sales',
          filter: { kind: ['order'], land: ['de', 'fr'] },
          maxReceives: 2,
          enabled: true,
        },
        { kind: 'bucket', bucket: 'uploads', events: ['created', 'changed'], enabled: true },
        {
          kind: 'bucket',
          bucket: 'uploads',
          events: ['created', 'removed'],
          prefix: 'in/',
          suffix: '.png',
          path: '/srv/in',
          enabled: true,
        },
      ],
    );
  });

  it('are refused where they are wrong', async () => {
    const found = await wrong(
      'queue: my.orders',
      'queue: {batchSize: 5}',
      'queue: {queue: a, name: b}',
      'queue: {queue: a, deadLetter: a}',
      'queue: {queue: a, window: 10m}',
      'queue: {queue: a, batchSze: 3}',
      'topic: ""',
      'topic: {topic: t, filter: {kind: {prefix: x}}}',
      'bucket: Uploads',
      'bucket: {bucket: b, prefix: a, rules: [{prefix: b}]}',
      'bucket: {bucket: b, events: [create]}',
    );
    assert.deepEqual(
      found.map((line) => line.replace(/ serverless.yml:(\d+):\d+ /, ' $1 ')),
      [
        'SFX2206 8 the queue my.orders has "." at character 3; it takes letters, digits, hyphens and underscores',
        'SFX2203 9 the queue has no name: write queue: orders, or name: orders below it',
        'SFX2202 10 the queue is named twice, by queue and by name',
        'SFX2202 11 the dead letters of a cannot go back to it',
        'SFX2202 12 window is at most 5m',
        'SFX2201 13 batchSze is not a key of functions.work.events[5].queue; did you mean batchSize?',
        'SFX2206 14 the topic is empty',
        'SFX2202 15 functions.work.events[7].topic.filter.kind must be a text or a list, not a mapping',
        'SFX2206 16 the bucket Uploads has "U" at character 1; it takes small letters, digits and hyphens',
        'SFX2202 17 one bucket trigger has one prefix; this is a second one',
        'SFX2202 18 functions.work.events[10].bucket.events[0] must be created, changed or removed, not create; did you mean created?',
      ],
    );
  });
});

describe('authorizers', () => {
  const authorizer = async (event: string, provider = '') => {
    const given = files([event], '  check: {handler: work.check}\n');
    const text = String(given['serverless.yml']).replace('  name: local\n', `  name: local\n${provider}`);
    const { service } = await load({ ...given, 'serverless.yml': text });
    return service.functions[0]!.events[0]!.props['authorizer'];
  };

  it('that are functions have one form', async () => {
    const token = {
      function: 'check',
      identity: ['$request.header.authorization'],
      ttlMs: 300_000,
      form: 'token',
    };
    assert.deepEqual(await authorizer('http: {path: /a, method: get, authorizer: check}'), token);
    assert.deepEqual(
      await authorizer(
        'http: {path: /a, method: get, authorizer: {name: check, type: request, identitySource: "method.request.header.X-Key, method.request.querystring.Key", resultTtlInSeconds: 0}}',
      ),
      {
        function: 'check',
        identity: ['$request.header.x-key', '$request.querystring.Key'],
        ttlMs: 0,
        form: 'simple',
      },
    );
    assert.deepEqual(await authorizer('httpApi: {path: /a, method: get, authorizer: {name: check}}'), {
      function: 'check',
      identity: [],
      ttlMs: 0,
      form: 'simple',
    });
    assert.deepEqual(
      await authorizer(
        'httpApi: {path: /a, method: get, authorizer: {name: mine}}',
        '  httpApi: {authorizers: {mine: {type: request, functionName: check, identitySource: [$request.header.Key], resultTtlInSeconds: 60}}}\n',
      ),
      { function: 'check', identity: ['$request.header.key'], ttlMs: 60_000, form: 'simple' },
    );
  });

  it('of others stay as they are written', async () => {
    for (const other of ['aws_iam', 'arn:aws:lambda:x', '{arn: x}', '{type: jwt, id: x}']) {
      const found = await authorizer(`http: {path: /a, method: get, authorizer: ${other}}`);
      assert.ok(typeof found === 'string' || !('identity' in (found as object)), other);
    }
  });

  it('that are not there, or cannot be understood, are refused', async () => {
    const given = files(
      [
        'http: {path: /a, method: get, authorizer: chek}',
        'http: {path: /b, method: get, authorizer: {name: check, identitySource: context.path}}',
        'http: {path: /c, method: get, authorizer: {name: check, resultTtlInSeconds: 9999}}',
      ],
      '  check: {handler: work.check}\n',
    );
    assert.deepEqual(await lines(given), [
      'SFX2207 serverless.yml:8:51 there is no function chek; did you mean check?',
      'SFX2202 serverless.yml:9:81 identitySource context.path is none of $request.header.NAME and $request.querystring.NAME',
      'SFX2202 serverless.yml:10:85 resultTtlInSeconds is from 0 to 3600',
    ]);
  });
});

describe('programs, concurrency and isolation', () => {
  const functions = (...texts: string[]) =>
    ({
      'serverless.yml': `service: shop\nprovider: {name: local}\nfunctions:\n${texts.map((text) => `  ${text}\n`).join('')}`,
      'list.js': '',
    }) as const;

  it('are read', async () => {
    const { service } = await load(
      functions(
        'a: {command: "node server.js --fast"}',
        'b: {command: [node, server.js, 7], concurrency: 3}',
        'c: {handler: list.get, concurrency: {instances: 2, calls: 1}, isolation: process}',
      ),
    );
    const [a, b, c] = service.functions;
    assert.deepEqual([a?.command, a?.handler], [['/bin/sh', '-c', 'node server.js --fast'], '']);
    assert.deepEqual([b?.command, b?.concurrency], [['node', 'server.js', '7'], { instances: 3 }]);
    assert.deepEqual([c?.concurrency, c?.isolation], [{ instances: 2, calls: 1 }, 'process']);
    assert.deepEqual([a?.native, b?.native, c?.native], [{}, {}, {}]);
  });

  it('are refused where they are wrong', async () => {
    assert.deepEqual(
      await lines(
        functions(
          'a: {command: node x, handler: list.get}',
          'b: {command: []}',
          'c: {command: "node ${env:KEY}"}',
          'd: {}',
          'e: {handler: list.get, concurrency: 0, isolation: tread}',
        ),
        { env: { KEY: 'secret-value' } },
      ),
      [
        'SFX2202 serverless.yml:4:33 a has a command; a handler beside it is a second one',
        'SFX2202 serverless.yml:5:7 the command of b names no program',
        'SFX2208 serverless.yml:6:7 the command of c takes a value from outside; put it into environment, and read it there',
        'SFX2203 serverless.yml:7:3 d has no handler',
        'SFX2202 serverless.yml:8:39 functions.e.concurrency must be at least 1, not 0',
        'SFX2202 serverless.yml:8:53 functions.e.isolation must be thread or process, not tread; did you mean thread?',
      ],
    );
  });
});
