import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueue, type Queue, type QueueOptions } from '../../src/daemon/queues/queue.js';

describe('a queue on disk', () => {
  let dir: string;
  let wall: number;
  let clock: number;
  let queue: Queue;
  const told: string[] = [];
  const open = (change: Partial<QueueOptions> = {}): Promise<Queue> =>
    openQueue({
      dir,
      name: 'orders',
      now: () => wall,
      clock: () => clock,
      log: (text) => told.push(text),
      ...change,
    });
  const again = async (change: Partial<QueueOptions> = {}) => {
    await queue.close();
    queue = await open(change);
    return queue;
  };
  const bodies = (max = 100, visibilityMs = 1_000) => queue.receive(max, visibilityMs).map((one) => one.body);
  const pass = (ms: number) => {
    clock += ms;
    wall += ms;
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sfx-queue-'));
    [wall, clock] = [Date.UTC(2026, 0, 1), 5_000];
    told.length = 0;
    queue = await open();
  });
  afterEach(async () => {
    await queue.close();
    await rm(dir, { recursive: true });
  });
  const send = (...texts: string[]) => queue.send(texts.map((body) => ({ body })));

  const refuses = (code: string, act: Promise<unknown>) => assert.rejects(act, { code });

  it('hands out the oldest first, with all that was sent', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const [id] = await queue.send([{ body: 'ä\n"1"', attributes: { color: 'red' }, depth: 3, trace }]);
    await send('2', '3');
    const [first, second] = queue.receive(2, 1_000);
    assert.deepEqual(first, {
      id,
      body: 'ä\n"1"',
      attributes: { color: 'red' },
      sentAt: wall,
      attempt: 1,
      depth: 3,
      trace,
      receipt: first!.receipt,
    });
    assert.equal(second!.body, '2');
    assert.deepEqual(queue.counts(), { visible: 1, delayed: 0, inFlight: 2 });
    assert.deepEqual(bodies(), ['3']);
    assert.deepEqual(bodies(), []);
  });

  it('keeps what was sent and what was acknowledged over a start, and counts tries on', async () => {
    await send('1', '2', '3');
    const [one, two] = queue.receive(2, 1_000);
    await queue.ack([one!.receipt]);
    assert.equal(two!.attempt, 1);
    await again();
    const received = queue.receive(9, 1_000);
    assert.deepEqual(
      received.map(({ body, attempt }) => [body, attempt]),
      [
        ['2', 2],
        ['3', 1],
      ],
    );
    await queue.ack([two!.receipt]);
    assert.equal(queue.counts().inFlight, 2, 'a receipt of the process before is not current');
  });

  it('shows a message again when its time is over, and ignores the receipt of the time before', async () => {
    await send('1');
    const [first] = queue.receive(1, 1_000);
    assert.equal(queue.waitMs(), 1_000);
    pass(999);
    assert.deepEqual(bodies(), []);
    pass(1);
    const [second] = queue.receive(1, 1_000);
    assert.equal(second!.attempt, 2);
    await queue.ack([first!.receipt]);
    queue.release([first!.receipt], 0);
    assert.deepEqual(queue.counts(), { visible: 0, delayed: 0, inFlight: 1 });
    await queue.ack([second!.receipt]);
    assert.equal(queue.waitMs(), undefined);
  });

  it('delays a message, also over a start', async () => {
    await queue.send([{ body: 'later', delayMs: 60_000 }]);
    await send('now');
    assert.deepEqual(queue.counts(), { visible: 1, delayed: 1, inFlight: 0 });
    pass(20_000);
    await again();
    assert.equal(queue.waitMs(), 0);
    assert.deepEqual(bodies(1, Number.POSITIVE_INFINITY), ['now']);
    assert.equal(queue.waitMs(), 40_000);
    pass(40_000);
    assert.deepEqual(bodies(), ['later']);
  });

  it('is not misled by a clock that is set', async () => {
    await queue.send([{ body: 'delayed', delayMs: 60_000 }]);
    await send('held');
    assert.deepEqual(bodies(1, 30_000), ['held']);
    wall += 10 * 365 * 86_400_000;
    assert.deepEqual(bodies(), [], 'forward: what is held stays held, what is delayed stays delayed');
    wall -= 20 * 365 * 86_400_000;
    clock += 60_000;
    assert.deepEqual(bodies().sort(), ['delayed', 'held'], 'back: nothing is hidden for longer');
    await queue.send([{ body: 'second', delayMs: 60_000 }]);
    wall -= 365 * 86_400_000;
    await again();
    bodies();
    assert.equal(queue.waitMs(), 1_000);
    pass(60_000);
    assert.ok(bodies().includes('second'), 'set back between two starts: at most its delay');
  });

  it('takes back what was released, at once or later, counted or not', async () => {
    await send('1', '2', '3');
    const [one, two, three] = queue.receive(3, 1_000);
    queue.release([two!.receipt], 0);
    queue.release([one!.receipt], 5_000);
    queue.release([three!.receipt], 0, false);
    const attempts = () => queue.receive(9, 1_000).map(({ body, attempt }) => [body, attempt]);
    assert.deepEqual(attempts(), [
      ['2', 2],
      ['3', 1],
    ]);
    pass(4_000);
    await again();
    assert.deepEqual(attempts(), [
      ['2', 3],
      ['3', 2],
    ]);
    pass(1_000);
    assert.deepEqual(attempts().sort(), [
      ['1', 2],
      ['2', 4],
      ['3', 3],
    ]);
  });

  it('hands out alone what was handed out before, when asked to', async () => {
    await send('1', '2', '3', '4');
    queue.release(
      queue.receive(2, 1_000).map((one) => one.receipt),
      0,
    );
    const groups = [1, 2, 3].map(() => queue.receive(10, 1_000, 1).map((one) => one.body));
    assert.deepEqual(groups, [['1'], ['2'], ['3', '4']]);
  });

  it('keeps one of those with the same id: while it is there, on its way, and for five minutes after', async () => {
    const one = (body: string, more = {}) => queue.send([{ body, id: 'a', ...more }]);
    await Promise.all([one('1'), one('2')]);
    await one('3');
    await again();
    await one('4');
    const received = queue.receive(9, 1_000);
    assert.deepEqual(
      received.map(({ id, body }) => [id, body]),
      [['a', '1']],
    );
    await queue.ack([received[0]!.receipt]);
    await one('5');
    await again();
    await one('6');
    assert.deepEqual(bodies(), []);
    await one('asked for again', { again: true });
    assert.deepEqual(bodies(9, 1), ['asked for again']);
    pass(1);
    await queue.ack(queue.receive(9, 1_000).map((it) => it.receipt));
    pass(5 * 60_000);
    await one('7');
    assert.deepEqual(bodies(), ['7']);
  });

  it('refuses a message that is too large, whole batches with it', async () => {
    await again({ messageBytes: 10 });
    await queue.send([{ body: 'ä'.repeat(4), attributes: { a: 'b', 'sfx-origin': 'not counted' } }]);
    await refuses('SFX6012', queue.send([{ body: 'fit' }, { body: 'ä'.repeat(5), attributes: { a: 'b' } }]));
    assert.equal(queue.counts().visible, 1);
  });

  it('refuses more than it is to keep, and takes some again when there is room', async () => {
    await again({ mostMessages: 2, mostBytes: 500 });
    await Promise.all([send('1'), send('2')]);
    await refuses('SFX6013', send('3'));
    await queue.ack([queue.receive(1, 1_000)[0]!.receipt]);
    await refuses('SFX6013', send('x'.repeat(500)));
    await send('3');
    await refuses('SFX6013', send('4'));
  });

  it('lets look without handing out, and is emptied but for what is handed out', async () => {
    await queue.send([{ body: 'late', delayMs: 5_000 }]);
    await send('1', '2');
    bodies(1);
    assert.deepEqual(
      queue.peek(2).map(({ body, attempts, state }) => [body, attempts, state]),
      [
        ['late', 0, 'delayed'],
        ['1', 1, 'in flight'],
      ],
    );
    assert.equal(await queue.purge(), 2);
    assert.deepEqual(queue.counts(), { visible: 0, delayed: 0, inFlight: 1 });
    await again();
    assert.deepEqual(bodies(), ['1']);
  });

  it('says when there is more', async () => {
    let calls = 0;
    const end = queue.onMore(() => {
      calls += 1;
    });
    await send('1');
    assert.equal(calls, 1);
    queue.release([queue.receive(1, 1_000)[0]!.receipt], 0);
    assert.equal(calls, 2);
    end();
    await send('2');
    assert.equal(calls, 2);
  });

  it('refuses what is sent after it was closed', async () => {
    await queue.close();
    await refuses('SFX6001', send('1'));
    assert.deepEqual(bodies(), []);
    await again();
  });
});
