import type { Activation } from '@sfx-deploy/plugin';
import type { Outcome } from '../instances/outcomes.js';
import { openRows, type Rows, type RowsOptions } from './activation-rows.js';
import type { Begun, Problem } from './caller.js';

/** One call as it is kept; its logs are found by its id. */
export type Kept = Omit<Activation, 'logs'>;

export interface ActivationFilter {
  readonly function?: string;
  readonly status?: string;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly limit: number;
}

/**
 * The calls of one service and stage. What is not plain HTTP traffic is kept on disk; of HTTP calls the last thousand are
 * in memory, of those that went well at most 200 of a second, and those that failed go to the disk too, as long as they
 * are not many. Bounded in rows and bytes: the oldest
 * go first. `kill -9` loses at most the row of a call that somebody waited for.
 */
export interface Activations {
  /** A call that is not over HTTP, which runs now. */
  began(begun: Begun): void;
  ended(begun: Begun, outcome: Outcome, ms: number, problem: Problem | undefined, status?: number): void;
  /** No instance had room, and the call is made again: kept only where its id is the same then. */
  unserved(begun: Begun, outcome: Outcome): void;
  /** A state that no call tells: waiting for its first try, or given up without one. On disk when it resolves. */
  put(kept: Kept): Promise<void>;
  /** All that was told is on disk when it resolves. */
  flush(): Promise<void>;
  /** Newest first. */
  list(filter: ActivationFilter): Promise<Kept[]>;
  find(id: string): Promise<Kept | undefined>;
  /** The last of them without results, newest first. */
  recent(most: number): Promise<Kept[]>;
  close(): Promise<void>;
}

export interface ActivationsOptions extends RowsOptions {
  readonly now: () => number;
}

/** What is known of a call from its beginning, without what it carries. */
interface Base extends Pick<Kept, 'id' | 'function' | 'cause' | 'attempt' | 'trigger'> {
  readonly version: string;
  readonly release: number;
  /** Milliseconds since 1970. */
  readonly asked: number;
  readonly started: number;
}

/** A call over HTTP that is over. */
interface Seen extends Base {
  readonly ms: number;
  readonly cold: boolean;
  readonly problem: Problem | undefined;
}

const SEEN = 1_000;
const RECENT = 200;
/** HTTP calls that went well and are kept, per second: the ring would be over in no time, and keeping costs every call. */
const SEEN_PER_SECOND = 200;
/** Rows per second that failed HTTP calls may write. */
const FAILED_PER_SECOND = 20;
/** Characters of a result. */
export const RESULT_CHARS = 16 * 1024;
const MESSAGE_CHARS = 4 * 1024;

export function createActivations(options: ActivationsOptions): Activations {
  const rows: Rows = openRows(options);
  const seen = ring<Seen>(SEEN);
  const others = ring<Kept>(RECENT);
  const running = new Map<string, Base>();
  const mayWrite = perSecond(FAILED_PER_SECOND);
  const maySee = perSecond(SEEN_PER_SECOND);
  let before: Promise<Kept[]> | undefined;

  const add = (kept: Kept) => {
    const { result: _, ...rest } = kept;
    others.put(rest);
    rows.add(JSON.stringify(kept));
  };
  /** What is in memory, newest first; it is newer than any row of the same id. */
  const inMemory = (): Kept[] => [...[...running.values()].map(keptOf), ...seen.newest().map(seenAs)];
  const past = () => {
    before ??= take(rows, [], { limit: 50 }).then((found) => found.map(({ result: _, ...rest }) => rest));
    return before;
  };
  return {
    began: (begun) => void running.set(begun.input.requestId, baseOf(begun)),
    ended(begun, outcome, ms, problem) {
      const cold = outcome.cold === true;
      if (begun.call.cause === 'http') {
        if (problem === undefined && !maySee()) return;
        const one = seenOf(begun, ms, cold, problem);
        seen.put(one);
        if (problem !== undefined && mayWrite()) rows.add(JSON.stringify(seenAs(one)));
        return;
      }
      running.delete(begun.input.requestId);
      const again = problem !== undefined && begun.call.again?.(outcome) === true;
      const over = { durationMs: round(ms), cold, ...errorOf(problem) };
      const status = problem === undefined ? 'ok' : again ? 'retrying' : 'failed';
      add({ ...keptOf(baseOf(begun)), ...over, status, ...(problem ? {} : resultOf(outcome)) });
    },
    unserved(begun, outcome) {
      const base = baseOf(begun);
      running.delete(base.id);
      if (begun.call.again?.(outcome) === true) add({ ...keptOf(base), status: 'retrying' });
    },
    async put(kept) {
      add(kept);
      await rows.flush();
    },
    flush: () => rows.flush(),
    list: (filter) => take(rows, inMemory(), filter),
    async find(id) {
      const running = inMemory().find((one) => one.id === id);
      if (running !== undefined) return running;
      const row = await rows.find(id);
      return row === undefined ? undefined : (JSON.parse(row) as Kept);
    },
    async recent(most) {
      const all = fold([...inMemory(), ...others.newest(), ...(await past())], {});
      return all.sort(newestFirst).slice(0, most);
    },
    close: () => rows.close(),
  };
}

