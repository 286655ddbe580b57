import assert from 'node:assert/strict';
import { createTopics } from '../../src/daemon/feeds/topics.js';
import type { NewMessage, Queue } from '../../src/daemon/queues/messages.js';
import type { TriggerDocument } from '../../src/wire.js';
import { triggerOf } from './feed-bench.js';

describe('what is published to a topic', () => {
  /** Disks that take as long as a test says. */
  const topicsOf = (names: readonly string[]) => {
    const triggers = names.map(
      (name): TriggerDocument => ({ ...triggerOf('topic', { topic: 'sales', enabled: true }), id: name }),
    );
    const disks = new Map<string, { kept: () => void; fail: (error: Error) => void }>();
    const sent = new Map<string, readonly NewMessage[]>();
    const topics = createTopics({
      triggers: () => triggers,
      own: async ({ id }) =>
        ({
          send: (messages: readonly NewMessage[]) => {
            sent.set(id, messages);
            return new Promise<readonly string[]>((resolve, reject) =>
              disks.set(id, { kept: () => resolve([]), fail: reject }),
            );
          },
        }) as unknown as Queue,
    });
    return { topics, disks, sent };
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('is answered once every copy is on disk', async () => {
    const { topics, disks, sent } = topicsOf(['one', 'two']);
    let answered = false;
    const ids = topics.publish('sales', [{ body: '1' }]);
    void ids.then(() => {
      answered = true;
    });
    await settled();
    disks.get('one')!.kept();
    await settled();
    assert.equal(answered, false);
    disks.get('two')!.kept();
    const [id] = await ids;
    assert.deepEqual(
      [...sent.values()].map((copies) => copies.map((copy) => [copy.id, copy.body])),
      [[[id, '1']], [[id, '1']]],
    );
  });

  it('is refused when one copy could not be kept, and that is told after the others are', async () => {
    const { topics, disks } = topicsOf(['one', 'two']);
    let refused = false;
    const ids = topics.publish('sales', [{ body: '1' }]);
    ids.catch(() => {
      refused = true;
    });
    await settled();
    disks.get('one')!.fail(new Error('the disk is full'));
    await settled();
    assert.equal(refused, false);
    disks.get('two')!.kept();
    await assert.rejects(ids, /the disk is full/);
  });
});
