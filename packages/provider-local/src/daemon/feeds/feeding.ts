import { createHash, randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scope } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import type { Caller } from '../calls/caller.js';
import { makeFolder } from '../disk.js';
import type { Queue } from '../queues/messages.js';
import { openQueue } from '../queues/queue.js';
import { errnoOf, textOf } from '../refusal.js';
import { feedKinds } from './feed-kinds.js';
import type { Feed, FeedFactory } from './feeds.js';

/** The feeds of a stage: one for each pulling trigger that is enabled, none for any other. */
export interface Feeding {
  /**
   * Closes the feeds that are not wanted any more or are wanted otherwise, then opens those that are. Resolves when what is
   * not wanted delivers nothing further. `changed`: the trigger that it is about; undefined as the daemon begins, when none
   * is new. Throws when that one cannot be opened; of another it is told in the log.
   */
  follow(triggers: readonly TriggerDocument[], changed?: Named): Promise<void>;
  feed(kind: string, id: string): Feed | undefined;
  /** The durable queue that only this trigger has. */
  own(trigger: TriggerDocument): Promise<Queue>;
  /** Takes away what only this trigger had, after its feed is closed. */
  forget(kind: string, id: string): Promise<void>;
  close(graceMs: number): Promise<void>;
}

export interface FeedingOptions {
  readonly scope: Scope;
  /** Folder of the stage. */
  readonly dir: string;
  readonly tmp: string;
  readonly now: () => number;
  readonly caller: Caller;
  queue(name: string): Promise<Queue>;
  /** Into the log of the version that is stable for the trigger's function. */
  log(trigger: TriggerDocument, text: string): void;
  /** Default: those of the engine. */
  readonly kinds?: Readonly<Record<string, FeedFactory>>;
}

/** How long deliveries of a trigger that is changed or disabled may go on. */
const GRACE_MS = 10_000;

interface Open {
  readonly feed: Feed;
  readonly signature: string;
}

interface State {
  readonly options: FeedingOptions;
  readonly kinds: Readonly<Record<string, FeedFactory>>;
  readonly opened: Map<string, Open>;
  readonly owned: Map<string, Promise<Queue>>;
  /** Triggers that were enabled when it was looked at last. */
  enabled: ReadonlySet<string>;
}

export function createFeeding(options: FeedingOptions): Feeding {
  const state: State = {
    options,
    kinds: options.kinds ?? feedKinds,
    opened: new Map(),
    owned: new Map(),
    enabled: new Set(),
  };
  return {
    follow: (triggers, changed) => follow(state, triggers, changed),
    feed: (kind, id) => state.opened.get(keyOf({ kind, id }))?.feed,
    own: (trigger) => own(state, trigger),
    forget: (kind, id) => forget(state, { kind, id }),
    async close(graceMs) {
      await Promise.all([...state.opened.keys()].map((key) => end(state, key, graceMs)));
      for (const queue of state.owned.values()) await queue.then((one) => one.close());
    },
  };
}

/** What a trigger is known by. */
export type Named = Pick<TriggerDocument, 'kind' | 'id'>;

function keyOf({ kind, id }: Named): string {
  return `${kind}\n${id}`;
}

async function follow(
  state: State,
  triggers: readonly TriggerDocument[],
  changed: Named | undefined,
): Promise<void> {
  const pulling = triggers.filter((one) => one.enabled && Object.hasOwn(state.kinds, one.kind));
  const wanted = new Map(pulling.map((trigger) => [keyOf(trigger), trigger]));
  const before = state.enabled;
  const over = [...state.opened].filter(([key, { signature }]) => {
    const trigger = wanted.get(key);
    return trigger === undefined || signatureOf(trigger) !== signature;
  });
  await Promise.all(over.map(([key]) => end(state, key, GRACE_MS)));
  state.enabled = new Set(wanted.keys());
  for (const [key, trigger] of wanted) {
    if (state.opened.has(key)) continue;
    try {
      const feed = await begin(state, trigger, changed !== undefined && !before.has(key));
      state.opened.set(key, { feed, signature: signatureOf(trigger) });
    } catch (error) {
      if (changed !== undefined && key === keyOf(changed)) throw error;
      state.options.log(trigger, `${trigger.id} delivers nothing: ${textOf(error)}`);
    }
  }
}

/** What a feed was made for; a stamp is of no interest to it. */
function signatureOf({ props, alias, function: fn }: TriggerDocument): string {
  return JSON.stringify([props, alias, fn]);
}

async function begin(state: State, trigger: TriggerDocument, fresh: boolean): Promise<Feed> {
  const { options, kinds } = state;
  const dir = folderOf(options, trigger);
  await makeFolder(dir);
  return kinds[trigger.kind]!(trigger, {
    scope: options.scope,
    dir,
    stageDir: options.dir,
    fresh,
    now: options.now,
    caller: options.caller,
    queue: options.queue,
    own: () => own(state, trigger),
    log: (text) => options.log(trigger, text),
  });
}

async function end(state: State, key: string, graceMs: number): Promise<void> {
  const open = state.opened.get(key);
  state.opened.delete(key);
  await open?.feed.close(graceMs);
}

function own(state: State, trigger: TriggerDocument): Promise<Queue> {
  const { options, owned } = state;
  const key = keyOf(trigger);
  let queue = owned.get(key);
  if (queue === undefined) {
    const dir = join(folderOf(options, trigger), 'queue');
    const log = (text: string) => options.log(trigger, text);
    queue = openQueue({ dir, name: trigger.id, now: options.now, log });
    owned.set(key, queue);
    queue.catch(() => owned.delete(key));
  }
  return queue;
}

async function forget(state: State, trigger: Named): Promise<void> {
  const { options, owned } = state;
  const queue = owned.get(keyOf(trigger));
  owned.delete(keyOf(trigger));
  await (await queue)?.close();
  const aside = join(options.tmp, randomBytes(8).toString('hex'));
  await rename(folderOf(options, trigger), aside).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
  await rm(aside, { recursive: true, force: true });
}

/** Ids of triggers hold what no file name may. */
function folderOf({ dir }: FeedingOptions, trigger: Named): string {
  return join(dir, 'feeds', createHash('sha256').update(keyOf(trigger)).digest('hex').slice(0, 24));
}
