import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { QueueProps, Scope } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import type { Caller } from '../calls/caller.js';
import { readText, writeSynced } from '../disk.js';
import { makeBuckets } from '../feeds/bucket-folder.js';
import { createFeeding, type Named } from '../feeds/feeding.js';
import type { Feed } from '../feeds/feeds.js';
import { createTopics } from '../feeds/topics.js';
import { type Redriven, redrive } from '../queues/dead-letters.js';
import type { NewMessage, Queue } from '../queues/messages.js';
import { createQueues } from '../queues/queues.js';
import { refusal, textOf } from '../refusal.js';

/** Path on the engine's port under which functions send events. */
export const EVENTS = '/events/';

/** What a stage keeps and delivers without being asked: its queues, topics and feeds. */
export interface StageEvents {
  /** What opens this stage's address for events; of no use for anything else. */
  readonly token: string;
  /** Throws SFX6011 when the stage has no such queue. */
  queue(name: string): Promise<Queue>;
  queues(): readonly Queue[];
  publish(topic: string, messages: readonly NewMessage[]): Promise<readonly string[]>;
  /** Messages by topic that nobody subscribed to. */
  unheard(): Readonly<Record<string, number>>;
  /** Sends the dead letters of a queue back to where they came from. */
  redrive(name: string): Promise<Redriven>;
  feed(kind: string, id: string): Feed | undefined;
  /** Opens what is on disk; delivers nothing yet. */
  open(): Promise<void>;
  /**
   * Makes true what the triggers say, after one was changed, or as the daemon begins. Throws when that one cannot be.
   */
  follow(changed?: Named): Promise<void>;
  /** After a trigger was taken away, and `follow`. */
  forget(kind: string, id: string): Promise<void>;
  close(graceMs: number): Promise<void>;
}

export interface StageEventsOptions {
  readonly scope: Scope;
  readonly dir: string;
  readonly tmp: string;
  readonly now: () => number;
  readonly caller: Caller;
  triggers(): Iterable<TriggerDocument>;
  /** Into the log of the version that is stable for the trigger's function. */
  log(trigger: TriggerDocument, text: string): void;
}

export async function openStageEvents(options: StageEventsOptions): Promise<StageEvents> {
  const { scope, dir, now, triggers } = options;
  const log = (text: string) => void process.stderr.write(`${scope.service}/${scope.stage}: ${text}\n`);
  const token = await tokenIn(dir);
  const queues = createQueues({ dir: join(dir, 'queues'), now, log });
  const feeding = createFeeding({ ...options, queue: queues.ensure });
  const topics = createTopics({ triggers, own: feeding.own });
  const queue = async (name: string) => {
    const found = await queues.find(name);
    if (found === undefined) throw refusal(404, 'SFX6011', missing(name, queues.all()));
    return found;
  };
  return {
    token,
    queue,
    queues: queues.all,
    publish: topics.publish,
    unheard: topics.unheard,
    async redrive(name) {
      return redrive(await queue(name), async (origin) => {
        if (origin.queue !== undefined) return queues.find(origin.queue);
        const trigger = [...triggers()].find(({ id }) => id === origin.trigger);
        return trigger === undefined ? undefined : feeding.own(trigger);
      });
    },
    feed: feeding.feed,
    open: queues.open,
    async follow(changed) {
      // Also of a trigger that is not enabled: the candidate is called already, and may send to it.
      const prepare = async (trigger: TriggerDocument) => {
        if (trigger.kind === 'queue') await queues.ensure((trigger.props as unknown as QueueProps).queue);
        await makeBuckets(dir, [trigger]);
      };
      for (const trigger of triggers()) {
        const isChanged = changed?.kind === trigger.kind && changed.id === trigger.id;
        await prepare(trigger).catch((error: unknown) => {
          if (isChanged) throw error;
          log(`${trigger.id}: ${textOf(error)}`);
        });
      }
      await feeding.follow([...triggers()], changed);
    },
    forget: feeding.forget,
    async close(graceMs) {
      await feeding.close(graceMs);
      await queues.close();
    },
  };
}

function missing(name: string, all: readonly Queue[]): string {
  const names = all.map((one) => one.name).join(', ');
  return `no queue ${name}; ${names === '' ? 'there is none' : `there is ${names}`}`;
}

/** Made once, in a file that only its owner can read. */
async function tokenIn(dir: string): Promise<string> {
  const path = join(dir, 'events-token');
  const known = (await readText(path))?.trim();
  if (known !== undefined && known.length >= 32) return known;
  const token = randomBytes(24).toString('hex');
  await writeSynced(path, `${token}\n`, 0o600);
  return token;
}
