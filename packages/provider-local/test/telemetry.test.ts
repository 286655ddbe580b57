import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@sfx-deploy/plugin';
import { engineStatus, provider } from '../src/index.js';
import type { LiveSnapshot } from '../src/wire.js';
import { until } from './assertions.js';
import { call, flip, handler, live, SCOPE, stage, type TestEngine, testEngine, urlOf } from './bench.js';

const SECRET = 'S3CRET-result';

describe('what the engine tells without a token', () => {
  let engine: TestEngine;
  let connection: Connection;
  let base: string;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    const code = handler(
      'return text("x", req.url.endsWith("bad") ? 500 : 200)',
      `console.log("${SECRET}"); return "${SECRET}"`,
    );
    await live(connection, 'seen', code, ['GET /seen']);
    base = `http://127.0.0.1:${engine.port}`;
    for (let n = 0; n < 5; n += 1) await call(`${await urlOf(connection)}/seen${n < 2 ? '?bad' : ''}`);
    await connection.invoke({ alias: 'live', function: 'seen' }, { secret: SECRET });
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  /** The value of the one sample that begins so. */
  const sample = (text: string, begin: string): number => {
    const found = text.split('\n').filter((line) => line.startsWith(begin));
    assert.equal(found.length, 1, `${begin}: ${found.join(' / ')}`);
    return Number(found[0]!.slice(found[0]!.lastIndexOf(' ')));
  };

  it('is metrics by version, as Prometheus reads them', async () => {
    const { status, headers, text } = await call(`${base}/metrics`);
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(sample(text, 'sfx_calls_total{service="shop",stage="dev",function="seen",'), 6);
    assert.equal(sample(text, 'sfx_call_errors_total{service="shop"'), 2);
    assert.equal(sample(text, 'sfx_call_duration_seconds_count{'), 6);
    assert.ok(sample(text, 'sfx_call_duration_seconds_sum{') > 0);
    assert.equal(sample(text, 'sfx_instances{'), 1);
    assert.equal(sample(text, 'sfx_traffic_percent{'), 100);
    assert.equal(sample(text, 'sfx_cold_starts_total{'), 0);
    // A thread tells what it uses from time to time.
    await until(async () => sample((await call(`${base}/metrics`)).text, 'sfx_memory_bytes{') > 1_000_000);
    assert.ok(!text.includes(SECRET));
  });

  it('counts the shares of a canary, and both versions', async () => {
    const [one] = await connection.versions.list('seen');
    const two = await stage(connection, 'seen', handler('return text(2)'), {}, 2);
    await flip(connection, { seen: { stable: one!.id, candidate: { version: two.id, percent: 5 } } }, 1, 2);
    const { text } = await call(`${base}/metrics`);
    const lines = text.split('\n').filter((line) => line.startsWith('sfx_traffic_percent{'));
    assert.deepEqual(lines.map((line) => line.slice(line.lastIndexOf(' ') + 1)).sort(), ['5', '95']);
  });

  it('is refused to other web pages, and to who does not name this machine', async () => {
    for (const path of ['/metrics', '/live']) {
      const foreign: Record<string, string>[] = [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'http://evil.example' },
        { host: 'evil.example' },
        { host: `evil.example:${engine.port}` },
      ];
      for (const headers of foreign)
        assert.equal((await call(`${base}${path}`, { headers })).status, 403, JSON.stringify(headers));
      assert.equal((await call(`${base}${path}`, { method: 'POST' })).status, 401);
    }
    assert.equal(
      (await call(`${base}/metrics`, { headers: { 'sec-fetch-site': 'same-origin' } })).status,
      200,
    );
    assert.equal((await call(`${base}/metrics`, { headers: { 'sec-fetch-site': 'none' } })).status, 200);
    const opened = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    assert.equal((await call(`${base}/`, { headers: opened })).status, 200);
    assert.equal((await call(`${base}/metrics`, { headers: opened })).status, 403);
    assert.equal((await call(`${base}/v1/status`)).status, 401);
    assert.equal((await call(`${base}/metrics/..//v1/status`)).status, 401);
    assert.equal((await call(`${base}/constructor`)).status, 401);
  });

  /** Snapshots until one fits. */
  const watch = (fits: (snapshot: LiveSnapshot) => boolean, then?: () => Promise<unknown>) =>
    new Promise<LiveSnapshot[]>((resolve, reject) => {
      const all: LiveSnapshot[] = [];
      const req = request(`${base}/live`, (res) => {
        assert.equal(res.headers['content-type'], 'text/event-stream');
        let open = '';
        res.on('data', (chunk: Buffer) => {
          const parts = (open + chunk.toString()).split('\n\n');
          open = parts.pop()!;
          for (const part of parts.filter((text) => text.startsWith('data: '))) {
            all.push(JSON.parse(part.slice(6)) as LiveSnapshot);
            if (all.length === 1) then?.().catch(reject);
            if (!fits(all.at(-1)!)) continue;
            req.destroy();
            return resolve(all);
          }
        });
      });
      req.on('error', reject).end();
    });

  it('is a snapshot of all, then another when something changed, with no result or log in it', async () => {
    const all = await watch(
      (snapshot) => snapshot.activations.filter((one) => one.cause === 'invoke').length === 2,
      () => connection.invoke({ alias: 'live', function: 'seen' }, 7),
    );
    const [first] = all;
    const [service] = first!.services;
    assert.deepEqual(
      { service: service!.service, stage: service!.stage, live: service!.live, open: service!.open },
      { ...SCOPE, live: 1, open: 2 },
    );
    const [fn] = service!.functions;
    assert.deepEqual([fn!.stable.percent, fn!.candidate!.percent, fn!.candidate!.release], [95, 5, 2]);
    assert.deepEqual([fn!.stable.minute?.requests, fn!.stable.minute?.errors], [6, 2]);
    assert.deepEqual(service!.triggers, [
      { kind: 'http', source: 'GET /seen', function: 'seen', enabled: true },
    ]);
    assert.deepEqual(first!.activations.map((one) => `${one.cause} ${one.status}`).sort(), [
      'http failed',
      'http failed',
      'http ok',
      'http ok',
      'http ok',
      'invoke ok',
    ]);
    assert.ok(!JSON.stringify(all).includes(SECRET));
  });

  it('shows calls of before a kill again', async () => {
    await sleep(200);
    const { pid } = await engineStatus(engine.run());
    process.kill(pid!, 'SIGKILL');
    const refused = (error: { code?: string }) => error.code === 'ECONNREFUSED';
    while (!(await call(base).then(() => false, refused))) await sleep(5);
    await connection.versions.list('seen');
    const [first] = await watch(() => true);
    assert.deepEqual(first!.activations.map((one) => `${one.cause} ${one.status}`).sort(), [
      'http failed',
      'http failed',
      'invoke ok',
      'invoke ok',
    ]);
  });

  it('tells a call that waited for an instance', async () => {
    await connection.invoke({ alias: 'live', function: 'seen' }, 7);
    const [one] = await connection.activations!({ limit: 1 });
    assert.equal(one?.cold, true);
    const { text } = await call(`${base}/metrics`);
    const cold = text.split('\n').filter((line) => line.startsWith('sfx_cold_starts_total{'));
    assert.deepEqual(cold.map((line) => line.slice(line.lastIndexOf(' ') + 1)).sort(), ['0', '1']);
  });
});

