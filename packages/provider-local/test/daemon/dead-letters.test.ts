import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bury, redrive } from '../../src/daemon/queues/dead-letters.js';
import type { Queue } from '../../src/daemon/queues/messages.js';
import { openQueue } from '../../src/daemon/queues/queue.js';
import { triggerOf } from './feed-bench.js';

describe('dead letters that are sent back', () => {
  let dir: string;
  let dead: Queue;
  let orders: Queue;
  const open = (name: string) => openQueue({ dir: join(dir, name), name, now: () => 1_000 });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sfx-dead-'));
    [dead, orders] = [await open('dead'), await open('orders')];
    await orders.send(['1', '2', '3'].map((body) => ({ body })));
    const messages = orders.receive(3, 60_000);
    await bury(dead, messages, 'no', { trigger: triggerOf('queue', {}), queue: 'orders', now: 1_000 });
    await orders.ack(messages.map(({ receipt }) => receipt));
  });
  afterEach(async () => {
    await dead.close();
    await orders.close();
    await rm(dir, { recursive: true });
  });
  const bodies = (queue: Queue) => queue.peek(10).map(({ body, state }) => `${body} ${state}`);

  it('are in their queue again, each once, and begin anew', async () => {
    assert.deepEqual(await redrive(dead, async () => orders), { sent: 3, left: 0 });
    assert.deepEqual([bodies(dead), bodies(orders)], [[], ['1 visible', '2 visible', '3 visible']]);
    assert.deepEqual(
      orders.receive(3, 60_000).map(({ attempt, attributes }) => [attempt, attributes]),
      [
        [1, {}],
        [1, {}],
        [1, {}],
      ],
    );
  });

  it('stay where nobody knows their queue any more', async () => {
    assert.deepEqual(await redrive(dead, async () => undefined), { sent: 0, left: 3 });
    assert.deepEqual(bodies(dead), ['1 visible', '2 visible', '3 visible']);
  });

  const full = () => Promise.reject(new Error('the disk is full'));
  let asked = 0;
  const failures: [string, () => Promise<unknown>, left: readonly string[]][] = [
    [
      'their queue does not take one',
      () => redrive(dead, async () => (asked++ === 1 ? { ...orders, send: full } : orders)),
      ['2 visible', '3 visible'],
    ],
    [
      'their queue cannot be opened',
      () => redrive(dead, async () => (asked++ === 1 ? full() : orders)),
      ['2 visible', '3 visible'],
    ],
    [
      'it cannot be kept that one was sent',
      () =>
        redrive(
          { ...dead, ack: (receipts) => (asked++ === 1 ? full() : dead.ack(receipts)) },
          async () => orders,
        ),
      ['2 visible', '3 visible'],
    ],
  ];
  for (const [why, act, left] of failures) {
    it(`are there for the next time when ${why}`, async () => {
      asked = 0;
      await assert.rejects(act, /the disk is full/);
      assert.deepEqual(bodies(dead), left);
      const { left: still } = await redrive(dead, async () => orders);
      assert.equal(still, 0);
      assert.deepEqual([bodies(dead), bodies(orders)], [[], ['1 visible', '2 visible', '3 visible']]);
    });
  }
});
