import { createHeap } from '../instances/heap.js';
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

/** Entries that become ready at some time. What is over is left in the heap until its turn there, or until it is most. */
interface Plans {
  add(entry: Entry, ms: number): void;
  /** The first that is still meant, when it is due by `now`. */
  due(now: number): Entry | undefined;
  /** Milliseconds until the first. */
  waitMs(): number | undefined;
  /** One of them is over. */
  forget(): void;
}

const FEW = 1_000;

function createPlans(clock: () => number): Plans {
  const heap = createHeap<Plan>((a, b) => a.due < b.due || (a.due === b.due && a.entry.seq < b.entry.seq));
  let stale = 0;
  const first = () => {
    for (let plan = heap.peek(); plan !== undefined; plan = heap.peek()) {
      if (plan.turn === plan.entry.turn) return plan;
      heap.pop();
      stale = Math.max(0, stale - 1);
    }
    return undefined;
  };
  return {
    add(entry, ms) {
      entry.due = clock() + ms;
      heap.push({ due: entry.due, entry, turn: entry.turn });
    },
    due(now) {
      const plan = first();
      if (plan === undefined || plan.due > now) return undefined;
      heap.pop();
      return plan.entry;
    },
    waitMs() {
      const plan = first();
      return plan === undefined ? undefined : Math.max(0, plan.due - clock());
    },
    forget() {
      stale += 1;
      if (stale < FEW || stale < heap.size / 2) return;
      heap.keep((plan) => plan.turn === plan.entry.turn);
      stale = 0;
    },
  };
}

function change(entry: Entry, state: Entry['state'], counts: Record<Entry['state'], number>): void {
  counts[entry.state] -= 1;
  counts[state] += 1;
  entry.state = state;
  entry.turn += 1;
  entry.receipt = undefined;
}

export function createIndex(clock: () => number): QueueIndex {
  const all = new Map<number, Entry>();
  const receipts = new Map<string, Entry>();
  const ready = createHeap<Entry>((a, b) => a.seq < b.seq);
  const plans = createPlans(clock);
  const counts = { ready: 0, delayed: 0, held: 0, gone: 0 };
  const become = (entry: Entry, state: Entry['state']) => {
    if (entry.receipt !== undefined) receipts.delete(entry.receipt);
    change(entry, state, counts);
  };
  let bytes = 0;

  const ripen = () => {
    const now = clock();
    for (let entry = plans.due(now); entry !== undefined; entry = plans.due(now)) {
      become(entry, 'ready');
      ready.push(entry);
    }
    // A ready one that was purged.
    for (let first = ready.peek(); first !== undefined && first.state !== 'ready'; first = ready.peek())
      ready.pop();
  };
  const place = (entry: Entry, delayMs: number) => {
    become(entry, delayMs > 0 ? 'delayed' : 'ready');
    if (delayMs > 0) plans.add(entry, delayMs);
    else ready.push(entry);
  };
  const hold = (entry: Entry, receipt: string, visibilityMs: number) => {
    ready.pop();
    become(entry, 'held');
    entry.receipt = receipt;
    receipts.set(receipt, entry);
    if (Number.isFinite(visibilityMs)) plans.add(entry, visibilityMs);
  };
  const drop = (entry: Entry) => {
    if (entry.state !== 'ready') plans.forget();
    become(entry, 'gone');
    all.delete(entry.seq);
    bytes -= entry.place.bytes + 1;
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
    hold,
    held(receipt) {
      ripen();
      return receipts.get(receipt);
    },
    free(entry, delayMs) {
      plans.forget();
      place(entry, delayMs);
    },
    drop,
    waitMs() {
      ripen();
      if (ready.size > 0) return 0;
      return plans.waitMs();
    },
    delayOf: (entry) => (entry.state === 'delayed' ? Math.max(0, entry.due - clock()) : 0),
    counts() {
      ripen();
      return { visible: counts.ready, delayed: counts.delayed, inFlight: counts.held };
    },
  };
}
