import { join } from 'node:path';
import type { BucketProps } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import { makeFolder } from '../disk.js';
import type { NewMessage, Queue } from '../queues/messages.js';
import { textOf } from '../refusal.js';
import type { Brake } from './bucket-brake.js';
import { type Known, type Ripe, type Settling, settle } from './bucket-changes.js';
import { hashOf } from './bucket-hash.js';
import type { BucketIndex } from './bucket-index.js';
import { inGroups, type Scan, scanFolder } from './bucket-scan.js';
import { createWatchers } from './bucket-watch.js';
import { idOf } from './single-pump.js';

export interface Looking {
  readonly trigger: TriggerDocument;
  readonly props: BucketProps;
  readonly root: string;
  readonly queue: Queue;
  readonly brake: Brake;
  readonly now: () => number;
  log(text: string): void;
  readonly lookMs: number;
  readonly quietMs: number;
}

/** Looks at files take at most a fifth of the time while something happens, and a twentieth otherwise. */
const BUSY_SHARE = 4;
const IDLE_SHARE = 20;
const HINT_MS = 20;
/** What is open for longer, as a key that rests or a file that cannot be read, is no reason to hurry. */
const HURRY_MS = 2_000;
const HASHES_AT_ONCE = 4;
const BATCH = 200;
const MOST_SAID = 1_000;

interface State {
  readonly looking: Looking;
  readonly index: BucketIndex;
  readonly said: Set<string>;
  open: Settling['open'];
  gone: boolean;
  /** What the last look at all files took. */
  tookMs: number;
  /** Something is known that is not on disk yet. */
  unsaved: boolean;
  closed: boolean;
}

export interface Looks {
  /** Something in the queue is not in the index on disk yet. */
  unsaved(): boolean;
  close(): Promise<void>;
}

/** Looks at a bucket again and again, and keeps what is new in its queue. The first look ever is over when it resolves. */
export async function watchBucket(looking: Looking, index: BucketIndex): Promise<Looks> {
  const state: State = {
    looking,
    index,
    said: new Set(),
    open: new Map(),
    gone: false,
    tookMs: 0,
    unsaved: false,
    closed: false,
  };
  if (index.empty) await begin(state);
  else recall(state);
  let timer: NodeJS.Timeout | undefined;
  let soonest = 0;
  let failed = '';
  let next = 0;
  const watchers = createWatchers(looking.root, () => {
    const now = performance.now();
    const at = Math.max(now + HINT_MS, soonest);
    // Only ever earlier: hints that never end must not put it off.
    if (timer !== undefined && at < next) wait(at - now);
  });
  const wait = (ms: number): void => {
    clearTimeout(timer);
    next = performance.now() + ms;
    timer = setTimeout(tick, ms);
  };
  const tick = (): void => {
    timer = undefined;
    pass = look(state, watchers)
      .then(
        () => {
          failed = '';
        },
        (error: unknown) => {
          // What was not kept is otherwise than it is known, so the next look finds it again; said once.
          if (failed !== textOf(error)) looking.log(`bucket ${looking.props.bucket}: ${textOf(error)}`);
          failed = textOf(error);
        },
      )
      .then(() => {
        const ended = performance.now();
        soonest = ended + state.tookMs * BUSY_SHARE;
        if (state.closed) return;
        const hurry = [...state.open.values()].some(({ since }) => ended - since < HURRY_MS);
        const busy = hurry || state.unsaved;
        const { lookMs, quietMs } = looking;
        const { tookMs } = state;
        wait(busy ? Math.max(quietMs / 2, tookMs * BUSY_SHARE) : Math.max(lookMs, tookMs * IDLE_SHARE));
      });
  };
  let pass: Promise<void> = Promise.resolve();
  tick();
  return {
    unsaved: () => state.unsaved,
    close() {
      state.closed = true;
      clearTimeout(timer);
      watchers.close();
      return pass;
    },
  };
}

/** What is there at the beginning is known, and no news. */
async function begin({ looking, index }: State): Promise<void> {
  const scan = await scanFolder(looking.root);
  if (scan !== 'gone') for (const [key, seen] of scan.files) index.known.set(key, seen);
  await index.save();
}

/** What was kept before a kill and is not in the index: known by its content, so that it is not told again but its end is. */
function recall({ looking, index }: State): void {
  for (const { body } of looking.queue.peek(Number.MAX_SAFE_INTEGER)) {
    const { change, key, size = 0, etag } = JSON.parse(body) as BucketDelivery;
    if (change === 'removed' || index.known.has(key)) continue;
    index.known.set(key, { size, mtimeMs: 0, ino: 0, ...(etag === undefined ? {} : { etag }) });
  }
}