describe('traces', () => {
  it('come in, go through the handler and out, and are sent where the environment says', async () => {
    const bodies: string[] = [];
    const collector = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString());
        res.end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    const engine = await testEngine();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
    const connection = await provider.connect(SCOPE, {}, engine.run(env));
    try {
      assert.equal(connection.identity.note?.includes('spans'), false);
      const asked = await provider.connect(SCOPE, { otlp: 'http://127.0.0.1:9' }, engine.run());
      assert.match(asked.identity.note!, /the address for spans takes effect after `sfx local stop`/);
      await asked[Symbol.asyncDispose]();
      const bad = provider.connect(SCOPE, { otlp: 'http://user:S3CRET@c:4318' }, engine.run());
      await assert.rejects(bad, (error: Error & { code: string }) => {
        assert.equal(error.code, 'SFX6010');
        return !error.message.includes('S3CRET');
      });
      await live(connection, 'traced', handler('return text(ctx.trace ?? "none")'), ['GET /traced']);
      const url = `${await urlOf(connection)}/traced`;
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
      const { text, headers } = await call(url, {
        headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
      });
      assert.match(text, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
      assert.equal(headers['traceparent'], text);
      const other = (await call(url, { headers: { traceparent: 'nonsense' } })).text;
      assert.match(other, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      // Stopping sends what is left.
      await connection[Symbol.asyncDispose]();
      await engine.close();
      const spans = bodies.flatMap((body) =>
        [...body.matchAll(/"spanId":"([0-9a-f]{16})"/g)].map((found) => found[1]),
      );
      assert.deepEqual(spans.sort(), [text, other].map((header) => header.split('-')[2]).sort());
    } finally {
      await engine.close();
      collector.close();
    }
  });
});
