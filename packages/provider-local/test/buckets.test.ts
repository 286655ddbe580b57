import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@sfx-deploy/plugin';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { engineStatus } from '../src/index.js';
import { live, SCOPE, type TestEngine, testEngine } from './bench.js';
import { until } from './daemon/feed-bench.js';
import { kill, pulling, RECORD, removed, seenIn } from './pulling.js';

describe('buckets on the engine', function () {
  this.timeout(60_000);
  let engine: TestEngine;
  let seen: string;
  beforeEach(async () => {
    engine = await testEngine();
    seen = join(engine.home, 'seen');
  });
  afterEach(() => engine.close());

  const props = { bucket: 'uploads', events: ['created', 'changed', 'removed'], enabled: true };
  const sweep = (connection: Connection) =>
    live(connection, 'sweep', RECORD, [], { environment: { SEEN: seen } });
  const keys = async () => (await seenIn(seen)).map(({ change, key }) => `${change} ${key}`);

  it('have a folder that people are told, and call for what happens in it while they are enabled', async () => {
    const connection = await engine.connect();
    await sweep(connection);
    const { folder } = await pulling(connection, 'bucket', 'uploads:sweep', props, false);
    const root = String(folder);
    assert.equal(root, join(engine.home, 'stages', SCOPE.service, SCOPE.stage, 'buckets', 'uploads'));
    const { services } = await engineStatus(engine.run());
    assert.deepEqual(services[0]!.buckets, [{ name: 'uploads', folder: root }]);
    await writeFile(join(root, 'early'), 'x');
    await pulling(connection, 'bucket', 'uploads:sweep', props);
    await writeFile(join(root, 'in time'), 'x');
    await until(async () => (await keys()).length === 1);
    await pulling(connection, 'bucket', 'uploads:sweep', props, false);
    await writeFile(join(root, 'late'), 'x');
    await sleep(1_500);
    assert.deepEqual(await keys(), ['created in time']);
    await removed(connection, 'bucket', 'uploads:sweep');
    assert.deepEqual((await readdir(root)).sort(), ['early', 'in time', 'late']);
    await connection[Symbol.asyncDispose]();
  });

  it('lose nothing when the engine is killed again and again in the middle of it', async () => {
    const connection = await engine.connect();
    await sweep(connection);
    const { folder } = await pulling(connection, 'bucket', 'uploads:sweep', props);
    const root = String(folder);
    const put = async (from: number, to: number) => {
      for (let n = from; n < to; n += 1) await writeFile(join(root, `${n}`), `${n}`);
    };
    for (const round of [0, 1, 2]) {
      await put(round * 200, round * 200 + 150);
      await until(async () => (await keys()).length > round * 200);
      await kill(engine);
      await put(round * 200 + 150, round * 200 + 200);
      await (await engine.connect())[Symbol.asyncDispose]();
    }
    const wanted = Array.from({ length: 600 }, (_, n) => `created ${n}`).sort();
    await until(async () => new Set(await keys()).size === 600);
    assert.deepEqual([...new Set(await keys())].sort(), wanted);
    await connection[Symbol.asyncDispose]();
  });

  it('can be a folder that the file names, and notice what happened while the engine was stopped', async () => {
    const path = join(engine.home, 'elsewhere');
    await mkdir(path);
    const connection = await engine.connect();
    await sweep(connection);
    const outputs = await pulling(connection, 'bucket', 'uploads:sweep', { ...props, path });
    assert.equal(outputs['folder'], path);
    await writeFile(join(path, 'a'), 'x');
    await until(async () => (await keys()).length === 1);
    await kill(engine);
    await rm(join(path, 'a'));
    await writeFile(join(path, 'b'), 'x');
    await (await engine.connect())[Symbol.asyncDispose]();
    // The first call may not have been acknowledged when the engine was killed: then it is made again.
    const told = async () => [...new Set(await keys())].sort();
    await until(async () => (await told()).length === 3);
    assert.deepEqual(await told(), ['created a', 'created b', 'removed a']);
    await connection[Symbol.asyncDispose]();
  });
});
