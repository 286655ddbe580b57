import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { SchemaError } from '../../src/config/schema-error.js';
import { causes } from '../../src/config/validate.js';
import { lines, load, problems, service } from './project.js';

const fn = (rest: string) => service('', `functions:\n  list:\n    handler: list.get\n${rest}`);

describe('the schema of serverless.yml', () => {
  it('takes a file as Serverless Framework v3 has it', async () => {
    const text = `service: orders-api
frameworkVersion: '3'
useDotenv: true
configValidationMode: error
plugins: [serverless-offline]
provider:
  name: aws
  runtime: nodejs18.x
  stage: dev
  region: eu-west-1
  memorySize: 512
  timeout: 10
  tags: {team: shop}
  environment: {TABLE: !Ref Orders}
  logRetentionInDays: 14
  iam: {role: {statements: [{Effect: Allow, Action: 'dynamodb:*', Resource: !GetAtt Orders.Arn}]}}
  httpApi: {cors: true, authorizers: {jwt: {type: request}}}
package: {patterns: ['!tests/**'], individually: true}
custom: {anything: [1, {goes: here}]}
functions:
  list:
    handler: list.get
    name: orders-list
    description: Lists orders
    tags: {a: b}
    role: arn:aws:iam::1:role/x
    vpc: {securityGroupIds: [a], subnetIds: [b]}
    events:
      - httpApi: GET /orders
      - http: {path: 'orders/{id}', method: get, cors: {origin: '*', headers: [A]}, authorizer: aws_iam}
      - schedule: rate(5 minutes)
      - sqs: {arn: !GetAtt Q.Arn, batchSize: 5}
      - sns: topic
      - stream: arn:aws:x
      - s3: {bucket: b, event: 's3:ObjectCreated:*'}
      - eventBridge: {pattern: {source: [a]}}
      - websocket: $connect
      - cognitoUserPool: {pool: p, trigger: PreSignUp}
    reservedConcurrency: 5
    layers: [arn]
resources:
  - Resources: {Orders: {Type: 'AWS::DynamoDB::Table'}}
  - Resources: {Q: {Type: 'AWS::SQS::Queue'}}
    Outputs: {O: {Value: !Ref Q}}
`;
    const { service: made, diagnostics } = await load({ 'serverless.yml': text, 'list.js': '' });
    assert.equal(made.provider.name, 'aws');
    assert.deepEqual(Object.keys(made.provider.options), [
      'region',
      'tags',
      'logRetentionInDays',
      'iam',
      'httpApi',
    ]);
    assert.deepEqual(
      made.functions[0]?.events.map((event) => event.kind),
      [
        'httpApi',
        'http',
        'schedule',
        'sqs',
        'sns',
        'stream',
        's3',
        'eventBridge',
        'websocket',
        'cognitoUserPool',
      ],
    );
    assert.deepEqual(Object.keys(made.resources as object), ['Resources', 'Outputs']);
    assert.deepEqual(
      diagnostics.map(({ code, severity, at }) => `${code} ${severity} ${at?.line}:${at?.column}`),
      ['SFX2107 warning 5:11'],
    );
  });

  const wrong: readonly [what: string, files: Parameters<typeof lines>[0], expected: readonly string[]][] = [
    [
      'an unknown key with the nearest name',
      fn('    memroySize: 3\n'),
      ['SFX2201 serverless.yml:7:5 memroySize is not a key of functions.list; did you mean memorySize?'],
    ],
    [
      'an unknown event',
      fn('    events:\n      - htp: GET /\n'),
      ['SFX2201 serverless.yml:8:9 htp is not a key of functions.list.events[0]; did you mean http?'],
    ],
    [
      'two events in one item',
      fn('    events:\n      - http: GET /\n        schedule: rate(1 hour)\n'),
      ['SFX2202 serverless.yml:9:9 functions.list.events[0] takes one key and has 2: http, schedule'],
    ],
    [
      'an event whose keys are not indented',
      fn('    events:\n      - http:\n        path: /\n'),
      [
        'SFX2202 serverless.yml:8:9 functions.list.events[0].http must be a text or a mapping, not empty',
        'SFX2201 serverless.yml:9:9 path is not a key of functions.list.events[0]',
      ],
    ],
    ['a missing key', 'service: a\n', ['SFX2203 serverless.yml:1:1 the file has no provider']],
    [
      'a wrong kind',
      fn('    memorySize: lots\n    environment: [A]\n    events: {}\n'),
      [
        'SFX2202 serverless.yml:7:17 functions.list.memorySize must be a whole number, not lots',
        'SFX2202 serverless.yml:8:18 functions.list.environment must be a mapping, not a list',
        'SFX2202 serverless.yml:9:13 functions.list.events must be a list, not a mapping',
      ],
    ],
    [
      'a duration',
      fn('    timeout: 5 minutes\n'),
      [
        'SFX2202 serverless.yml:7:14 functions.list.timeout must be seconds, or a duration such as 5m, 30s or 800ms, not 5 minutes',
      ],
    ],
    [
      'one of a few words',
      service('rollout: {strategy: cannary}\n'),
      [
        'SFX2202 serverless.yml:7:21 rollout.strategy must be allAtOnce, canary or linear, not cannary; did you mean canary?',
      ],
    ],
    [
      'a number out of range',
      service('rollout: {steps: [{setWeight: 101}]}\n'),
      ['SFX2202 serverless.yml:7:31 rollout.steps[0].setWeight must be at most 100, not 101'],
    ],
    [
      'a key of another provider, for the local one',
      'service: a\nprovider:\n  name: local\n  prot: 3\n  port: x\n',
      [
        'SFX2201 serverless.yml:4:3 prot is not a key of provider',
        'SFX2202 serverless.yml:5:9 provider.port must be a whole number, not x',
      ],
    ],
  ];
  for (const [what, files, expected] of wrong) {
    it(`reports ${what}`, async () => {
      assert.deepEqual(await lines(files), expected);
    });
  }

  it('checks the keys of `provider:` strictly only where they are known', async () => {
    const text = 'service: a\nprovider:\n  name: cloudy\n  anything: 1\n';
    assert.deepEqual((await load(text)).service.provider, { name: 'cloudy', options: { anything: 1 } });
    assert.deepEqual((await load(text, { provider: 'local' })).service.provider, {
      name: 'local',
      options: {},
      written: 'cloudy',
    });
  });

  it('says once that a key is misspelt, and not that it is missing too', async () => {
    assert.deepEqual(await lines('service: a\nprovder: {name: local}\n'), [
      'SFX2201 serverless.yml:2:1 provder is not a key of the file; did you mean provider?',
    ]);
  });

  it('reports all problems at once, in the order of the file', async () => {
    const found = await problems(
      service('rollout: {stategy: canary}\nstate: {pth: x}\n', 'functions:\n  li st:\n    handlr: x\n'),
    );
    assert.deepEqual(
      found.map(({ code, at }) => `${code}:${at?.line}`),
      ['SFX2206:5', 'SFX2203:5', 'SFX2201:6', 'SFX2201:7', 'SFX2201:8'],
    );
    assert.ok(found.every(({ frame }) => frame?.includes('^')));
  });
});

