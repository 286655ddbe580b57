import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { lines, load, service } from '../config/project.js';

const events = async (text: string, provider = '') => {
  const files = {
    'serverless.yml': `service: shop\nprovider:\n  name: local\n${provider}functions:\n  list:\n    handler: list.get\n    events:\n${text}`,
    'list.js': '',
  };
  return (await load(files)).service.functions[0]!.events.map(({ kind, props }) => ({ kind, ...props }));
};

const routes = async (text: string) =>
  (await events(text)).map((event: Record<string, unknown>) => `${event['method']} ${event['path']}`);

describe('a service in its normal form', () => {
  it('has defaults for what is not written', async () => {
    const made = (await load(service(''))).service;
    const { at, dir, ...rest } = made;
    assert.deepEqual(rest, {
      name: 'shop',
      stage: 'dev',
      provider: { name: 'local', options: {} },
      functions: [
        {
          name: 'list',
          handler: 'list.get',
          runtime: 'nodejs20.x',
          memory: 256,
          timeout: 6000,
          environment: {},
          native: {},
          bundle: true,
          include: [],
          pointer: '/functions/list',
          events: [],
        },
      ],
      resources: {},
      rollout: { steps: [{ weight: 100 }], onFailure: 'rollback', bakeMs: 0, expand: 'late' },
      checks: [],
      keep: 5,
    });
    assert.ok(dir.startsWith('/'));
    assert.deepEqual(at('/functions/list/handler'), {
      file: 'serverless.yml',
      line: 6,
      column: 14,
      length: 8,
    });
    assert.deepEqual(at('/functions/list/memory'), { file: 'serverless.yml', line: 5, column: 3, length: 4 });
    assert.equal(at('/nothing'), undefined);
  });

  it("takes the provider's values where a function has none", async () => {
    const text =
      'service: {name: shop}\nprovider: {name: aws, runtime: nodejs18.x, memorySize: "512", timeout: 10, environment: {A: 1, B: 2, C: 3}}\nfunctions:\n  list:\n    handler: list.get\n    timeout: 1500ms\n    environment: {B: own, C: null}\n    tracing: Active\n    package: {patterns: [x], bundle: false, artifact: a.zip}\npackage: {exclude: [n], include: [i], patterns: [p]}\nstate: {path: .state}\n';
    const made = (await load({ 'serverless.yml': text, 'list.js': '' })).service;
    const [list] = made.functions;
    assert.deepEqual(
      [list?.runtime, list?.memory, list?.timeout, list?.bundle],
      ['nodejs18.x', 512, 1500, false],
    );
    assert.deepEqual(list?.environment, { A: '1', B: 'own' });
    assert.deepEqual(list?.include, ['!n', 'i', 'p', 'x']);
    assert.deepEqual(list?.native, { tracing: 'Active', package: { artifact: 'a.zip' } });
    assert.deepEqual(made.state, { path: '.state' });
  });

  it('keeps functions in the order of the file, from a list of mappings too', async () => {
    const text =
      'service: shop\nprovider: {name: local}\nfunctions:\n  - ${file(a.yml)}\n  - zeta: {handler: list.get}\n    alpha: {handler: list.get}\n';
    const files = { 'serverless.yml': text, 'a.yml': 'beta: {handler: list.get}\n', 'list.js': '' };
    const made = (await load(files)).service;
    assert.deepEqual(
      made.functions.map((fn) => fn.name),
      ['beta', 'zeta', 'alpha'],
    );
    assert.deepEqual(made.at(`${made.functions[0]!.pointer}/handler`), {
      file: 'a.yml',
      line: 1,
      column: 17,
      length: 8,
    });
    assert.deepEqual(await lines({ ...files, 'a.yml': 'zeta: {handler: list.get}\n' }), [
      'SFX2206 serverless.yml:5:5 the function zeta is there twice',
    ]);
  });

  it('has routes in one form', async () => {
    const text = [
      "'GET /x'",
      'get users/:id',
      '{path: "users/{id}/", method: post}',
      "'* /a/*'",
      "'*'",
      '{method: any, path: "/r/{proxy+}"}',
      'DELETE /',
      '{path: "*"}',
    ]
      .map((route, index) => `      - http${index % 2 ? 'Api' : ''}: ${route}\n`)
      .join('');
    assert.deepEqual(await routes(text), [
      'GET /x',
      'GET /users/{id}',
      'POST /users/{id}',
      'ANY /a/{proxy+}',
      'ANY /{proxy+}',
      'ANY /r/{proxy+}',
      'DELETE /',
      'ANY /{proxy+}',
    ]);
  });

  it('fills CORS, from the provider for httpApi', async () => {
    const [first, , , , fifth] = await events(
      "      - http: {path: /x, method: get, cors: true}\n      - http: {path: /x, method: post}\n      - httpApi: GET /y\n      - httpApi: {path: /z, method: get, cors: false}\n      - httpApi: {path: /q, method: '*', cors: {origins: [a, b], headers: h, methods: get, allowCredentials: true, maxAge: 60}}\n",
    );
    assert.deepEqual((first as { cors?: object }).cors, {
      origins: ['*'],
      headers: [
        'Content-Type',
        'Authorization',
        'X-Api-Key',
        'X-Amz-Date',
        'X-Amz-Security-Token',
        'X-Amz-User-Agent',
      ],
      methods: ['OPTIONS', 'GET', 'POST'],
      credentials: false,
    });
    assert.deepEqual((fifth as { cors?: object }).cors, {
      origins: ['a', 'b'],
      headers: ['h'],
      methods: ['GET'],
      credentials: true,
      maxAge: 60,
    });
    const shared = await events(
      '      - httpApi: GET /y\n      - httpApi: {path: /z, method: any, cors: false}\n      - http: GET /w\n',
      '  httpApi: {cors: {allowedOrigins: [o]}}\n',
    );
    assert.deepEqual(
      shared.map((event) => (event as { cors?: { origins: string[] } }).cors?.origins),
      [['o'], undefined, undefined],
    );
  });

  it('has the long form of other triggers', async () => {
    const text =
      '      - schedule: rate(5 minutes)\n      - sqs: arn:q\n      - sqs: !GetAtt Q.Arn\n      - s3: {bucket: b}\n      - iot: {sql: s}\n      - alb: x\n';
    assert.deepEqual(await events(text), [
      {
        kind: 'schedule',
        schedule: 'rate(5 minutes)',
        timezone: 'UTC',
        overlap: 'skip',
        enabled: true,
      },
      { kind: 'sqs', arn: 'arn:q' },
      { kind: 'sqs', arn: { 'Fn::GetAtt': ['Q', 'Arn'] } },
      { kind: 's3', bucket: 'b' },
      { kind: 'iot', sql: 's' },
      { kind: 'alb', value: 'x' },
    ]);
  });

  it('has rollouts as steps', async () => {
    const steps = async (text: string) => (await load(service(`rollout: ${text}\n`))).service.rollout;
    assert.deepEqual((await steps('{strategy: canary}')).steps, [
      { weight: 10 },
      { pause: 300_000 },
      { weight: 100 },
    ]);
    assert.deepEqual((await steps('{strategy: canary, weight: 5, pause: manual}')).steps, [
      { weight: 5 },
      { pause: null },
      { weight: 100 },
    ]);
    assert.deepEqual((await steps('{strategy: linear, weight: 40, pause: 1m}')).steps, [
      { weight: 40 },
      { pause: 60_000 },
      { weight: 80 },
      { pause: 60_000 },
      { weight: 100 },
    ]);
    assert.deepEqual((await steps('{strategy: allAtOnce}')).steps, [{ weight: 100 }]);
    const files = service(
      'rollout:\n  steps: [{setWeight: 5}, {pause: 90}, {check: up}, {setWeight: 100}]\n  analysis: {interval: 30s, failureLimit: 3, metrics: [{name: error-rate, max: 1.5%}, {name: latency-p95, max: 800ms, tolerance: 20%}]}\n  onFailure: pause\n  bake: 10m\n  deadline: 2h\n  expand: early\n  rollbackWindow: 9\nchecks:\n  - {name: up, function: list, http: {path: /health?deep=1}}\n  - {name: work, function: list, payload: {a: 1}, expect: {match: {ok: true}}}\n',
    );
    const made = (await load(files)).service;
    assert.deepEqual(made.rollout, {
      steps: [{ weight: 5 }, { pause: 90_000 }, { check: 'up' }, { weight: 100 }],
      analysis: {
        intervalMs: 30_000,
        initialDelayMs: 0,
        failureLimit: 3,
        inconclusive: 'pause',
        minSamples: 200,
        metrics: [
          { name: 'error-rate', max: 0.015 },
          { name: 'latency-p95', max: 800, tolerance: 0.2 },
        ],
      },
      onFailure: 'pause',
      bakeMs: 600_000,
      deadlineMs: 7_200_000,
      expand: 'early',
    });
    assert.equal(made.keep, 9);
    const [up, work] = made.checks;
    assert.deepEqual(up, {
      name: 'up',
      function: 'list',
      payload: { $http: { method: 'GET', path: '/health?deep=1' } },
      expect: { status: 200 },
    });
    assert.deepEqual(work, {
      name: 'work',
      function: 'list',
      payload: { a: 1 },
      expect: { match: { ok: true } },
    });
  });
});

