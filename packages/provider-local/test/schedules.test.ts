import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '@sfx-deploy/plugin';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { runSchedule } from '../src/index.js';
import { live, SCOPE, type TestEngine, testEngine } from './bench.js';
import { until } from './daemon/feed-bench.js';
import { kill, pulling, RECORD, removed, seenIn } from './pulling.js';

describe('schedules on the engine', function () {
  this.timeout(30_000);
  let engine: TestEngine;
  let seen: string;
  beforeEach(async () => {
    engine = await testEngine();
    seen = join(engine.home, 'seen');
  });
  afterEach(() => engine.close());

  const props = { schedule: 'rate(1 minute)', timezone: 'UTC', overlap: 'skip', enabled: true };
  const sweep = (connection: Connection, environment: Record<string, string> = {}) =>
    live(connection, 'sweep', RECORD, [], { environment: { SEEN: seen, ...environment } });
  const documents = async (): Promise<string[]> => {
    const feeds = join(engine.home, 'stages', SCOPE.service, SCOPE.stage, 'feeds');
    return (await readdir(feeds)).map((name) => join(feeds, name, 'schedule.json'));
  };

  it('run when they are told to, once they are enabled', async () => {
    const connection = await engine.connect();
    await sweep(connection);
    const input = { deep: true };
    await pulling(connection, 'schedule', 'night', { ...props, enabled: false, input }, false);
    await assert.rejects(runSchedule(SCOPE, 'night', engine.run()), { code: 'SFX6015' });
    await assert.rejects(runSchedule(SCOPE, 'day', engine.run()), /no schedule day; there is night/);
    await pulling(connection, 'schedule', 'night', { ...props, enabled: false, input });
    const { id, schedule } = await runSchedule(SCOPE, 'night', engine.run());
    assert.equal(schedule, 'schedule:night');
    await until(async () => (await seenIn(seen)).length === 1);
    const [event] = await seenIn(seen);
    assert.deepEqual(
      { ...event, at: '' },
      { kind: 'schedule', id, schedule: 'rate(1 minute)', at: '', input },
    );
    await until(async () => (await connection.activation!(id))?.status === 'ok');
    const record = await connection.activation!(id);
    assert.deepEqual([record?.cause, record?.function], ['schedule', 'sweep']);
    await connection[Symbol.asyncDispose]();
  });

  it('run once for what they missed while the engine was killed', async () => {
    const connection = await engine.connect();
    const version = await sweep(connection);
    await pulling(connection, 'schedule', 'night', props);
    await kill(engine);
    const [path] = await documents();
    const document = JSON.parse(await readFile(path!, 'utf8')) as { anchor: number; cursor: number };
    const hours = 3 * 3_600_000;
    const earlier = { ...document, anchor: document.anchor - hours, cursor: document.cursor - hours };
    await writeFile(path!, JSON.stringify(earlier));
    const again = await engine.connect();
    await until(async () => (await seenIn(seen)).length === 1);
    const lines: string[] = [];
    for await (const line of again.logs!(version, new Date(0), false)) lines.push(line.text);
    assert.match(lines.join('\n'), /rate\(1 minute\) was missed from .* one run for all of them/);
    const [event] = await seenIn(seen);
    assert.equal((Date.parse(String(event!['at'])) - earlier.anchor) % 60_000, 0);
    await connection[Symbol.asyncDispose]();
    await again[Symbol.asyncDispose]();
  });

  it('of a function that fails are kept as failed, after three tries', async () => {
    const connection = await engine.connect();
    await sweep(connection, { FAIL: '1' });
    await pulling(connection, 'schedule', 'night', props);
    const { id } = await runSchedule(SCOPE, 'schedule:night', engine.run());
    await until(async () => (await connection.activation!(id))?.status === 'failed');
    assert.equal((await connection.activation!(id))?.attempt, 3);
    await connection[Symbol.asyncDispose]();
  });

  it('that a release takes away never run again', async () => {
    const connection = await engine.connect();
    await sweep(connection);
    await pulling(connection, 'schedule', 'night', props);
    await removed(connection, 'schedule', 'night');
    await assert.rejects(runSchedule(SCOPE, 'night', engine.run()), { code: 'SFX6011' });
    assert.deepEqual(await documents(), []);
    await connection[Symbol.asyncDispose]();
  });
});