describe('findings of several forms', () => {
  const error = (
    keyword: string,
    instancePath: string,
    schemaPath: string,
    params: object = {},
  ): SchemaError => ({ keyword, instancePath, schemaPath, params: params as SchemaError['params'] });

  it('become the cause in the form that came nearest', () => {
    const found = causes([
      error('type', '/a', '#/properties/a/oneOf/0/type', { type: 'string' }),
      error('additionalProperties', '/a', '#/properties/a/oneOf/1/additionalProperties', {
        additionalProperty: 'x',
      }),
      error('oneOf', '/a', '#/properties/a/oneOf', { passingSchemas: null }),
      error('type', '/b', '#/properties/b/type', { type: 'string' }),
    ]);
    assert.deepEqual(
      found.map(({ keyword, instancePath }) => `${keyword} ${instancePath}`),
      ['additionalProperties /a', 'type /b'],
    );
  });

  it('name all kinds when the value is of none', () => {
    const found = causes([
      error('type', '/a', '#/properties/a/anyOf/0/type', { type: 'string' }),
      error('type', '/a', '#/properties/a/anyOf/1/type', { type: 'object' }),
      error('anyOf', '/a', '#/properties/a/anyOf'),
    ]);
    assert.deepEqual(
      found.map(({ params }) => params['type']),
      [['string', 'object']],
    );
  });
});
