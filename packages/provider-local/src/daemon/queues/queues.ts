import { join } from 'node:path';
import { isName } from '../../names.js';
import { namesIn } from '../disk.js';
import { refusal } from '../refusal.js';
import type { Queue, QueueCounts } from './messages.js';
import { openQueue } from './queue.js';

/** The queues of a stage, by name, each in a folder of its own. */
export interface Queues {
  /** Made when it is not there. Throws SFX6007. */
  ensure(name: string): Promise<Queue>;
  find(name: string): Promise<Queue | undefined>;
  /** Those that are open, by name. */
  all(): readonly Queue[];
  /** Opens what is on disk. */
  open(): Promise<void>;
  close(): Promise<void>;
}

export interface QueuesOptions {
  /** `queues` of the stage. */
  readonly dir: string;
  readonly now: () => number;
  log(text: string): void;
}

export function createQueues({ dir, now, log }: QueuesOptions): Queues {
  const opening = new Map<string, Promise<Queue>>();
  const opened = new Map<string, Queue>();
  const ensure = (name: string): Promise<Queue> => {
    if (!isName(name)) throw refusal(400, 'SFX6007', `not a name of a queue: ${JSON.stringify(name)}`);
    let queue = opening.get(name);
    if (queue === undefined) {
      queue = openQueue({ dir: join(dir, name), name, now, log: (text) => log(`queue ${name}: ${text}`) });
      opening.set(name, queue);
      queue.then(
        (one) => opened.set(name, one),
        // One that could not be opened is tried again by whoever needs it next.
        () => opening.delete(name),
      );
    }
    return queue;
  };
  return {
    ensure: async (name) => ensure(name),
    find: async (name) => opening.get(name),
    all: () => [...opened.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async open() {
      const names = (await namesIn(dir)).filter(isName);
      const results = await Promise.allSettled(names.map((name) => ensure(name)));
      for (const [n, result] of results.entries())
        if (result.status === 'rejected')
          log(`queue ${names[n]} could not be opened: ${String(result.reason)}`);
    },
    async close() {
      const all = await Promise.allSettled(opening.values());
      await Promise.all(all.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
    },
  };
}

export function queueState(queue: Queue): QueueCounts & { readonly name: string } {
  return { name: queue.name, ...queue.counts() };
}