function baseOf({ call, serving, release, started, input }: Begun): Base {
  const { cause, trigger, attempt = 1, asked = started } = call;
  const version = serving.version.id;
  return {
    id: input.requestId,
    function: call.function,
    version,
    release,
    cause,
    asked,
    started,
    attempt,
    ...(trigger === undefined ? undefined : { trigger }),
  };
}

/** Field by field: on the way of every call over HTTP, a spread costs more than the rest of it. */
function seenOf(begun: Begun, ms: number, cold: boolean, problem: Problem | undefined): Seen {
  const { call, serving, release, started, input } = begun;
  return {
    id: input.requestId,
    function: call.function,
    version: serving.version.id,
    release,
    cause: call.cause,
    asked: call.asked ?? started,
    started,
    attempt: call.attempt ?? 1,
    trigger: call.trigger,
    ms,
    cold,
    problem,
  };
}

function keptOf(base: Base): Kept {
  const { id, version, release, cause, trigger, asked, started, attempt } = base;
  return {
    id,
    function: base.function,
    version,
    release: release === 0 ? null : release,
    cause,
    ...(trigger === undefined ? {} : { trigger }),
    asked: iso(asked),
    started: iso(started),
    durationMs: null,
    cold: null,
    status: 'running',
    attempt,
  };
}

function seenAs(seen: Seen): Kept {
  const { ms, cold, problem } = seen;
  const status = problem === undefined ? 'ok' : 'failed';
  return { ...keptOf(seen), durationMs: round(ms), cold, status, ...errorOf(problem) };
}

function errorOf(problem: Problem | undefined): Pick<Kept, 'error'> {
  if (problem === undefined) return {};
  const { code, message } = problem;
  return { error: { code, message: cut(message, MESSAGE_CHARS) } };
}

/** A result that is too long is kept as the beginning of its text. */
function resultOf(outcome: Outcome): Pick<Kept, 'result'> {
  if (outcome.kind !== 'json') return {};
  const { text } = outcome;
  if (text.length <= RESULT_CHARS) return { result: JSON.parse(text) as NonNullable<Kept['result']> };
  return { result: { $cut: { characters: text.length, text: cut(text, RESULT_CHARS) } } };
}

/** The newest of both: what is in memory is of HTTP alone, and may all be older than the rows. */
async function take(rows: Rows, first: readonly Kept[], filter: ActivationFilter): Promise<Kept[]> {
  const seen = new Set<string>();
  const found = fold(first, filter, seen);
  const kept: Kept[] = [];
  for await (const texts of rows.newest()) {
    if (kept.length >= filter.limit) break;
    kept.push(...fold(parsed(texts), filter, seen));
  }
  return [...found, ...kept].sort(newestFirst).slice(0, filter.limit);
}

function* parsed(texts: readonly string[]): Generator<Kept> {
  for (const text of texts) {
    const row = text.endsWith('}') ? parse(text) : undefined;
    if (row !== undefined) yield row;
  }
}

/** A row that was cut off by a kill or a full disk is left out. */
function parse(text: string): Kept | undefined {
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return undefined;
  }
}

/** The first that is told of an id is its newest state; that one is asked about. */
function fold(all: Iterable<Kept>, filter: Partial<ActivationFilter>, seen = new Set<string>()): Kept[] {
  const found: Kept[] = [];
  for (const one of all) {
    if (seen.has(one.id)) continue;
    seen.add(one.id);
    if (filter.function !== undefined && one.function !== filter.function) continue;
    if (filter.status !== undefined && one.status !== filter.status) continue;
    if (filter.since !== undefined && Date.parse(one.asked) < filter.since) continue;
    found.push(one);
  }
  return found;
}

function newestFirst(a: Kept, b: Kept): number {
  return a.asked > b.asked ? -1 : a.asked < b.asked ? 1 : 0;
}

/** Says yes so many times in a second. */
function perSecond(most: number): () => boolean {
  let second = 0;
  let count = 0;
  return () => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      second = now;
      count = 0;
    }
    count += 1;
    return count <= most;
  };
}

/** The last `size` of what was put. */
function ring<T>(size: number): { put(one: T): void; newest(): T[] } {
  const all: T[] = [];
  let next = 0;
  return {
    put(one) {
      all[next] = one;
      next = (next + 1) % size;
    },
    newest: () => [...all.slice(next), ...all.slice(0, next)].reverse(),
  };
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)} …` : text;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
