import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';
import type { Connection } from '../../packages/plugin/src/index.js';
import { prometheusText } from '../../packages/provider-local/src/daemon/telemetry/prometheus.js';
import { provider } from '../../packages/provider-local/src/index.js';
import {
  call,
  handler,
  live,
  SCOPE,
  type TestEngine,
  testEngine,
  urlOf,
} from '../../packages/provider-local/test/bench.js';

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: { name: string; labels: Record<string, string>; value: number }[];
}

interface Span {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly start: number;
  readonly nanoseconds: number;
  readonly status: number;
  readonly attributes: Record<string, unknown>;
}

/** What others read in it. Fails without their parsers: `npm run test:emulators` installs them. */
function read<T>(what: 'metrics' | 'spans', text: string): T {
  const python = process.env['SFX_EMULATORS_PYTHON'];
  assert.ok(python, 'SFX_EMULATORS_PYTHON is not set: these tests are run by `npm run test:emulators`');
  const file = fileURLToPath(new URL('telemetry.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [file, what], { input: text, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as T;
}

describe('metrics and spans of the engine, read by others', function () {
  this.timeout(60_000);
  let engine: TestEngine;
  let connection: Connection;
  let collector: Server;
  const bodies: string[] = [];
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

  before(async () => {
    collector = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString());
        res.end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    engine = await testEngine();
    connection = await provider.connect(SCOPE, { otlp: `http://127.0.0.1:${port}` }, engine.run());
    const code = handler('return text("x", req.url.endsWith("bad") ? 500 : 200)', 'throw new Error("no")');
    await live(connection, 'seen', code, ['GET /seen/{id}']);
    const url = `${await urlOf(connection)}/seen`;
    const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
    for (let n = 0; n < 7; n += 1) await call(`${url}/${n}${n === 3 ? '?bad' : ''}`, { headers });
    await assert.rejects(connection.invoke({ alias: 'live', function: 'seen' }, null));
  });
  after(async () => {
    await engine?.close();
    collector?.close();
  });

  it('are families that the parser of Prometheus takes, with a histogram that adds up', async () => {
    const { text } = await call(`http://127.0.0.1:${engine.port}/metrics`);
    const families = read<Family[]>('metrics', text);
    const of = (name: string) => families.find((family) => family.name === name)!;
    // The parser leaves the ending of a counter out of the name of its family.
    assert.equal(of('sfx_calls').type, 'counter');
    assert.equal(of('sfx_calls').samples[0]?.value, 8);
    assert.equal(of('sfx_call_errors').samples[0]?.value, 2);
    const { samples, type } = of('sfx_call_duration_seconds');
    assert.equal(type, 'histogram');
    const buckets = samples.filter((one) => one.name.endsWith('_bucket'));
    assert.equal(buckets.at(-1)?.labels['le'], '+Inf');
    assert.equal(buckets.at(-1)?.value, 8);
    for (const [n, one] of buckets.entries()) assert.ok(n === 0 || one.value >= buckets[n - 1]!.value);
    assert.equal(samples.find((one) => one.name.endsWith('_count'))?.value, 8);
    for (const family of families)
      assert.ok(family.help.length > 0 && family.type !== 'unknown', family.name);
  });

  it('hold any label, as it was', () => {
    const name = 'a "quoted" \\ back\\n slash\nand line, {b="c"} é 漢 🎉';
    const text = prometheusText([
      {
        name: 'odd',
        help: `Help with \\ and\n${name}`,
        type: 'gauge',
        samples: [{ labels: { name }, value: 1e-9 }],
      },
    ]);
    const [family] = read<Family[]>('metrics', text);
    assert.deepEqual(family?.samples, [{ name: 'odd', labels: { name }, value: 1e-9 }]);
    assert.equal(family.help, `Help with \\ and\n${name}`);
  });

  it('are spans that the messages of OpenTelemetry take, field by field', async () => {
    await connection[Symbol.asyncDispose]();
    // Stopping sends what is left.
    await engine.close();
    const spans = bodies.flatMap((body) => read<Span[]>('spans', body));
    assert.equal(spans.length, 8);
    const http = spans.filter((span) => span.name === 'GET /seen/{id}');
    assert.equal(http.length, 7);
    for (const span of http) {
      assert.deepEqual(
        [span.service, span.kind, span.traceId, span.parentSpanId],
        ['shop', 2, trace, '00f067aa0ba902b7'],
      );
      assert.ok(span.nanoseconds > 0 && span.nanoseconds < 60e9);
      assert.ok(Math.abs(span.start / 1e6 - Date.now()) < 120_000);
    }
    assert.equal(
      http.filter((span) => span.status === 2 && span.attributes['http.response.status_code'] === 500).length,
      1,
    );
    const invoked = spans.find((span) => span.name === 'invoke seen');
    assert.deepEqual(
      [invoked?.status, invoked?.parentSpanId, invoked?.attributes['error.type']],
      [2, '', 'SFX6106'],
    );
    assert.equal(new Set(spans.map((span) => span.spanId)).size, 8);
  });
});
