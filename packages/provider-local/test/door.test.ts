import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '@sfx-deploy/plugin';
import { until } from './assertions.js';
import {
  type Answer,
  type Asking,
  call,
  flip,
  handler,
  live,
  SCOPE,
  stage,
  type TestEngine,
  testEngine,
  urlOf,
} from './bench.js';
import { admin, eventsUrl, pulls, send, sendAll } from './events-bench.js';

describe('the address for events', () => {
  let engine: TestEngine;
  let connection: Connection;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    await live(connection, 'worker', handler('return text("ok")', 'return payload'), []);
    await pulls(engine, 'queue:orders', 'worker', { queue: 'orders' }, false);
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  const refused = (answer: Answer, status: number, code: string) => {
    assert.equal(answer.status, status, answer.text);
    assert.equal(JSON.parse(answer.text).error.code, code);
  };
  const peek = async (name = 'orders') =>
    (
      await admin<{ messages: { id: string; body: string; attributes: object; state: string }[] }>(
        engine,
        'GET',
        `/queues/${name}?max=100`,
      )
    ).messages;
  const purge = () => admin(engine, 'POST', '/queues/orders/purge');
  afterEach(purge);

  it('opens with the token of a stage, which opens nothing else', async () => {
    const url = await eventsUrl(engine);
    const token = url.split('/').at(-1)!;
    const post = (target: string, asking: Asking = {}) =>
      call(target, { method: 'POST', body: 'x', ...asking });
    const at = `http://127.0.0.1:${engine.port}`;
    for (const wrong of ['', '0'.repeat(48), token.slice(1), `${token}0`, encodeURIComponent(`../${token}`)])
      refused(await post(`${at}/events/${wrong}/queues/orders`), 403, 'SFX6014');
    const admins = (await readFile(join(engine.home, 'token'), 'utf8')).trim();
    refused(await post(`${at}/events/${admins}/queues/orders`), 403, 'SFX6014');
    const authorization = `Bearer ${token}`;
    refused(await call(`${at}/v1/health`, { headers: { authorization } }), 401, 'SFX6003');
    refused(await post(`${url}/queues/orders`, { headers: { host: 'evil.example' } }), 403, 'SFX6003');
    refused(
      await post(`${url}/queues/orders`, { headers: { origin: 'https://evil.example' } }),
      403,
      'SFX6003',
    );
    assert.deepEqual(await peek(), []);
    if (process.platform !== 'win32') {
      const file = await stat(join(engine.home, 'stages', SCOPE.service, SCOPE.stage, 'events-token'));
      assert.equal(file.mode & 0o777, 0o600);
    }
  });

  it('of one stage does not reach the queues of another', async () => {
    const other = { service: 'shop', stage: 'prod' };
    await using second = await engine.connect(other);
    await stage(second, 'worker', handler('return text("ok")'));
    const token = await readFile(join(engine.home, 'stages', 'shop', 'prod', 'events-token'), 'utf8');
    const answer = await call(`http://127.0.0.1:${engine.port}/events/${token.trim()}/queues/orders`, {
      method: 'POST',
      body: 'x',
    });
    refused(answer, 404, 'SFX6011');
    assert.match(answer.text, /there is none/);
  });

  it('refuses what is not there, and what is not a name', async () => {
    const unknown = await send(engine, 'queues/odrers', 'x');
    refused(unknown, 404, 'SFX6011');
    assert.match(unknown.text, /there is orders/);
    refused(await send(engine, 'functions/nobody', '{}'), 404, 'SFX6011');
    refused(await send(engine, 'buckets/orders', 'x'), 404, 'SFX6011');
    refused(await send(engine, 'constructor/orders', 'x'), 404, 'SFX6011');
    refused(await send(engine, 'queues/orders/more', 'x'), 404, 'SFX6011');
    refused(await send(engine, 'queues/orders', '', { method: 'GET' }), 404, 'SFX6011');
    for (const name of ['..%2F..%2Ftoken', '%00', '.hidden', '', 'x'.repeat(65)])
      refused(await send(engine, `queues/${name}`, 'x'), 400, 'SFX6007');
  });

  it('takes a message as it is, with delay, attributes and id in headers', async () => {
    const headers = {
      'x-sfx-delay': '1.5',
      'x-sfx-attribute-color': 'red',
      'x-sfx-id': 'order-1',
      'content-type': 'application/json',
    };
    const answer = await send(engine, 'queues/orders', ' [1,\n2]\ufeff', { headers });
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [202, { ids: ['order-1'] }]);
    await send(engine, 'queues/orders', 'the same again', { headers });
    const messages = await peek();
    assert.deepEqual(
      messages.map(({ body, attributes, state }) => [body, attributes, state]),
      [[' [1,\n2]\ufeff', { color: 'red' }, 'delayed']],
    );
  });

  it('takes many as one: all of them or none', async () => {
    const lines = [
      { body: 'a' },
      { body: { b: 1 }, delay: 5, attributes: { x: 'y' }, id: 'b' },
      { body: [] },
    ];
    const answer = await sendAll(engine, 'queues/orders', lines);
    assert.equal(JSON.parse(answer.text).ids.length, 3);
    assert.deepEqual(
      (await peek()).map(({ body }) => body),
      ['a', '{"b":1}', '[]'],
    );
    await purge();
    for (const bad of [
      { body: 'x', delay: -1 },
      { body: 'x', delay: '1' },
      { body: 'x', delay: 901 },
      { body: 'x', id: 'with space' },
      { body: 'x', id: 7 },
      { body: 'x', attributes: { 'a b': 'c' } },
      { body: 'x', attributes: { 'sfx-dead-queue': 'token' } },
      { body: 'x', attributes: { a: 1 } },
      { body: 'x', attributes: ['a'] },
      { body: 'x', attributes: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`a${n}`, 'x'])) },
      { body: 'x', group: '1' },
      {},
      null,
      7,
    ])
      refused(await sendAll(engine, 'queues/orders', [{ body: 'good' }, bad]), 400, 'SFX6010');
    refused(await sendAll(engine, 'queues/orders', []), 400, 'SFX6010');
    const large = { body: 'x'.repeat(256 * 1024 + 1) };
    refused(await sendAll(engine, 'queues/orders', [{ body: 'good' }, large]), 413, 'SFX6012');
    const batch = { headers: { 'content-type': 'application/x-ndjson' } };
    refused(await send(engine, 'queues/orders', '{"body":"good"}\n{"body"', batch), 400, 'SFX6010');
    assert.deepEqual(await peek(), []);
  });

  it('refuses headers that say nothing, what is too large, and what is not text', async () => {
    const wrong: Record<string, string>[] = [
      { 'x-sfx-delay': 'soon' },
      { 'x-sfx-delay': '901' },
      { 'x-sfx-depth': 'deep' },
      { 'x-sfx-id': 'x'.repeat(129) },
      { 'x-sfx-attribute-sfx-dead-queue': 'orders' },
    ];
    for (const headers of wrong)
      refused(await send(engine, 'queues/orders', 'x', { headers }), 400, 'SFX6010');
    refused(await send(engine, 'queues/orders', 'x'.repeat(256 * 1024 + 1)), 413, 'SFX6012');
    refused(await send(engine, 'queues/orders', 'x'.repeat(17 * 1024 * 1024)), 413, 'SFX6012');
    const url = `${await eventsUrl(engine)}/queues/orders`;
    refused(await call(url, { method: 'POST', body: new Uint8Array([0xff, 0xfe]) }), 400, 'SFX6010');
    assert.deepEqual(await peek(), []);
    assert.equal((await send(engine, 'queues/orders', 'x'.repeat(256 * 1024))).status, 202);
  });

  it('makes a call that nobody waits for', async () => {
    const answer = await send(engine, 'functions/worker', '{"a":1}');
    assert.equal(answer.status, 202, answer.text);
    const { activation } = JSON.parse(answer.text) as { activation: string };
    await until(async () => (await connection.activation!(activation))?.status === 'ok');
    refused(await send(engine, 'functions/worker', '{"a"'), 400, 'SFX6010');
    refused(
      await send(engine, 'functions/worker', '{}', { headers: { 'x-sfx-depth': '17' } }),
      508,
      'SFX6112',
    );
  });

  it('is told to handlers, and stays the same over a restart', async () => {
    const code = handler(
      `await fetch(process.env.SFX_EVENTS_URL + '/queues/orders', { method: 'POST', body: 'from a handler' });
       return text(JSON.stringify([process.env.SFX_URL, process.env.SFX_EVENTS_URL]))`,
    );
    await live(connection, 'sender', code, ['GET /send']);
    const url = await urlOf(connection);
    const told = JSON.parse((await call(`${url}/send`)).text) as string[];
    assert.deepEqual(told, [url, await eventsUrl(engine)]);
    assert.deepEqual(
      (await peek()).map(({ body }) => body),
      ['from a handler'],
    );
    await flip(connection, (await connection.traffic.read({ id: 'live', units: [] })).table);
    const before = await eventsUrl(engine);
    const info = JSON.parse(await readFile(join(engine.home, 'engine.json'), 'utf8')) as { pid: number };
    process.kill(info.pid, 'SIGKILL');
    await connection.traffic.read({ id: 'live', units: [] });
    assert.equal(await eventsUrl(engine), before);
    assert.deepEqual(
      (await peek()).map(({ body }) => body),
      ['from a handler'],
    );
  });
});
