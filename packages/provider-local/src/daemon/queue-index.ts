import { createHeap } from './heap.js';
import type { Place } from './journal-lines.js';
import type { QueueCounts } from './messages.js';

/** A message of a queue, in memory: where it is on disk, and whose turn it is. */
export interface Entry {
  /** Order in which it came. */
  readonly seq: number;
  place: Place;
  /** Its record, while the queue's share of memory has room for it. */
  text: string | undefined;
  /** Its id, where the sender gave it. */
  readonly given: string | undefined;
  attempts: number;
  state: 'ready' | 'delayed' | 'held' | 'gone';
  /** Raised with every change of state: what was planned for an earlier one is over. */
  turn: number;
  /** When it is visible again, while it is delayed or held. */
  due: number;
  /** Of the handing out, while it is held. */
  receipt: string | undefined;
}

/** Which message is next, and when. Times are of a clock that nobody sets. */
export interface QueueIndex {
  readonly all: ReadonlyMap<number, Entry>;
  /** Bytes on disk of the messages that are there. */
  bytes(): number;
  add(entry: Entry, delayMs: number): void;
  /** The oldest that can be received. */
  next(): Entry | undefined;
  /** Hides what `next` answered until `free`, `drop`, or the time is over. */
  hold(entry: Entry, receipt: string, visibilityMs: number): void;
  held(receipt: string): Entry | undefined;
  free(entry: Entry, delayMs: number): void;
  drop(entry: Entry): void;
  waitMs(): number | undefined;
  /** Milliseconds that a message is still delayed; 0 when it is not. */
  delayOf(entry: Entry): number;
  counts(): QueueCounts;
}

interface Plan {
  readonly due: number;
  readonly entry: Entry;
  readonly turn: number;
}

export function createIndex(clock: () => number): QueueIndex {
  const all = new Map<number, Entry>();
  const receipts = new Map<string, Entry>();
  const ready = createHeap<Entry>((a, b) => a.seq < b.seq);
  const plans = createHeap<Plan>((a, b) => a.due < b.due || (a.due === b.due && a.entry.seq < b.entry.seq));
  const counts = { ready: 0, delayed: 0, held: 0, gone: 0 };
  let bytes = 0;
  let stale = 0;

  const become = (entry: Entry, state: Entry['state']) => {
    counts[entry.state] -= 1;
    counts[state] += 1;
    entry.state = state;
    entry.turn += 1;
    if (entry.receipt !== undefined) receipts.delete(entry.receipt);
    entry.receipt = undefined;
  };
  const plan = (entry: Entry, ms: number) => {
    entry.due = clock() + ms;
    plans.push({ due: entry.due, entry, turn: entry.turn });
  };
  /** What is over is left in the heap until it is its turn there, or until it is most of it. */
  const forget = () => {
    stale += 1;
    if (stale < 1_000 || stale < plans.size / 2) return;
    plans.keep((one) => one.turn === one.entry.turn);
    stale = 0;
  };
  const ripen = () => {
    const now = clock();
    for (let first = plans.peek(); first !== undefined && first.due <= now; first = plans.peek()) {
      plans.pop();
      if (first.turn !== first.entry.turn) {
        stale = Math.max(0, stale - 1);
        continue;
      }
      become(first.entry, 'ready');
      ready.push(first.entry);
    }
    // A ready one that was purged.
    for (let first = ready.peek(); first !== undefined && first.state !== 'ready'; first = ready.peek())
      ready.pop();
  };
  const place = (entry: Entry, delayMs: number) => {
    become(entry, delayMs > 0 ? 'delayed' : 'ready');
    if (delayMs > 0) plan(entry, delayMs);
    else ready.push(entry);
  };
  return {
    all,
    bytes: () => bytes,
    add(entry, delayMs) {
      all.set(entry.seq, entry);
      bytes += entry.place.bytes + 1;
      counts[entry.state] += 1;
      place(entry, delayMs);
    },
    next() {
      ripen();
      return ready.peek();
    },
    hold(entry, receipt, visibilityMs) {
      ready.pop();
      become(entry, 'held');
      entry.receipt = receipt;
      receipts.set(receipt, entry);
      if (Number.isFinite(visibilityMs)) plan(entry, visibilityMs);
    },
    held(receipt) {
      ripen();
      return receipts.get(receipt);
    },
    free(entry, delayMs) {
      forget();
      place(entry, delayMs);
    },
    drop(entry) {
      if (entry.state !== 'ready') forget();
      become(entry, 'gone');
      counts.gone -= 1;
      all.delete(entry.seq);
      bytes -= entry.place.bytes + 1;
    },
    waitMs() {
      ripen();
      if (ready.size > 0) return 0;
      for (let first = plans.peek(); first !== undefined; first = plans.peek()) {
        if (first.turn === first.entry.turn) return Math.max(0, first.due - clock());
        plans.pop();
        stale = Math.max(0, stale - 1);
      }
      return undefined;
    },
    delayOf: (entry) => (entry.state === 'delayed' ? Math.max(0, entry.due - clock()) : 0),
    counts() {
      ripen();
      return { visible: counts.ready, delayed: counts.delayed, inFlight: counts.held };
    },
  };
}