describe('what cannot be brought into the normal form', () => {
  const fn = (rest: string) => service('', `functions:\n  list:\n    handler: list.get\n${rest}`);
  const cases: readonly [what: string, files: Parameters<typeof lines>[0], expected: readonly string[]][] = [
    [
      'names with letters that names do not take',
      {
        'serverless.yml':
          'service: my_shop\nprovider:\n  name: local\n  stage: dev.eu\nfunctions:\n  "a b": {handler: x.y}\n',
      },
      [
        'SFX2206 serverless.yml:1:10 the service name my_shop has "_" at character 3; it takes letters, digits and hyphens',
        'SFX2206 serverless.yml:4:10 the stage dev.eu has "." at character 4; it takes letters, digits and hyphens',
        'SFX2206 serverless.yml:6:4 the function name a b has " " at character 2; it takes letters, digits, hyphens and underscores',
        'SFX2301 serverless.yml:6:20 no x.{ts,js,mjs,cjs}',
      ],
    ],
    [
      'two equal routes',
      fn('    events:\n      - http: GET /a/{x}\n      - http: get /a/:y\n      - httpApi: GET /a/{x}\n'),
      ['SFX2205 serverless.yml:9:15 GET /a/{y} is there twice'],
    ],
    [
      'routes that are none',
      fn(
        '    events:\n      - http: GTE /a\n      - http: /a\n      - http: GET /a?b\n      - http: GET /{a+}/b\n      - http: "GET /{a}/{a}"\n',
      ),
      [
        'SFX2202 serverless.yml:8:15 GTE is not a method; did you mean GET?',
        'SFX2202 serverless.yml:9:15 has no method; write one before the path: GET /path',
        'SFX2202 serverless.yml:10:15 a path has no ?',
        'SFX2202 serverless.yml:11:15 {a+} can only end a path',
        'SFX2202 serverless.yml:12:16 the parameter {a} stands twice in the path',
      ],
    ],
    [
      'names of environment variables',
      fn('    environment: {A-B: 1}\n'),
      [
        'SFX2206 serverless.yml:7:19 A-B cannot be the name of an environment variable: letters, digits and underscores',
      ],
    ],
    [
      'a rollout that goes down, says things twice, or checks what is not there',
      service(
        'rollout:\n  strategy: canary\n  steps: [{setWeight: 50}, {setWeight: 20}, {check: upp}]\n  analysis: {metrics: [{name: error-rate, max: 1}, {name: latency-p95}]}\nchecks: [{name: up, function: lst}]\n',
      ),
      [
        'SFX2202 serverless.yml:8:13 rollout has steps; strategy beside them says it twice',
        'SFX2202 serverless.yml:9:40 a rollout only goes up: 20 % stands after 50 %',
        'SFX2207 serverless.yml:9:53 there is no check upp; did you mean up?',
        'SFX2202 serverless.yml:10:48 max of error-rate is a percentage: 1%',
        'SFX2202 serverless.yml:10:52 latency-p95 needs max, tolerance, or both',
        'SFX2207 serverless.yml:11:31 there is no function lst; did you mean list?',
      ],
    ],
    [
      'values from outside in a check',
      service("checks: [{name: up, function: list, payload: {a: '${opt:x}'}}]\n"),
      [
        'SFX2208 serverless.yml:7:37 payload of check up takes a value from outside; releases keep their checks',
      ],
    ],
  ];
  for (const [what, files, expected] of cases) {
    it(`is reported: ${what}`, async () => {
      assert.deepEqual(
        [...(await lines(files, { options: { x: 'some value' } }))].sort(),
        [...expected].sort(),
      );
    });
  }

  it('is said of a stage on the command line', async () => {
    await assert.rejects(load(service(''), { stage: 'a/b' }), /the stage a\/b has "\/" at character 2/);
  });
});
