import assert from 'node:assert/strict';
import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
  APIGatewayTokenAuthorizerEvent,
} from 'aws-lambda';
import fc from 'fast-check';
import type { Authorizer } from '../src/daemon/http/authorizer.js';
import { allows } from '../src/daemon/http/policy.js';
import type { Outcome } from '../src/daemon/instances/outcomes.js';
import { call } from './bench.js';
import { type Act, answered, type HttpInput, type TestGateway, testGateway } from './http-bench.js';

const json = (value: unknown): Outcome => ({ kind: 'json', text: JSON.stringify(value) ?? 'null' });
const threw = (message: string): Outcome => ({ kind: 'failed', why: 'threw', message });
const codeOf = (text: string) => (JSON.parse(text) as { error: { code: string } }).error.code;
const ARN = 'arn:aws:execute-api:local:000000000000:shop/dev/GET/things/7';
const policy = (effect: string, resource: unknown = ARN, more = {}) => ({
  principalId: 'ann',
  policyDocument: {
    Version: '2012-10-17',
    Statement: [{ Effect: effect, Action: 'execute-api:Invoke', Resource: resource, ...more }],
  },
  context: { plan: 'gold' },
});

describe('a route with an authorizer', () => {
  let gateway: TestGateway;
  let check: Act;
  const cors = { origins: ['https://a.example'], headers: [], methods: ['GET'], credentials: false };
  const by = (over: Partial<Authorizer> = {}) => ({
    function: 'echo',
    cors,
    authorizer: {
      function: 'check',
      identity: ['$request.header.authorization'],
      ttlMs: 60_000,
      form: 'simple',
      ...over,
    } as Authorizer,
  });
  before(async () => {
    gateway = await testGateway({
      candidates: ['echo'],
      functions: {
        check: (input) => check(input),
        echo: (input) => answered((input as HttpInput).authorizer ?? ''),
      },
      routes: {
        'GET /things/{id}': by(),
        'GET /query': by({ identity: ['$request.header.x-key', '$request.querystring.who'] }),
        'GET /token/{id}': by({ form: 'token' }),
        'GET /each': by({ ttlMs: 0 }),
        'GET /anybody': by({ identity: [] }),
        'GET /brief': by({ ttlMs: 1 }),
        'GET /missing': by({ function: 'nobody' }),
        'GET /open': 'echo',
        'POST /things': by(),
      },
    });
  });
  after(() => gateway.close());
  beforeEach(() => {
    gateway.flip();
    gateway.begun.length = 0;
    check = () => json({ isAuthorized: true });
  });

  const ask = (path: string, headers: Record<string, string> = { authorization: 'me' }) =>
    call(`${gateway.url}${path}`, { headers: { origin: 'https://a.example', ...headers } });
  const asked = (name = 'check') => gateway.begun.filter((one) => one.function === name).length;

  it('asks it first, with the event of an HTTP API, and hands over what it says', async () => {
    let event: APIGatewayRequestAuthorizerEventV2 | undefined;
    const result: APIGatewaySimpleAuthorizerWithContextResult<object> = {
      isAuthorized: true,
      context: { user: 'ann', roles: [1] },
    };
    check = (input) => {
      event = JSON.parse((input as { payload: string }).payload);
      return json(result);
    };
    const answer = await ask('/things/7?a=1&a=2&b=%20', {
      authorization: 'me',
      cookie: 'a=1; b=2',
      'user-agent': 'x',
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.text), { lambda: result.context });
    const { requestContext, headers, ...rest } = event!;
    assert.deepEqual(rest, {
      version: '2.0',
      type: 'REQUEST',
      routeArn: ARN,
      identitySource: ['me'],
      routeKey: 'GET /things/{id}',
      rawPath: '/things/7',
      rawQueryString: 'a=1&a=2&b=%20',
      cookies: ['a=1', 'b=2'],
      queryStringParameters: { a: '1,2', b: ' ' },
      pathParameters: { id: '7' },
      stageVariables: {},
    });
    assert.equal(headers!['authorization'], 'me');
    assert.equal(headers!['cookie'], undefined);
    assert.equal(requestContext.http.method, 'GET');
    assert.equal(requestContext.http.userAgent, 'x');
    assert.equal(requestContext.stage, 'dev');
    assert.deepEqual(
      gateway.begun.map((one) => one.function),
      ['check', 'echo'],
    );
  });

  it('answers 401 without a call when the caller says not who it is', async () => {
    for (const [path, headers] of [
      ['/things/7', {}],
      ['/things/7', { authorization: '' }],
      ['/query?who=x', {}],
      ['/query', { 'x-key': '1' }],
      ['/query?who=', { 'x-key': '1' }],
    ] as const) {
      const answer = await ask(path, headers as Record<string, string>);
      assert.equal(answer.status, 401, path);
      assert.equal(codeOf(answer.text), 'SFX6113');
      assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example');
    }
    assert.equal(gateway.begun.length, 0);
    assert.equal((await ask('/things/7', {})).headers['www-authenticate'], 'Bearer');
    assert.equal((await ask('/query?who=x', { 'x-key': '1' })).status, 200);
  });

  it('answers 403 to whom it does not allow, and never calls the function', async () => {
    check = () => json({ isAuthorized: false });
    const answer = await ask('/things/7');
    assert.equal(answer.status, 403);
    assert.equal(codeOf(answer.text), 'SFX6114');
    assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example');
    assert.equal(asked('echo'), 0);
  });

  it('allows nobody when it gives no verdict', async () => {
    for (const outcome of [
      threw('broken'),
      { kind: 'failed', why: 'timeout', message: 'x' },
      json(null),
      json({}),
      json({ isAuthorized: 'true' }),
      json({ isAuthorized: 1 }),
      json('yes'),
      json({ policyDocument: { Statement: [{ Effect: 'Maybe' }] } }),
      json({ isAuthorized: true, context: 'x' }),
      answered('{"isAuthorized":true}'),
    ] as Outcome[]) {
      check = () => outcome;
      const answer = await ask('/things/7');
      assert.equal(answer.status, 500, JSON.stringify(outcome));
      assert.equal(codeOf(answer.text), 'SFX6115');
    }
    const missing = await ask('/missing');
    assert.equal(missing.status, 500);
    assert.equal(codeOf(missing.text), 'SFX6115');
    check = () => ({ kind: 'failed', why: 'busy', message: 'x' });
    assert.equal((await ask('/things/7')).status, 503);
    assert.equal(asked('echo'), 0);
  });

  it('takes `Unauthorized` for what it means on AWS', async () => {
    check = () => threw('Unauthorized');
    assert.equal((await ask('/things/7')).status, 401);
  });

  it('understands the policy of an authorizer of a REST API, and its token event', async () => {
    let event: APIGatewayTokenAuthorizerEvent | undefined;
    check = (input) => {
      event = JSON.parse((input as { payload: string }).payload);
      return json(policy('Allow', event!.methodArn));
    };
    const answer = await ask('/token/9', { authorization: 'Bearer x' });
    assert.equal(answer.status, 200);
    assert.deepEqual(event, {
      type: 'TOKEN',
      methodArn: 'arn:aws:execute-api:local:000000000000:shop/dev/GET/token/9',
      authorizationToken: 'Bearer x',
    });
    assert.deepEqual(JSON.parse(answer.text), {
      principalId: 'ann',
      plan: 'gold',
      lambda: { plan: 'gold' },
    });
    // The same decision, kept, judged for another path: the policy names one.
    assert.equal((await ask('/token/10', { authorization: 'Bearer x' })).status, 403);
    assert.equal(asked(), 1);
  });

  it('is read by its status where it answers over HTTP', async () => {
    for (const [status, body, expected] of [
      [200, { isAuthorized: true }, 200],
      [200, { isAuthorized: false }, 403],
      [401, null, 401],
      [403, { isAuthorized: true }, 403],
      [500, { isAuthorized: true }, 500],
      [200, 'fine', 500],
    ] as const) {
      gateway.flip();
      check = () => json({ status, headers: {}, body });
      assert.equal((await ask('/things/7')).status, expected, `${status} ${JSON.stringify(body)}`);
    }
  });

  it('keeps a decision by route and identity, for its time', async () => {
    for (let n = 0; n < 3; n += 1) await ask('/things/7');
    assert.equal(asked(), 1);
    await ask('/things/7', { authorization: 'you' });
    assert.equal(asked(), 2);
    await ask('/query?who=1', { 'x-key': '1' });
    await ask('/query?who=2', { 'x-key': '1' });
    await ask('/query?who=1', { 'x-key': '1' });
    assert.equal(asked(), 4);
    for (let n = 0; n < 3; n += 1) await ask('/each');
    for (let n = 0; n < 3; n += 1) await ask('/anybody', {});
    assert.equal(asked(), 10);
    await ask('/brief');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await ask('/brief');
    assert.equal(asked(), 12);
  });

  it('keeps denials, but no failure', async () => {
    check = () => json({ isAuthorized: false });
    await ask('/things/7');
    check = () => json({ isAuthorized: true });
    assert.equal((await ask('/things/7')).status, 403);
    gateway.flip();
    check = () => threw('broken');
    assert.equal((await ask('/things/7')).status, 500);
    check = () => json({ isAuthorized: true });
    assert.equal((await ask('/things/7')).status, 200);
  });

  it('forgets what it decided when an alias changes', async () => {
    await ask('/things/7');
    gateway.flip();
    check = () => json({ isAuthorized: false });
    assert.equal((await ask('/things/7')).status, 403);
  });

  it('is asked once for calls that come together', async () => {
    let open: (() => void) | undefined;
    check = async () => {
      await new Promise<void>((resolve) => {
        open = resolve;
      });
      return json({ isAuthorized: true });
    };
    const all = [ask('/things/1'), ask('/things/2'), ask('/things/3')];
    while (open === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    open();
    for (const answer of await Promise.all(all)) assert.equal(answer.status, 200);
    assert.equal(asked(), 1);
  });

  it('keeps a bounded number of decisions', async () => {
    for (let n = 0; n <= 1_000; n += 1) await ask('/things/7', { authorization: `me ${n}` });
    assert.equal(asked(), 1_001);
    await ask('/things/7', { authorization: 'me 1000' });
    assert.equal(asked(), 1_001);
    await ask('/things/7', { authorization: 'me 0' });
    assert.equal(asked(), 1_002);
  }).timeout(20_000);

  it('asks its candidate for a call of a candidate, or what is stable where there is none', async () => {
    const answer = await ask('/things/7', { authorization: 'me', 'x-sfx-candidate': '1' });
    assert.equal(answer.status, 200);
    assert.deepEqual(
      gateway.begun.map((one) => [one.function, one.candidate]),
      [
        ['check', false],
        ['echo', true],
      ],
    );
  });

  it('is not asked for a preflight, nor on other routes', async () => {
    const preflight = await call(`${gateway.url}/things/7`, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'GET' },
    });
    assert.equal(preflight.status, 204);
    const open = await ask('/open', {});
    assert.equal(open.status, 200);
    assert.equal(open.text, '');
    assert.equal(asked(), 0);
  });

  it('is asked before the body is read', async () => {
    check = () => json({ isAuthorized: false });
    const answer = await call(`${gateway.url}/things`, {
      method: 'POST',
      headers: { authorization: 'me', 'content-length': '3000000' },
      body: new Uint8Array(3_000_000),
    });
    assert.equal(answer.status, 403);
    check = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return json({ isAuthorized: true });
    };
    gateway.flip();
    const allowed = await call(`${gateway.url}/things`, {
      method: 'POST',
      headers: { authorization: 'me' },
      body: 'late',
    });
    assert.equal(allowed.status, 200);
    const { input } = gateway.begun.at(-1)!;
    assert.equal(new TextDecoder().decode((input as HttpInput).body!), 'late');
  });
});

