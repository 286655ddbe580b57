import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection, LogLine } from '@sfx-deploy/plugin';
import { versionMetrics } from '../src/daemon/telemetry/metrics.js';
import { engineStatus } from '../src/index.js';
import { call, flip, handler, live, stage, type TestEngine, testEngine, urlOf } from './bench.js';

describe('what can be seen of a version', () => {
  let engine: TestEngine;
  let connection: Connection;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  const hour = () => [new Date(Date.now() - 3_600_000), new Date(Date.now() + 60_000)] as const;

  it('are its requests, errors and latency, apart from those of another version', async () => {
    const one = await live(
      connection,
      'counted',
      handler('return text("x", new URL(req.url).search === "?bad" ? 503 : 200)'),
      ['GET /counted'],
    );
    const two = await stage(connection, 'counted', handler('throw new Error("no")'), {}, 2);
    const url = `${await urlOf(connection)}/counted`;
    assert.equal(await connection.metrics!(one, ...hour()), undefined);
    for (let n = 0; n < 10; n += 1) await call(n < 3 ? `${url}?bad` : url);
    await flip(connection, { counted: { stable: one.id, candidate: { version: two.id, percent: 0 } } });
    for (let n = 0; n < 4; n += 1) await call(url, { headers: { 'x-sfx-candidate': '1' } });

    const stable = await connection.metrics!(one, ...hour());
    assert.deepEqual({ requests: stable?.requests, errors: stable?.errors }, { requests: 10, errors: 3 });
    assert.ok((stable?.p95Ms ?? 0) > 0);
    const candidate = await connection.metrics!(two, ...hour());
    assert.deepEqual(
      { requests: candidate?.requests, errors: candidate?.errors },
      { requests: 4, errors: 4 },
    );
    assert.equal(await connection.metrics!(one, new Date(0), new Date(1_000)), undefined);
  });

  it('does not count a call of a version by its own address: it is a check, not traffic', async () => {
    const version = await stage(connection, 'checked', handler('return text(1)'));
    await connection.invoke({ version, function: 'checked' }, null);
    assert.equal(await connection.metrics!(version, ...hour()), undefined);
  });

  it('are the lines that it wrote, also when the engine was killed after', async () => {
    const version = await live(
      connection,
      'logged',
      handler('console.log("one\\ntwo"); console.error("bad"); return text(1)'),
      ['GET /logged'],
    );
    const { url, lines } = {
      url: `${await urlOf(connection)}/logged`,
      lines: () => read(connection.logs!(version, new Date(0), false)),
    };
    await call(url);
    const before = await lines();
    assert.deepEqual(
      before.filter((line) => line.stream === 'stdout').map((line) => line.text),
      ['one', 'two'],
    );
    assert.deepEqual(
      before.filter((line) => line.stream === 'stderr').map((line) => line.text),
      ['bad'],
    );
    assert.ok(before.every((line) => line.function === 'logged' && line.version === version.id));
    process.kill((await engineStatus(engine.run())).pid!, 'SIGKILL');
    assert.deepEqual(await lines(), before);
    assert.deepEqual(await read(connection.logs!(version, new Date(Date.now() + 60_000), false)), []);
  });

  it('are read without a trace in the log of the engine, also where they are many', async () => {
    const version = await live(
      connection,
      'wrote',
      handler('for (let n = 0; n < 40; n += 1) console.log("x".repeat(16_000)); return text(1)'),
      ['GET /wrote'],
    );
    await call(`${await urlOf(connection)}/wrote`);
    let lines = 0;
    for await (const _ of connection.logs!(version, new Date(0), false)) lines += 1;
    assert.equal(lines, 40);
    assert.doesNotMatch(await readFile(join(engine.home, 'engine.log'), 'utf8'), /Warning/);
  });

  it('can be followed while it happens', async () => {
    const version = await live(
      connection,
      'followed',
      handler('console.log(req.params.text); return text(1)'),
      ['GET /followed/{text}'],
    );
    const url = `${await urlOf(connection)}/followed`;
    await call(`${url}/before`);
    const seen: string[] = [];
    for await (const line of connection.logs!(version, new Date(0), true)) {
      seen.push(line.text);
      if (line.text === 'before') void call(`${url}/after`);
      if (line.text === 'after') break;
    }
    assert.deepEqual(seen, ['before', 'after']);
  });
});

describe('metrics of a version', () => {
  it('tell the 95th percentile to about 5 %', () => {
    const metrics = versionMetrics(() => 10_000);
    for (let ms = 1; ms <= 1_000; ms += 1) metrics.record(ms, false);
    const p95 = metrics.read(0, 20_000)!.p95Ms;
    assert.ok(p95 >= 950 && p95 <= 950 * 1.06, String(p95));
  });

  it('tell only the time that is asked for, and keep their counts when seconds become tens', () => {
    let now = 1_000_000;
    const metrics = versionMetrics(() => now);
    for (let n = 0; n < 600; n += 1) {
      metrics.record(1, n % 10 === 0);
      now += 1_000;
    }
    assert.deepEqual([metrics.read(0, now)?.requests, metrics.read(0, now)?.errors], [600, 60]);
    assert.equal(metrics.read(now - 10_000, now)?.requests, 10);
    const saved = versionMetrics(
      () => now,
      JSON.parse(JSON.stringify(metrics.save())) as ReturnType<typeof metrics.save>,
    );
    assert.deepEqual(saved.read(0, now), metrics.read(0, now));
  });

  it('forget what is older than an hour, and stay small', () => {
    let now = 1_000_000_000;
    const metrics = versionMetrics(() => now);
    for (let n = 0; n < 10_000; n += 1) {
      metrics.record(1, false);
      now += 1_000;
    }
    assert.ok(metrics.read(0, now)!.requests <= 3_620);
    assert.ok(metrics.save().length < 500);
  });
});

async function read(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