async function look(state: State, watchers: { set(folders: readonly string[]): void }): Promise<void> {
  const { looking, index } = state;
  const began = performance.now();
  const scan = await scanFolder(looking.root);
  state.tookMs = performance.now() - began;
  if (scan === 'gone') {
    watchers.set([]);
    return folderGone(state);
  }
  if (state.gone) looking.log(`bucket ${looking.props.bucket}: ${looking.root} is there again`);
  state.gone = false;
  if (state.closed) return;
  watchers.set(scan.folders);
  tellUnreadable(state, scan);
  const { open, ripe } = settle(index.known, state.open, scan, performance.now(), looking.quietMs);
  state.open = open;
  const due = ripe.filter(({ key }) => !looking.brake.rests(key));
  for (let n = 0; n < due.length && !state.closed; n += BATCH) await announce(state, due.slice(n, n + BATCH));
  if (!state.unsaved) return;
  await index.save();
  state.unsaved = false;
}

/** A folder that somebody else keeps may be a disk that is not there now: that takes no file away. */
async function folderGone(state: State): Promise<void> {
  const { looking } = state;
  if (!state.gone)
    looking.log(
      `bucket ${looking.props.bucket}: ${looking.root} is gone; nothing is noticed until it is back`,
    );
  state.gone = true;
  if (looking.props.path === undefined) await makeFolder(looking.root);
}

function tellUnreadable(state: State, scan: Scan): void {
  for (const [key, why] of scan.unreadable)
    sayOnce(state, `${JSON.stringify(key)} cannot be read, and is left out: ${why}`);
}

function sayOnce(state: State, text: string): void {
  if (state.said.has(text)) return;
  if (state.said.size >= MOST_SAID) state.said.clear();
  state.said.add(text);
  state.looking.log(`bucket ${state.looking.props.bucket}: ${text}`);
}

/** Keeps some changes in the queue, then takes them for known. */
async function announce(state: State, ripe: readonly Ripe[]): Promise<void> {
  const { looking, index } = state;
  const news: { key: string; known: Known | undefined; message?: NewMessage }[] = [];
  await inGroups(
    ripe,
    async ({ key, seen }) => {
      if (seen === undefined)
        return void news.push({ key, known: undefined, ...messageFor(state, key, undefined) });
      const hash = isHashed(looking.props, key) ? await hashOf(join(looking.root, key), seen) : undefined;
      if (hash === 'moved') return;
      if (hash !== undefined && 'why' in hash)
        return sayOnce(state, `${JSON.stringify(key)} cannot be read, and is left out: ${hash.why}`);
      const known = { ...seen, ...hash };
      news.push({ key, known, ...messageFor(state, key, known) });
    },
    HASHES_AT_ONCE,
  );
  // Nothing is delivered before the index says that it was noticed: what is called for and then goes is told as gone.
  state.unsaved ||= news.length > 0;
  await looking.queue.send(news.flatMap(({ message }) => message ?? []));
  const open = new Map(state.open);
  for (const { key, known, message } of news) {
    if (known === undefined) index.known.delete(key);
    else index.known.set(key, known);
    open.delete(key);
    if (message !== undefined && looking.brake.announced(key))
      looking.log(
        `bucket ${looking.props.bucket}: ${JSON.stringify(key)} changes again and again, so it rests for a minute; does its function write it?`,
      );
  }
  state.open = open;
}

interface BucketDelivery {
  readonly change: 'created' | 'changed' | 'removed';
  readonly key: string;
  readonly size?: number;
  readonly etag?: string;
}

/** None for what the trigger does not ask for, and for a file that was written anew with the same content. */
function messageFor(
  { looking, index }: State,
  key: string,
  now: Known | undefined,
): { message?: NewMessage } {
  const { props, trigger, root } = looking;
  const before = index.known.get(key);
  const change = now === undefined ? 'removed' : before === undefined ? 'created' : 'changed';
  if (!isAsked(props, key) || !props.events.includes(change)) return {};
  if (change === 'changed' && now?.etag !== undefined && now.etag === before?.etag) return {};
  const { size, mtimeMs, ino } = now ?? before!;
  const id = idOf(trigger.id, index.serial(), key, change, size, mtimeMs, ino);
  const delivery = {
    kind: 'bucket',
    id,
    bucket: props.bucket,
    change,
    key,
    ...(now === undefined ? {} : { size, etag: now.etag }),
    at: new Date(looking.now()).toISOString(),
    file: join(root, key),
  };
  return { message: { id, body: JSON.stringify(delivery), attributes: { key } } };
}

function isAsked({ prefix, suffix }: BucketProps, key: string): boolean {
  return key.startsWith(prefix ?? '') && key.endsWith(suffix ?? '');
}

function isHashed(props: BucketProps, key: string): boolean {
  return isAsked(props, key) && props.events.some((change) => change !== 'removed');
}
