import { textOf } from '../refusal.js';
import type { Place } from './journal.js';
import type { Entry } from './queue-index.js';
import { textOfRecord } from './queue-records.js';
import type { State } from './queue-state.js';

/** Below this a journal is not worth writing anew. */
const REWRITE_BYTES = 1024 * 1024;
/** Where a record is that was found damaged when it was to be copied. */
const NOWHERE = 2 ** 50;
/** Numbers or ids that one record holds. */
const RECORD_ITEMS = 1_000;

/** Writes the journal anew when most of it is over; or when there is any hope of room on a full disk. */
export function tidy(state: State, pressed = false): void {
  const { index, journal, options } = state;
  const least = options.rewriteBytes ?? REWRITE_BYTES;
  const dead = journal.size() - index.bytes() - (pressed ? 0 : state.floor);
  const worth = dead > Math.max(pressed ? 0 : least, index.bytes());
  if (!worth || state.rewriting || state.closed) return;
  state.rewriting = true;
  let entries: Entry[] = [];
  const content = function* (): Iterable<Place | string> {
    entries = [...index.all.values()];
    for (const entry of entries) yield entry.place;
    yield* settings(state, entries);
  };
  journal
    .rewrite(content, (places) => {
      for (const [n, place] of places.entries())
        entries[n]!.place = place ?? { ...entries[n]!.place, at: NOWHERE };
    })
    .catch((error: unknown) => state.log(`its journal was not written anew: ${textOf(error)}`))
    .finally(() => {
      state.floor = Math.max(0, journal.size() - index.bytes());
      state.rewriting = false;
    });
}

/** What the records of messages do not say. */
function* settings(state: State, entries: readonly Entry[]): Iterable<string> {
  const tried = entries.filter((entry) => entry.attempts > 0 && entry.state !== 'gone');
  for (const some of chunks(tried))
    yield textOfRecord(['h', some.map(({ seq, attempts }) => [seq, attempts] as const)]);
  for (const entry of entries) {
    const ms = state.index.delayOf(entry);
    if (ms > 0) yield textOfRecord(['d', state.options.now(), ms, [entry.seq]]);
  }
  for (const some of chunks([...state.lately])) yield textOfRecord(['r', some]);
}

/** Parts of a list that one record holds. */
export function* chunks<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < items.length; from += RECORD_ITEMS) yield items.slice(from, from + RECORD_ITEMS);
}
