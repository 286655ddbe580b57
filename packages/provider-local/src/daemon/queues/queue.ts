import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { makeFolder } from '../disk.js';
import { textOf } from '../refusal.js';
import { openJournal } from './journal.js';
import type { Peeked, Queue, QueueOptions, Received } from './messages.js';
import { createIndex, type Entry } from './queue-index.js';
import { createReplay, remaining, textOfRecord } from './queue-records.js';
import { send } from './queue-send.js';
import { add, drop, more, readSent, type State } from './queue-state.js';
import { chunks, tidy } from './queue-tidy.js';

export type { NewMessage, Peeked, Queue, QueueCounts, QueueOptions, Received } from './messages.js';

/** Of the messages that are handed out at once; a larger one comes alone. */
const BATCH_BYTES = 6 * 1024 * 1024;

/** Opens the queue of a folder, and makes it when it is not there. */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  const log =
    options.log ?? ((text: string) => void process.stderr.write(`queue ${options.name}: ${text}\n`));
  await makeFolder(options.dir);
  const { replayed, take } = createReplay();
  const journal = await openJournal({ path: join(options.dir, 'journal'), replay: take, log });
  const state: State = {
    options,
    journal,
    index: createIndex(options.clock ?? (() => performance.now())),
    log,
    mark: randomBytes(6).toString('hex'),
    listeners: new Set(),
    given: new Map(),
    arriving: new Map(),
    lately: replayed.lately,
    coming: { messages: 0, bytes: 0 },
    owed: [],
    next: replayed.next,
    memory: 0,
    rewriting: false,
    floor: 0,
    closed: false,
  };
  for (const { seq, place, given, attempts, from, delayMs } of replayed.kept.values())
    add(state, { seq, place, given, attempts }, undefined, remaining({ from, delayMs }, options.now()));
  tidy(state);
  return {
    name: options.name,
    send: (messages) => send(state, messages),
    receive: (max, visibilityMs, aloneAfter = Number.POSITIVE_INFINITY) =>
      receive(state, max, visibilityMs, aloneAfter),
    ack: (receipts) => ack(state, entriesOf(state, receipts)),
    release: (receipts, delayMs, counted = true) =>
      release(state, entriesOf(state, receipts), delayMs, counted),
    waitMs: () => (state.closed ? undefined : state.index.waitMs()),
    onMore(listener) {
      state.listeners.add(listener);
      return () => state.listeners.delete(listener);
    },
    counts: () => state.index.counts(),
    peek: (max) => peek(state, max),
    purge: () => purge(state),
    async close() {
      if (state.closed) return;
      state.closed = true;
      state.listeners.clear();
      await journal.close();
    },
  };
}

function receive(state: State, max: number, visibilityMs: number, aloneAfter: number): readonly Received[] {
  const { index, journal, mark } = state;
  const received: Received[] = [];
  const damaged: Entry[] = [];
  const handed: [number, number][] = [];
  let bytes = 0;
  while (received.length < max && !state.closed) {
    const entry = index.next();
    if (entry === undefined || (received.length > 0 && entry.attempts >= aloneAfter)) break;
    bytes += entry.place.bytes;
    if (received.length > 0 && bytes > BATCH_BYTES) break;
    const alone = entry.attempts >= aloneAfter;
    entry.attempts += 1;
    const receipt = `${mark}.${entry.seq}.${entry.attempts}`;
    index.hold(entry, receipt, Math.max(1, visibilityMs));
    const sent = readSent(state, entry);
    if (sent === undefined) {
      damaged.push(entry);
      continue;
    }
    handed.push([entry.seq, entry.attempts]);
    received.push({
      id: sent.id,
      body: sent.body,
      attributes: sent.attributes ?? {},
      sentAt: sent.at,
      attempt: entry.attempts,
      depth: sent.depth ?? 0,
      ...(sent.trace === undefined ? {} : { trace: sent.trace }),
      receipt,
    });
    if (alone) break;
  }
  if (handed.length > 0) journal.note(textOfRecord(['h', handed]));
  if (damaged.length > 0) {
    state.log(`${damaged.length} messages cannot be read from the disk any more and are left out`);
    ack(state, damaged).catch((error: unknown) => state.log(textOf(error)));
  }
  return received;
}

/** Of receipts that are current. */
function entriesOf(state: State, receipts: readonly string[]): Entry[] {
  return [...new Set(receipts)].flatMap((receipt) => state.index.held(receipt) ?? []);
}

async function ack(state: State, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const at = state.options.now();
  for (const entry of entries) drop(state, entry, at);
  const seqs = [...state.owed, ...entries.map((entry) => entry.seq)];
  state.owed = [];
  try {
    await state.journal.append([...chunks(seqs)].map((some) => textOfRecord(['a', at, some])));
  } catch (error) {
    // Not handed out again by this process; written with the next ones.
    state.owed.push(...seqs);
    tidy(state, true);
    throw error;
  }
  tidy(state);
}

function release(state: State, entries: readonly Entry[], delayMs: number, counted: boolean): void {
  if (entries.length === 0 || state.closed) return;
  for (const entry of entries) {
    if (!counted) entry.attempts -= 1;
    state.index.free(entry, delayMs);
  }
  const seqs = entries.map((entry) => entry.seq);
  if (!counted)
    state.journal.note(textOfRecord(['h', entries.map((entry) => [entry.seq, entry.attempts] as const)]));
  if (delayMs > 0) state.journal.note(textOfRecord(['d', state.options.now(), delayMs, seqs]));
  more(state);
}

function peek(state: State, max: number): readonly Peeked[] {
  const names = { ready: 'visible', delayed: 'delayed', held: 'in flight', gone: 'visible' } as const;
  const found: Peeked[] = [];
  state.index.counts();
  for (const entry of state.index.all.values()) {
    if (found.length >= max) break;
    const sent = readSent(state, entry);
    if (sent === undefined) continue;
    found.push({
      id: sent.id,
      body: sent.body,
      attributes: sent.attributes ?? {},
      sentAt: sent.at,
      attempts: entry.attempts,
      state: names[entry.state],
    });
  }
  return found;
}

async function purge(state: State): Promise<number> {
  const entries = [...state.index.all.values()].filter((entry) => entry.state !== 'held');
  await ack(state, entries);
  return entries.length;
}
