import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Begun, createCaller } from '../../src/daemon/calls/caller.js';
import { versionMetrics } from '../../src/daemon/telemetry/metrics.js';
import { createExporter, otlpOf } from '../../src/daemon/telemetry/otlp.js';
import type { OtlpSpan } from '../../src/daemon/telemetry/spans.js';
import { startSpan } from '../../src/daemon/telemetry/trace.js';

interface Exported {
  resourceSpans: {
    resource: { attributes: { key: string; value: object }[] };
    scopeSpans: { spans: OtlpSpan[] }[];
  }[];
}

/** Takes exports, or answers what `answers` says first. */
async function collector(answers: number[] = [], at = 0) {
  const got: { body: Exported; headers: Record<string, unknown> }[] = [];
  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const status = answers.shift() ?? 200;
      if (status === 200)
        got.push({
          body: JSON.parse(Buffer.concat(chunks).toString()) as Exported,
          headers: { ...req.headers, url: req.url },
        });
      res.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/v1/traces`,
    got,
    spans: () =>
      got.flatMap(({ body }) =>
        body.resourceSpans.flatMap((one) => one.scopeSpans.flatMap((two) => two.spans)),
      ),
    async until(count: number) {
      for (let n = 0; n < 400 && this.spans().length < count; n += 1) await sleep(10);
      assert.equal(this.spans().length, count);
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

function begunOf(id: string, trace?: string): Begun {
  const input = {
    kind: 'http' as const,
    requestId: id,
    method: 'GET',
    url: 'http://127.0.0.1:1/orders/7?token=S3CRET',
    headers: ['authorization', 'S3CRET'],
    body: null,
    params: [],
    route: 'GET /orders/{id}',
  };
  return {
    call: { cause: 'http', function: 'orders', alias: 'live', input, depth: 0, attempt: 1 },
    input,
    span: startSpan(trace),
    started: 1_700_000_000_123,
    began: 0,
    release: 3,
    serving: { version: { id: 'orders@0123456789ab' }, shown: 'orders@0123456' } as Begun['serving'],
  };
}

const ok = { kind: 'http' as const, status: 200, headers: [], body: null };
const scope = { service: 'shop', stage: 'dev' };

describe('spans as OTLP', () => {
  it('are sent with what the call was, and with no header, query or body of it', async () => {
    const to = await collector();
    const exporter = createExporter({
      url: to.url,
      headers: { 'x-key': 'k' },
      log: assert.fail,
      everyMs: 10,
    });
    const came = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    exporter.of(scope)(begunOf('a', came), { ...ok, cold: true }, 12.5, undefined, 200);
    exporter.of({ ...scope, stage: 'prod' })(begunOf('b'), ok, 1, { code: 'SFX6106', message: 'no' }, 503);
    await to.until(2);
    const [first] = to.got;
    assert.equal(first?.headers['x-key'], 'k');
    assert.equal(first.headers['content-type'], 'application/json');
    assert.equal(first.headers['url'], '/v1/traces');
    assert.equal(first.body.resourceSpans.length, 2);
    assert.deepEqual(first.body.resourceSpans[0]?.resource.attributes.slice(0, 2), [
      { key: 'service.name', value: { stringValue: 'shop' } },
      { key: 'deployment.environment.name', value: { stringValue: 'dev' } },
    ]);
    const [span, failed] = to.spans();
    assert.equal(span?.traceId, '4bf92f3577b34da6a3ce929d0e0e4736');
    assert.equal(span.parentSpanId, '00f067aa0ba902b7');
    assert.equal(span.name, 'GET /orders/{id}');
    assert.equal(span.startTimeUnixNano, '1700000000123000000');
    assert.equal(span.endTimeUnixNano, '1700000000135500000');
    const told = Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
    assert.deepEqual(told, {
      'faas.name': 'orders',
      'faas.version': 'orders@0123456789ab',
      'faas.trigger': 'http',
      'faas.invocation_id': 'a',
      'faas.coldstart': true,
      'http.request.method': 'GET',
      'http.route': '/orders/{id}',
      'http.response.status_code': '200',
      'url.path': '/orders/7',
      'sfx.version': 'orders@0123456',
      'sfx.release': '3',
      'sfx.cause': 'http',
      'sfx.attempt': '1',
    });
    assert.deepEqual(span.status, {});
    assert.deepEqual(failed?.status, { code: 2, message: 'no' });
    assert.equal(failed.parentSpanId, undefined);
    assert.ok(!JSON.stringify(to.got.map(({ body }) => body)).includes('S3CRET'));
    await exporter.close();
    await to.close();
  });

  it('are not sent for a trace that whoever began it does not want recorded', async () => {
    const to = await collector();
    const exporter = createExporter({ url: to.url, log: assert.fail, everyMs: 5 });
    exporter.of(scope)(
      begunOf('a', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'),
      ok,
      1,
      undefined,
      200,
    );
    exporter.of(scope)(begunOf('b'), ok, 1, undefined, 200);
    await to.until(1);
    await exporter.close();
    assert.equal(to.spans().length, 1);
    await to.close();
  });

  it('wait for a collector that is down, all within the bound, and are said to once', async () => {
    const gone = await collector();
    await gone.close();
    const said: string[] = [];
    let retries = 0;
    const exporter = createExporter({
      url: gone.url,
      log: (text) => said.push(text),
      everyMs: 1,
      retryMs: () => {
        retries += 1;
        return 5;
      },
    });
    const ended = exporter.of(scope);
    for (let n = 0; n < 6_000; n += 1) ended(begunOf(String(n)), ok, 1, undefined, 200);
    for (let n = 0; n < 400 && retries < 5; n += 1) await sleep(10);
    assert.ok(retries >= 5);
    assert.equal(said.length, 1);
    assert.match(said[0]!, /not taken by .*ECONNREFUSED/);
    const back = await collector([], gone.port);
    await back.until(4_096);
    assert.match(said[1]!, /taken again .* 1904 were dropped/);
    await exporter.close();
    await back.close();
  });

  it('hold up no call while the collector is down, or does not answer', async () => {
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const gone = await collector();
    await gone.close();
    const said: string[] = [];
    const callerFor = (url: string) => {
      const exporter = createExporter({ url, log: (text) => said.push(text), everyMs: 1, retryMs: () => 1 });
      const pool = { call: async () => ok };
      const serving = { ...begunOf('').serving, metrics: versionMetrics(Date.now), pool } as never;
      const caller = createCaller({
        choose: () => ({ serving, release: 3 }),
        byId: () => undefined,
        activations: { began: () => undefined, ended: () => undefined } as never,
        now: Date.now,
        ended: exporter.of(scope),
      });
      const ask = async () => {
        const { call, input } = begunOf('one');
        assert.ok(typeof (await caller.call({ ...call, input })) !== 'string');
      };
      return { exporter, ask };
    };
    const down = callerFor(gone.url);
    for (let n = 0; n < 400 && said.length === 0; n += 1) await down.ask().then(() => sleep(5));
    assert.equal(said.length, 1);
    for (let n = 0; n < 20; n += 1) await down.ask();
    const silent = callerFor(`http://127.0.0.1:${(mute.address() as AddressInfo).port}/v1/traces`);
    const reached = new Promise((resolve) => mute.once('request', resolve));
    await silent.ask();
    await reached;
    for (let n = 0; n < 20; n += 1) await silent.ask();
    mute.closeAllConnections();
    mute.close();
    await Promise.all([down.exporter.close(), silent.exporter.close()]);
  });

  it('are sent again after a collector that was busy, in batches, none twice and none lost', async () => {
    const to = await collector([503, 429]);
    const said: string[] = [];
    const exporter = createExporter({
      url: to.url,
      log: (text) => said.push(text),
      everyMs: 1,
      retryMs: () => 5,
    });
    for (let n = 0; n < 1_300; n += 1) exporter.of(scope)(begunOf(String(n)), ok, 1, undefined, 200);
    await to.until(1_300);
    assert.equal(new Set(to.spans().map((span) => span.spanId)).size, 1_300);
    assert.ok(to.got.every(({ body }) => body.resourceSpans[0]!.scopeSpans[0]!.spans.length <= 512));
    assert.equal(said.length, 2);
    assert.match(said[1]!, /taken again/);
    await exporter.close();
    await to.close();
  });

  it('that a collector refuses are not sent again', async () => {
    const to = await collector([400]);
    const said: string[] = [];
    const exporter = createExporter({ url: to.url, log: (text) => said.push(text), everyMs: 1 });
    exporter.of(scope)(begunOf('a'), ok, 1, undefined, 200);
    for (let n = 0; n < 400 && said.length === 0; n += 1) await sleep(5);
    assert.match(said[0]!, /refused .* status 400/);
    exporter.of(scope)(begunOf('b'), ok, 1, undefined, 200);
    await to.until(1);
    await exporter.close();
    await to.close();
  });

  it('go where the file or the environment says', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=x%20y,=no',
    };
    assert.equal(otlpOf(undefined, {}), undefined);
    assert.deepEqual(otlpOf(undefined, env), {
      url: 'http://c:4318/v1/traces',
      headers: { a: '1', b: 'x y' },
    });
    assert.deepEqual(otlpOf('http://f:1', env), {
      url: 'http://f:1/v1/traces',
      headers: { a: '1', b: 'x y' },
    });
    const whole = { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t/x' };
    assert.equal((otlpOf(undefined, whole) as { url: string }).url, 'https://t/x');
    for (const bad of ['c:4318', 'ftp://c', 'http://user:S3CRET@c:4318', 'http://']) {
      const said = otlpOf(bad, {}) as { problem: string };
      assert.match(said.problem, /address/);
      assert.ok(!said.problem.includes('S3CRET'));
    }
  });
});
