import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import type { Connection } from '@sfx-deploy/plugin';
import { call, handler, live, route, type TestEngine, testEngine, urlOf } from './bench.js';

const ECHO = handler(`
  const body = req.body === null ? null : new TextDecoder().decode(req.body);
  return text(JSON.stringify({ ...req, body, headers: Object.fromEntries(req.headers) }));`);

describe('HTTP on the local engine', () => {
  let engine: TestEngine;
  let connection: Connection;
  let url: string;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    const routes = [
      'GET /things/{id}',
      'GET /things/new',
      'POST /things',
      'ANY /any/{rest+}',
      'GET /any/one',
      'GET /files/{path+}',
      'GET /',
    ];
    await live(connection, 'echo', ECHO, routes);
    url = await urlOf(connection);
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  const echoed = async (path: string, asking = {}) => {
    const answer = await call(`${url}${path}`, asking);
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text) as {
      route: string;
      params: Record<string, string>;
      url: string;
      body: string | null;
      headers: Record<string, string>;
      method: string;
    };
  };

  it('takes the most specific route: text before a parameter before a rest', async () => {
    assert.equal((await echoed('/things/new')).route, 'GET /things/new');
    assert.equal((await echoed('/things/12')).route, 'GET /things/{id}');
    assert.equal((await echoed('/any/one')).route, 'GET /any/one');
    assert.equal((await echoed('/any/two')).route, 'ANY /any/{rest+}');
    // The more specific path has no POST, the other one has.
    assert.equal((await echoed('/any/one', { method: 'POST' })).route, 'ANY /any/{rest+}');
  });

  it('decodes path parameters, and hands the query on as it came', async () => {
    const { params, url: full } = await echoed('/things/a%20b%2Fc?x=1&y=%20');
    assert.deepEqual(params, { id: 'a b/c' });
    assert.equal(full, `${url}/things/a%20b%2Fc?x=1&y=%20`);
    assert.deepEqual((await echoed('/files/a/b/c.txt')).params, { path: 'a/b/c.txt' });
    assert.deepEqual((await echoed('/things/%ff')).params, { id: '%ff' });
  });

  it('hands over method, headers and body', async () => {
    const got = await echoed('/things', { method: 'POST', body: 'é'.repeat(10), headers: { 'X-One': '1' } });
    assert.equal(got.method, 'POST');
    assert.equal(got.body, 'é'.repeat(10));
    assert.equal(got.headers['x-one'], '1');
  });

  it('answers 404 for an unknown path and 405 with Allow for an unknown method, as JSON', async () => {
    const none = await call(`${url}/nothing/here`);
    assert.equal(none.status, 404);
    assert.equal(JSON.parse(none.text).error.code, 'SFX6101');
    const wrong = await call(`${url}/things/12`, { method: 'DELETE' });
    const traced = await call(`${url}/any/x`, { method: 'TRACE' });
    assert.equal(traced.status, 405);
    assert.equal(traced.headers['allow'], 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT');
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers['allow'], 'GET, HEAD');
    assert.equal(JSON.parse(wrong.text).error.code, 'SFX6102');
  });

  it('answers HEAD from GET, without the body', async () => {
    const answer = await call(`${url}/things/12`, { method: 'HEAD' });
    assert.equal(answer.status, 200);
    assert.equal(answer.text, '');
    assert.ok(Number(answer.headers['content-length']) > 0);
  });

  it('refuses a body over its limit, told or not', async () => {
    const body = new Uint8Array(10 * 1024 * 1024 + 1);
    const told = await call(`${url}/things`, {
      method: 'POST',
      headers: { 'content-length': String(body.length) },
      body,
    }).catch(String);
    if (typeof told !== 'string') assert.equal(told.status, 413);
    const chunked = await call(`${url}/things`, {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      body,
    }).catch(String);
    if (typeof chunked !== 'string') assert.equal(chunked.status, 413);
    assert.equal((await call(`${url}/`)).status, 200);
  });

  it('serves many calls on one connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 20; n += 1) assert.equal((await call(`${url}/things/${n}`, { agent })).status, 200);
    agent.destroy();
  });

  it('survives what is no HTTP, and callers that leave', async () => {
    const port = Number(new URL(url).port);
    for (const text of [
      '\0\0\0\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf',
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await new Promise<void>((resolve) => socket.write(text, () => resolve()));
      socket.destroy();
    }
    assert.equal((await call(`${url}/`)).status, 200);
    assert.equal((await call(`${url}/`, { headers: { host: 'a b"<>' } })).status, 403);
  });

  it('answers 502 for an answer that is not valid, and says in the log what was wrong with it', async () => {
    const answers = {
      '/status': '{ status: 99, headers: [], body: null }',
      '/name': '{ status: 200, headers: [["bad name", "x"]], body: null }',
      '/value': '{ status: 200, headers: [["x-a", "a\\nb"]], body: null }',
      '/none': 'undefined',
    };
    const code = handler(
      `const all = ${`{${Object.entries(answers).map(([path, value]) => `${JSON.stringify(path)}: ${value}`)}}`}; return all[new URL(req.url).pathname]`,
    );
    const version = await live(
      connection,
      'wrong',
      code,
      Object.keys(answers).map((path) => `GET ${path}`),
    );
    for (const path of ['/status', '/name', '/value']) {
      const answer = await call(`${url}${path}`);
      assert.equal(answer.status, 502, path);
      assert.equal(JSON.parse(answer.text).error.code, 'SFX6109');
      assert.equal(answer.headers['x-sfx-version'], `wrong@${version.digest.slice(7, 14)}`);
    }
    assert.equal((await call(`${url}/none`)).status, 500);
    const lines: string[] = [];
    for await (const line of connection.logs!(version, new Date(0), false))
      if (line.stream === 'engine') lines.push(line.text);
    assert.equal(lines.length, 3);
    assert.match(lines[0]!, /status 99/);
  });

  it('hands several cookies on, and lets no handler say who it is', async () => {
    const code = handler(
      'return text("x", 200, [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-sfx-version", "me"], ["connection", "close"]])',
    );
    const version = await live(connection, 'cookies', code, ['GET /cookies']);
    const answer = await call(`${url}/cookies`);
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(answer.headers['x-sfx-version'], `cookies@${version.digest.slice(7, 14)}`);
  });

  it('carries large bodies both ways', async () => {
    await live(connection, 'large', handler('return { status: 200, headers: [], body: req.body }'), [
      'POST /large',
    ]);
    const body = Buffer.alloc(3 * 1024 * 1024, 'x').toString();
    assert.equal((await call(`${url}/large`, { method: 'POST', body })).text, body);
  });
});

