import type { ErrorCode } from '@sfx-deploy/plugin';
import type { Outcome } from '../instances/outcomes.js';
import type { Queue, Received } from '../queues/queue.js';
import { textOf } from '../refusal.js';
import type { Kept } from './activations.js';
import type { Call } from './caller.js';
import type { LaterBody, LaterOptions } from './later.js';

/** The calls of one function that are made later: a flood of one holds up no other. */
export interface Lane {
  readonly queue: Queue;
  /** Takes no further call and waits for those that run. */
  close(): Promise<void>;
}

/** Calls of one function that are made at once. */
const AT_ONCE = 16;
/** Longer than any call may take; an engine that ends hands out again by itself. */
const HANDED_OUT_MS = 24 * 60 * 60_000;
/** A call that so many engines ended in is what ends them. */
const MOST_HANDED = 10;
const BUSY_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

export function createLane(fn: string, queue: Queue, options: LaterOptions): Lane {
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let closing = false;

  const pump = () => {
    clearTimeout(timer);
    if (closing) return;
    const free = AT_ONCE - running.size;
    for (const message of free > 0 ? queue.receive(free, HANDED_OUT_MS) : []) {
      const run = make(fn, queue, options, message, () => closing).finally(() => {
        running.delete(run);
        pump();
      });
      // What goes wrong on disk is told; the call is handed out again by the next engine.
      run.catch((error: unknown) => options.log(`a call of ${fn} is made again later: ${textOf(error)}`));
      running.add(run);
    }
    const wait = running.size < AT_ONCE ? queue.waitMs() : undefined;
    if (wait !== undefined) timer = setTimeout(pump, Math.min(wait + 1, LONGEST_WAIT_MS));
  };
  const off = queue.onMore(pump);
  pump();
  return {
    queue,
    async close() {
      closing = true;
      clearTimeout(timer);
      off();
      await Promise.allSettled([...running]);
      await queue.close();
    },
  };
}

/** Makes one call, and settles what becomes of it. */
async function make(
  fn: string,
  queue: Queue,
  options: LaterOptions,
  message: Received,
  closing: () => boolean,
): Promise<void> {
  const { activations, caller, tries = 3, retryMs = doubling } = options;
  const { receipt, attempt } = message;
  const body = bodyOf(message);
  const over = async () => {
    // First what became of it, then that it is done: killed in between, it is made again, not forgotten.
    await activations.flush();
    await queue.ack([receipt]);
  };
  const giveUp = async (code: ErrorCode, text: string, again: boolean) => {
    const error = { code, message: text };
    await activations.put({ ...unmade(fn, message, body), status: again ? 'retrying' : 'failed', error });
    if (again) queue.release([receipt], retryMs(attempt));
    else await over();
  };
  if (attempt > MOST_HANDED)
    return giveUp('SFX6107', `the engine ended ${attempt - 1} times while it ran`, false);
  const called = await caller.call(callOf(fn, options, message, body, tries));
  if (called === 'gone') return giveUp('SFX3105', `a version of ${fn} is gone`, false);
  if (called === 'nothing live') return giveUp('SFX6105', `nothing is live for ${fn}`, attempt < tries);
  const { outcome } = called;
  if (outcome.kind !== 'failed') return over();
  // An engine that stops ends calls that could have gone on: the next one makes them again.
  if (closing() && (outcome.why === 'crashed' || outcome.why === 'busy')) return;
  if (outcome.why === 'busy') queue.release([receipt], BUSY_MS, false);
  else if (attempt < tries) queue.release([receipt], retryMs(attempt));
  else await over();
}

/** What the queue keeps is whole, or it does not hand it out; a word of a payload must not reach a log all the same. */
function bodyOf({ id, body }: Received): LaterBody {
  try {
    return JSON.parse(body) as LaterBody;
  } catch {
    throw new Error(`what is kept of ${id} cannot be read`);
  }
}

function callOf(
  fn: string,
  { aliasFor }: LaterOptions,
  { id, attempt, depth, trace }: Received,
  { payload, alias, version, asked }: LaterBody,
  tries: number,
): Call {
  const through = alias ?? aliasFor(fn) ?? '';
  return {
    cause: 'async',
    function: fn,
    ...(version === undefined ? { alias: through } : { version }),
    input: { kind: 'invoke', requestId: id, payload },
    depth,
    ...(trace === undefined ? {} : { trace }),
    attempt,
    asked,
    again: (outcome: Outcome) => outcome.kind === 'failed' && (outcome.why === 'busy' || attempt < tries),
  };
}

function unmade(fn: string, { id, attempt }: Received, { asked }: LaterBody): Kept {
  const none = { version: null, release: null, started: null, durationMs: null, cold: null };
  return {
    id,
    function: fn,
    ...none,
    cause: 'async',
    asked: new Date(asked).toISOString(),
    status: 'failed',
    attempt,
  };
}

function doubling(tries: number): number {
  return Math.min(1_000 * 2 ** (tries - 1), 60_000);
}
