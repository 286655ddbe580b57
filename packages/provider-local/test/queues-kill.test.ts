import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '@sfx-deploy/plugin';
import { until } from './assertions.js';
import { ALIAS, live, type TestEngine, testEngine } from './bench.js';
import { admin, bodies, pulls, recorder, sendAll } from './events-bench.js';

const BATCHES = 60;
const PER_BATCH = 50;
const KILLS = 3;

describe('an engine that is killed in the middle of thousands of messages', () => {
  let engine: TestEngine;
  let connection: Connection;
  let dir: string;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    dir = await mkdtemp(join(tmpdir(), 'sfx-kill-'));
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
    await rm(dir, { recursive: true });
  });

  const kill = async () => {
    const info = JSON.parse(await readFile(join(engine.home, 'engine.json'), 'utf8')) as { pid: number };
    process.kill(info.pid, 'SIGKILL');
  };
  /** The next command brings it back. */
  const back = () => connection.traffic.read(ALIAS);

  it('loses nothing that was accepted: queues and topics, through three kills', async () => {
    const [first, second] = [join(dir, 'worker'), join(dir, 'listener')];
    await live(connection, 'worker', recorder(first), []);
    await live(connection, 'listener', recorder(second), []);
    const props = { batchSize: 5, concurrency: 2 };
    await pulls(engine, 'queue:orders', 'worker', { queue: 'orders', ...props });
    await pulls(engine, 'topic:sales:listener', 'listener', { topic: 'sales' });
    const accepted = { queues: new Set<string>(), topics: new Set<string>() };

    let running = true;
    const sender = async (kind: 'queues' | 'topics', to: string) => {
      for (let batch = 0; batch < BATCHES && running; ) {
        const texts = Array.from({ length: PER_BATCH }, (_, n) => `${kind}-${batch}-${n}`);
        const answer = await sendAll(
          engine,
          to,
          texts.map((body) => ({ body, id: body })),
        ).catch(() => undefined);
        if (answer?.status !== 202) {
          // It was killed, or is starting: not accepted, so it is sent again.
          await new Promise((resolve) => setTimeout(resolve, 10));
          continue;
        }
        for (const text of texts) accepted[kind].add(text);
        batch += 1;
      }
    };
    const senders = [sender('queues', 'queues/orders'), sender('topics', 'topics/sales')];
    try {
      for (let n = 1; n <= KILLS; n += 1) {
        const few = (n * BATCHES * PER_BATCH) / (KILLS + 2);
        await until(async () => (await bodies(first)).length > few);
        await kill();
        await back();
      }
      await Promise.all(senders);
    } finally {
      running = false;
    }
    const total = BATCHES * PER_BATCH;
    const missing = async (file: string, kind: 'queues' | 'topics') => {
      const seen = new Set(await bodies(file));
      return [...accepted[kind]].filter((body) => !seen.has(body)).length;
    };
    await until(
      async () => (await missing(first, 'queues')) === 0 && (await missing(second, 'topics')) === 0,
    );
    await until(async () => {
      const { visible, inFlight } = await admin<{ visible: number; inFlight: number }>(
        engine,
        'GET',
        '/queues/orders',
      );
      return visible + inFlight === 0;
    });
    assert.equal(accepted.queues.size, total);
    assert.equal(accepted.topics.size, total);
    // What was under way at a kill comes again, and nothing else.
    const twice = (await bodies(first)).length - total;
    assert.ok(twice <= KILLS * (64 + 2) * 5, `${twice} of ${total} were delivered more than once`);
  });
});