describe('CORS on the local engine', () => {
  let engine: TestEngine;
  let connection: Connection;
  let url: string;
  const cors = {
    origins: ['https://a.example', 'https://*.b.example'],
    headers: ['content-type'],
    methods: ['GET', 'PUT'],
    credentials: true,
    maxAge: 60,
  };
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    await live(
      connection,
      'cors',
      handler('return text("ok", 200, [["access-control-allow-origin", "https://own.example"]])'),
      [],
    );
    await route(connection, 'cors', 'GET /some', cors);
    await route(connection, 'cors', 'ANY /any', {
      ...cors,
      origins: ['*'],
      headers: ['*'],
      credentials: false,
    });
    await route(connection, 'cors', 'GET /none');
    url = await urlOf(connection);
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  const preflight = (path: string, origin: string, method = 'GET') =>
    call(`${url}${path}`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method },
    });

  it('answers a preflight itself', async () => {
    const answer = await preflight('/some', 'https://a.example');
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example');
    assert.equal(answer.headers['access-control-allow-methods'], 'GET, PUT');
    assert.equal(answer.headers['access-control-allow-headers'], 'content-type');
    assert.equal(answer.headers['access-control-allow-credentials'], 'true');
    assert.equal(answer.headers['access-control-max-age'], '60');
    assert.equal(answer.headers['vary'], 'Origin');
    assert.equal(answer.headers['x-sfx-version'], undefined);
  });

  it('answers a preflight of a route for any method', async () => {
    const answer = await preflight('/any', 'https://else.example', 'DELETE');
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
  });

  it('allows no other origin', async () => {
    for (const origin of [
      'https://evil.example',
      'https://a.example.evil.example',
      'https://b.example',
      'https://x.b.example/evil',
      'https://evil.example/.b.example',
      'null',
    ]) {
      assert.equal(
        (await preflight('/some', origin)).headers['access-control-allow-origin'],
        undefined,
        origin,
      );
      assert.equal(
        (await call(`${url}/some`, { headers: { origin } })).headers['access-control-allow-origin'],
        undefined,
        origin,
      );
    }
    assert.equal(
      (await preflight('/some', 'https://x.b.example')).headers['access-control-allow-origin'],
      'https://x.b.example',
    );
  });

  it('says on answers what the configuration says, not what the handler says', async () => {
    const answer = await call(`${url}/some`, { headers: { origin: 'https://a.example' } });
    assert.equal(answer.text, 'ok');
    assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example');
  });

  it('is on the answers of the gateway itself, so that a page can read why', async () => {
    const origin = 'https://a.example';
    for (const [path, asking, status] of [
      ['/some', { headers: { origin, 'x-sfx-candidate': '1' } }, 409],
      ['/some', { headers: { origin, 'x-sfx-depth': '17' } }, 508],
      ['/some', { headers: { origin }, method: 'DELETE' }, 405],
      ['/some', { headers: { origin, 'content-length': '99999999', connection: 'close' } }, 413],
    ] as const) {
      const answer = await call(`${url}${path}`, asking);
      assert.equal(answer.status, status);
      assert.equal(answer.headers['access-control-allow-origin'], origin, String(status));
    }
  });

  it('says that an answer depends on the origin where it does', async () => {
    assert.equal((await call(`${url}/some`)).headers['vary'], 'Origin');
    assert.equal((await call(`${url}/any`, { headers: { origin: 'x' } })).headers['vary'], undefined);
  });

  it('leaves a route without it alone', async () => {
    assert.equal((await preflight('/none', 'https://a.example')).status, 405);
    assert.equal((await call(`${url}/none`)).headers['access-control-allow-origin'], 'https://own.example');
  });
});