describe('a policy document', () => {
  const of = (...statements: unknown[]) => allows({ Version: '2012-10-17', Statement: statements }, ARN);
  const say = (Effect: string, Resource: unknown, more = {}) => ({
    Effect,
    Action: 'execute-api:Invoke',
    Resource,
    ...more,
  });

  it('allows what a statement allows, and nothing else', () => {
    assert.equal(of(say('Allow', ARN)), true);
    assert.equal(of(say('Allow', [ARN.replace('7', '8'), ARN])), true);
    assert.equal(of(say('Allow', '*')), true);
    assert.equal(of(say('Allow', 'arn:aws:execute-api:*:*:shop/dev/GET/*')), true);
    assert.equal(of(say('Allow', 'arn:aws:execute-api:*:*:shop/dev/POST/*')), false);
    assert.equal(of(say('Allow', ARN.slice(0, -1))), false);
    assert.equal(of(say('Allow', '*', { Action: 's3:*' })), false);
    assert.equal(of(say('Allow', '*', { Action: ['s3:*', 'EXECUTE-API:*'] })), true);
    assert.equal(allows({ Statement: say('Allow', '*') }, ARN), true);
    assert.equal(of(), false);
  });

  it('denies what any statement denies', () => {
    assert.equal(of(say('Allow', '*'), say('Deny', ARN)), false);
    assert.equal(of(say('Deny', ARN), say('Allow', '*')), false);
    assert.equal(of(say('Allow', '*'), say('Deny', ARN.replace('7', '8'))), true);
    assert.equal(of(say('Allow', '*'), { Effect: 'Deny', NotAction: 's3:*', Resource: '*' }), false);
    assert.equal(of(say('Allow', '*'), { Effect: 'Deny', Action: '*', NotResource: ARN }), true);
  });

  it('does not allow on a condition, which cannot be judged, and denies on one', () => {
    const Condition = { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } };
    assert.equal(of(say('Allow', '*', { Condition })), false);
    assert.equal(of(say('Allow', '*'), say('Deny', '*', { Condition })), false);
  });

  it('is no policy where it cannot be read', () => {
    for (const wrong of [
      null,
      'x',
      {},
      { Effect: 'Allow' },
      say('allow', '*'),
      say('Allow', 7),
      say('Allow', []),
    ])
      assert.equal(of(wrong), undefined, JSON.stringify(wrong));
    for (const wrong of [null, undefined, 'x', {}]) assert.equal(allows(wrong, ARN), undefined);
  });

  it('reads stars and question marks as a pattern of any signs does', () => {
    const signs = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(signs, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), (pattern, text) => {
        const regex = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        const found = allows({ Statement: say('Allow', pattern) }, text);
        assert.equal(found, regex.test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer for a pattern that is made to', () => {
    const began = performance.now();
    allows({ Statement: say('Allow', `${'*a'.repeat(200)}b`) }, 'a'.repeat(20_000));
    assert.ok(performance.now() - began < 5_000);
  });
});
