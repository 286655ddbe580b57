import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Delivered, type Pump, type PumpOptions, startPump } from '../../src/daemon/feeds/pump.js';
import type { Queue, Received } from '../../src/daemon/queues/messages.js';
import { openQueue } from '../../src/daemon/queues/queue.js';
import { until } from '../assertions.js';

describe('a pump', () => {
  let dir: string;
  let queue: Queue;
  let pump: Pump | undefined;
  let batches: string[][];
  let buried: [body: string, why: string][];
  let lines: string[];
  const taken: Delivered = { kind: 'taken', failed: [] };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sfx-pump-'));
    queue = await openQueue({ dir, name: 'orders', now: Date.now });
    [batches, buried, lines] = [[], [], []];
  });
  afterEach(async () => {
    await pump?.close(1_000);
    pump = undefined;
    await queue.close();
    await rm(dir, { recursive: true });
  });

  const start = (
    deliver: (bodies: string[], messages: readonly Received[]) => Delivered | Promise<Delivered>,
    change: Partial<PumpOptions> = {},
  ) => {
    pump = startPump({
      queue,
      batchSize: 10,
      windowMs: 0,
      visibilityMs: Number.POSITIVE_INFINITY,
      tries: 3,
      concurrency: 1,
      retryMs: 1,
      brakeMs: 1,
      log: (text) => lines.push(text),
      bury: async (messages, why) =>
        void buried.push(...messages.map((one) => [one.body, why] as [string, string])),
      async deliver(messages) {
        const bodies = messages.map((one) => one.body);
        batches.push(bodies);
        return deliver(bodies, messages);
      },
      ...change,
    });
  };
  const send = (...texts: string[]) => queue.send(texts.map((body) => ({ body })));
  const empty = () => until(() => Object.values(queue.counts()).every((count) => count === 0));
  const idsOf = (messages: readonly Received[], ...bodies: string[]) =>
    messages.filter((one) => bodies.includes(one.body)).map((one) => one.id);

  it('delivers what is there and what comes, in order, in batches of at most their size', async () => {
    await send('1', '2', '3');
    start(() => taken, { batchSize: 2 });
    await empty();
    await send('4');
    await empty();
    assert.deepEqual(batches, [['1', '2'], ['3'], ['4']]);
  });

  it('delivers again only those that could not be taken, alone, and buries them after their tries', async () => {
    await send('good', 'bad', 'fine');
    start((_, messages) => ({ kind: 'taken', failed: idsOf(messages, 'bad'), why: 'it is bad' }));
    await empty();
    assert.deepEqual(batches, [['good', 'bad', 'fine'], ['bad'], ['bad']]);
    assert.deepEqual(buried, [['bad', 'it is bad']]);
  });

  it('does not bury the good ones of a batch that fails because of one', async () => {
    await send('1', 'poison', '2', '3');
    start((bodies) => (bodies.includes('poison') ? { kind: 'failed', why: 'threw: no' } : taken));
    await empty();
    assert.deepEqual(buried, [['poison', 'threw: no']]);
    assert.deepEqual(
      batches.slice(1).flat().sort(),
      ['1', '2', '3', 'poison', 'poison'],
      'each alone after the whole batch failed',
    );
    assert.ok(batches.slice(1).every(({ length }) => length === 1));
  });

  it('gives one that failed only in company a try alone, also when one try is all there is', async () => {
    await send('poison', 'good');
    start((bodies) => (bodies.includes('poison') ? { kind: 'failed', why: 'no' } : taken), { tries: 1 });
    await empty();
    assert.deepEqual(batches[0], ['poison', 'good']);
    assert.deepEqual(batches.slice(1).sort(), [['good'], ['poison']]);
    assert.deepEqual(buried, [['poison', 'no']]);
  });

  it('waits a moment when there was nobody to take them, and does not count the try', async () => {
    await send('1');
    let clock = 0;
    const attempts: number[] = [];
    start(
      (_, messages) => {
        attempts.push(messages[0]!.attempt);
        return attempts.length < 3 ? { kind: 'nobody', why: 'nothing is live' } : taken;
      },
      { clock: () => clock },
    );
    await until(() => queue.counts().visible === 1 && attempts.length === 1);
    await send('2');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(attempts.length, 1);
    for (const tries of [2, 3]) {
      clock += 500;
      await until(() => attempts.length === tries);
    }
    await empty();
    assert.deepEqual(attempts, [1, 1, 1]);
    assert.deepEqual(buried, []);
  });

  it('tries again when delivering itself breaks, and when dead letters cannot be kept', async () => {
    await send('1');
    let broken = 2;
    let full = 2;
    start(
      () => {
        broken -= 1;
        if (broken >= 0) throw new Error('a defect');
        return { kind: 'failed', why: 'no' };
      },
      {
        async bury(messages) {
          full -= 1;
          if (full >= 0) throw new Error('the disk is full');
          buried.push([messages[0]!.body, '']);
        },
      },
    );
    await until(() => buried.length === 1);
    await empty();
    assert.equal(lines.filter((line) => line.includes('a defect')).length, 2);
    assert.equal(lines.filter((line) => line.includes('dead letters of orders could not be kept')).length, 2);
  });

  it('does not deliver what is refused, and delivers the rest of its batch', async () => {
    await queue.send([{ body: 'deep', depth: 17 }, { body: 'fine' }]);
    start(() => taken, { refuses: ({ depth }) => (depth > 16 ? 'SFX6112' : undefined) });
    await empty();
    assert.deepEqual(batches, [['fine']]);
    assert.deepEqual(buried, [['deep', 'SFX6112']]);
  });

  it('works on as many batches at once as it may', async () => {
    await send('1', '2', '3', '4', '5');
    let now = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    start(
      async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise<void>((resolve) => waiting.push(resolve));
        now -= 1;
        return taken;
      },
      { batchSize: 1, concurrency: 3 },
    );
    for (let over = 0; over < 5; over += 1) {
      await until(() => waiting.length > 0);
      waiting.shift()!();
    }
    await empty();
    assert.equal(most, 3);
  });

  it('slows down while deliveries fail one after the other, says so once, and is quick again after one is taken', async () => {
    let clock = 0;
    let failing = true;
    await send(...Array.from({ length: 40 }, (_, n) => String(n)));
    start(() => (failing ? { kind: 'failed', why: 'the database is gone' } : taken), {
      batchSize: 1,
      clock: () => clock,
      brakeMs: 50,
      retryMs: 3_600_000,
    });
    const settled = async () => {
      for (let looks = batches.length - 1; looks !== batches.length; ) {
        looks = batches.length;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return batches.length;
    };
    assert.equal(await settled(), 3);
    clock += 49;
    assert.equal(await settled(), 3);
    clock += 51;
    await until(() => batches.length === 4);
    assert.equal(lines.filter((line) => line.includes('it slows down (the database is gone)')).length, 1);
    failing = false;
    clock += 100;
    await until(() => queue.counts().visible === 0);
    assert.ok(lines.some((line) => line.includes('taken again')));
  });

  it('begins no more deliveries than its rate says', async () => {
    let clock = 1_000;
    await send(...Array.from({ length: 12 }, (_, n) => String(n)));
    start(() => taken, { batchSize: 1, rate: 10, clock: () => clock });
    for (let n = 1; n <= 12; n += 1) {
      await until(() => batches.length === n);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(batches.length, n);
      clock += 100;
    }
  });

  it('waits for a batch to be full, for as long as its window', async () => {
    let clock = 0;
    start(() => taken, { batchSize: 3, windowMs: 20, clock: () => clock });
    await send('1');
    await send('2', '3', '4');
    await until(() => batches.length === 1);
    assert.deepEqual(batches, [['1', '2', '3']]);
    clock += 21;
    await until(() => batches.length === 2);
    assert.deepEqual(batches[1], ['4']);
  });

  it('takes nothing further once it is closed, waits for what is under way, and gives back the rest', async () => {
    await send('slow', 'stuck', 'never begun');
    let release: () => void = () => assert.fail('not begun');
    start(
      (bodies) =>
        bodies[0] === 'slow'
          ? new Promise((resolve) => {
              release = () => resolve(taken);
            })
          : new Promise(() => undefined),
      { batchSize: 1, concurrency: 2 },
    );
    await until(() => batches.length === 2);
    const closed = pump!.close(50);
    release();
    await send('after');
    await closed;
    assert.deepEqual(batches, [['slow'], ['stuck']]);
    assert.deepEqual(queue.counts(), { visible: 3, delayed: 0, inFlight: 0 });
    assert.deepEqual(
      queue.receive(9, 1_000).map(({ body, attempt }) => [body, attempt]),
      [
        ['stuck', 1],
        ['never begun', 1],
        ['after', 1],
      ],
    );
  });

  it('delivers again what took longer than its visibility', async () => {
    await send('1');
    let calls = 0;
    start(
      async () => {
        calls += 1;
        if (calls === 1) await until(() => calls === 2);
        return taken;
      },
      { visibilityMs: 20, concurrency: 2 },
    );
    await empty();
    assert.equal(calls, 2);
  });
});
