import type { Place } from './journal-lines.js';

/**
 * What a queue's journal says. All but a send tells how something is now, not how it changed: a record may be there twice.
 * `s`: sent, with its delay. `a`: done with. `h`: how often they were handed out. `d`: hidden for a while from `at` on.
 * `r`: ids that senders gave and that were there lately.
 */
export type QueueRecord =
  | readonly ['s', Sent]
  | readonly ['a', at: number, seqs: readonly number[]]
  | readonly ['h', attempts: readonly (readonly [seq: number, attempts: number])[]]
  | readonly ['d', at: number, delayMs: number, seqs: readonly number[]]
  | readonly ['r', ids: readonly (readonly [id: string, at: number])[]];

export interface Sent {
  readonly seq: number;
  readonly id: string;
  /** The sender gave the id. */
  readonly given?: true;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly delayMs?: number;
  readonly depth?: number;
  readonly trace?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly body: string;
}

export function textOfRecord(record: QueueRecord): string {
  return JSON.stringify(record);
}

export function recordOf(text: string): QueueRecord {
  return JSON.parse(text) as QueueRecord;
}

export function sentOf(text: string): Sent {
  return (recordOf(text) as readonly ['s', Sent])[1];
}

/** A message as the records of a journal leave it. */
export interface Kept {
  readonly seq: number;
  readonly place: Place;
  readonly given: string | undefined;
  attempts: number;
  /** Hidden from `from` on for that long; by the clock of the machine, which somebody may have set since. */
  from: number;
  delayMs: number;
}

export interface Replayed {
  readonly kept: Map<number, Kept>;
  readonly lately: Map<string, number>;
  /** The first number that no message had. */
  next: number;
}

export function createReplay(): { readonly replayed: Replayed; take(text: string, place: Place): void } {
  const replayed: Replayed = { kept: new Map(), lately: new Map(), next: 1 };
  const { kept, lately } = replayed;
  return {
    replayed,
    take(text, place) {
      const record = recordOf(text);
      switch (record[0]) {
        case 's': {
          const { seq, id, given, at, delayMs } = record[1];
          kept.set(seq, {
            seq,
            place,
            given: given ? id : undefined,
            attempts: 0,
            from: at,
            delayMs: delayMs ?? 0,
          });
          replayed.next = Math.max(replayed.next, seq + 1);
          return;
        }
        case 'a':
          for (const seq of record[2]) {
            const { given } = kept.get(seq) ?? {};
            if (given !== undefined) lately.set(given, record[1]);
            kept.delete(seq);
          }
          return;
        case 'h':
          for (const [seq, attempts] of record[1]) Object.assign(kept.get(seq) ?? {}, { attempts });
          return;
        case 'd':
          for (const seq of record[3])
            Object.assign(kept.get(seq) ?? {}, { from: record[1], delayMs: record[2] });
          return;
        case 'r':
          for (const [id, at] of record[1]) lately.set(id, at);
      }
    },
  };
}

/** A clock that was set back hides nothing for longer than its delay; one set forward shows it early. */
export function remaining(kept: { from: number; delayMs: number }, now: number): number {
  return Math.min(kept.delayMs, Math.max(0, kept.from + kept.delayMs - now));
}
