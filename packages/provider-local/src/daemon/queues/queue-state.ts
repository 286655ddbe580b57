import type { Journal } from './journal.js';
import type { QueueOptions } from './messages.js';
import type { Entry, QueueIndex } from './queue-index.js';
import { type Sent, sentOf } from './queue-records.js';

/** Bytes of records that a queue keeps in memory; the others are read when their turn comes. */
const MEMORY_BYTES = 4 * 1024 * 1024;
/** How long an id that its sender gave is known after its message was done with; for so many at most. */
export const LATELY_MS = 5 * 60_000;
const MOST_LATELY = 20_000;

export interface State {
  readonly options: QueueOptions;
  readonly journal: Journal;
  readonly index: QueueIndex;
  readonly log: (text: string) => void;
  /** Tells receipts of this process from those of one before it. */
  readonly mark: string;
  readonly listeners: Set<() => void>;
  /** Messages by the id that their sender gave. */
  readonly given: Map<string, Entry>;
  readonly arriving: Map<string, Promise<void>>;
  /** When messages with ids that their senders gave were done with. */
  readonly lately: Map<string, number>;
  /** What is being written now. */
  coming: { messages: number; bytes: number };
  /** Done with, but the disk was full. */
  owed: number[];
  next: number;
  memory: number;
  rewriting: boolean;
  /** Bytes that the journal had beside its messages when it was written anew last, or that failed. */
  floor: number;
  closed: boolean;
}

export function add(
  state: State,
  known: Pick<Entry, 'seq' | 'place' | 'given' | 'attempts'>,
  text: string | undefined,
  delayMs: number,
): void {
  const fits = text !== undefined && state.memory + known.place.bytes <= MEMORY_BYTES;
  const entry: Entry = {
    seq: known.seq,
    place: known.place,
    text: fits ? text : undefined,
    given: known.given,
    attempts: known.attempts,
    state: 'ready',
    turn: 0,
    due: 0,
    receipt: undefined,
  };
  if (fits) state.memory += known.place.bytes;
  if (entry.given !== undefined) state.given.set(entry.given, entry);
  state.index.add(entry, delayMs);
}

export function readSent(state: State, entry: Entry): Sent | undefined {
  const text = entry.text ?? state.journal.read(entry.place);
  return text === undefined ? undefined : sentOf(text);
}

export function drop(state: State, entry: Entry, at: number): void {
  state.index.drop(entry);
  if (entry.text !== undefined) state.memory -= entry.place.bytes;
  entry.text = undefined;
  if (entry.given === undefined) return;
  state.given.delete(entry.given);
  state.lately.delete(entry.given);
  state.lately.set(entry.given, at);
  for (const [id, then] of state.lately) {
    if (state.lately.size <= MOST_LATELY && Math.abs(at - then) < LATELY_MS) break;
    state.lately.delete(id);
  }
}

export function more(state: State): void {
  for (const listener of state.listeners) listener();
}
