import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '@sfx-deploy/plugin';
import type { Answered, Call, Caller } from '../../src/daemon/calls/caller.js';
import type { FeedHost } from '../../src/daemon/feeds/feeds.js';
import type { Outcome } from '../../src/daemon/instances/outcomes.js';
import type { Queue } from '../../src/daemon/queues/messages.js';
import { openQueue } from '../../src/daemon/queues/queue.js';
import { refusal } from '../../src/daemon/refusal.js';
import type { TriggerDocument } from '../../src/wire.js';

/** What a feed needs, with a clock that a test sets and a function that a test plays. */
export interface FeedBench {
  readonly dir: string;
  now: number;
  fresh: boolean;
  /** The disk of the queue is full. */
  full: boolean;
  /** How a call ends; default: well, with nothing. */
  answer: (call: Call) => Promise<Outcome | 'nothing live'>;
  readonly calls: Call[];
  readonly lines: string[];
  /** A host as the daemon makes one; its queue is opened anew, as after a restart. */
  host(): FeedHost;
  queue(): Queue | undefined;
  /** The events of all calls so far. */
  events(): Record<string, Json>[];
  closeQueue(): Promise<void>;
  close(): Promise<void>;
}

export const DONE: Outcome = { kind: 'json', text: 'null' };
export const THREW: Outcome = { kind: 'failed', why: 'threw', message: 'no' };

export async function feedBench(now: number): Promise<FeedBench> {
  const dir = await mkdtemp(join(tmpdir(), 'sfx-feed-'));
  let queue: Promise<Queue> | undefined;
  let open: Queue | undefined;
  const caller: Pick<Caller, 'call'> = {
    async call(call) {
      bench.calls.push(call);
      const outcome = await bench.answer(call);
      return outcome === 'nothing live' ? outcome : ({ outcome, ms: 0 } as Answered);
    },
  };
  const bench: FeedBench = {
    dir,
    now,
    fresh: true,
    full: false,
    answer: async () => DONE,
    calls: [],
    lines: [],
    host: () => ({
      scope: { service: 'shop', stage: 'dev' },
      dir: join(dir, 'feed'),
      stageDir: dir,
      fresh: bench.fresh,
      now: () => bench.now,
      caller: caller as Caller,
      queue: () => Promise.reject(new Error('not a queue of the stage')),
      async own() {
        queue ??= openQueue({ dir: join(dir, 'own'), name: 'own', now: () => bench.now });
        const one = await queue;
        open = one;
        const full = () => Promise.reject(refusal(507, 'SFX6004', 'the disk is full'));
        return { ...one, send: (messages) => (bench.full ? full() : one.send(messages)) };
      },
      log: (text) => void bench.lines.push(text),
    }),
    queue: () => open,
    events: () => bench.calls.map((call) => eventOf(call)),
    async closeQueue() {
      await (await queue)?.close();
      queue = undefined;
    },
    async close() {
      await bench.closeQueue();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return bench;
}

export function eventOf(call: Call): Record<string, Json> {
  const payload = call.input.kind === 'invoke' ? call.input.payload : '{}';
  return (JSON.parse(payload) as { $event: Record<string, Json> }).$event;
}

export function triggerOf(kind: string, props: Json): TriggerDocument {
  return {
    kind,
    id: `${kind}:one`,
    source: 'one',
    props,
    alias: 'live',
    function: 'work',
    digest: `sha256:${'0'.repeat(64)}`,
    enabled: true,
    stamp: { release: 1, fence: 1 },
  };
}

/** Until something holds; a test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}
