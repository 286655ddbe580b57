import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { isName } from '../../names.js';
import { namesIn } from '../disk.js';
import type { Queue } from '../queues/queue.js';
import { refusal, textOf } from '../refusal.js';
import type { Activations, Kept } from './activations.js';
import type { Call, Caller } from './caller.js';
import { MOST_DEPTH } from './failures.js';
import { createLane, type Lane } from './later-lane.js';

/** Where a call goes that is made later. */
export interface Aim {
  /** One of both; without them, the alias that has a row for the function when the call is made. */
  readonly alias?: string;
  readonly version?: string;
  /** Calls of functions that led to this one. */
  readonly depth?: number;
  /** `traceparent` of whoever asked. */
  readonly trace?: string;
}

/** Calls that nobody waits for. Once accepted they are made at least once, also when the engine is killed meanwhile. */
export interface Later {
  /**
   * Answers the activation's id once the call is on disk. `payload`: JSON as text. Throws SFX6112 (the chain of calls is too
   * long), SFX6012 (the payload is too large), SFX6013 (too many wait), SFX6004 (the disk is full), SFX6001 (it stops).
   */
  accept(fn: string, payload: string, aim: Aim): Promise<string>;
  /** Goes on with what was accepted before. */
  resume(): Promise<void>;
  /** Takes no further call, waits for those that run; what is left over is made by the next engine. */
  close(): Promise<void>;
}

export interface LaterOptions {
  /** One folder per function in it. */
  readonly dir: string;
  readonly now: () => number;
  readonly caller: Caller;
  readonly activations: Activations;
  /** The alias that has a row for a function now. */
  aliasFor(fn: string): string | undefined;
  openQueue(dir: string, name: string): Promise<Queue>;
  /** For the engine's own log; never told a payload. */
  readonly log: (text: string) => void;
  /** Tries in all; default 3. */
  readonly tries?: number;
  /** Milliseconds before the next try, after so many; default 1 s, 2 s, 4 s … */
  readonly retryMs?: (tries: number) => number;
}

/** What is kept of a call in its queue. */
export interface LaterBody {
  readonly payload: string;
  readonly alias?: string;
  readonly version?: string;
  /** Milliseconds since 1970. */
  readonly asked: number;
}

export function createLater(options: LaterOptions): Later {
  const { dir, now, activations, log } = options;
  const lanes = new Map<string, Promise<Lane>>();
  let closed = false;

  const laneOf = (fn: string): Promise<Lane> => {
    let lane = lanes.get(fn);
    if (lane === undefined) {
      lane = options.openQueue(join(dir, fn), `later/${fn}`).then((queue) => createLane(fn, queue, options));
      lanes.set(fn, lane);
      // One that could not be opened is tried again by the next call.
      lane.catch(() => lanes.delete(fn));
    }
    return lane;
  };
  return {
    async accept(fn, payload, { alias, version, depth = 0, trace }) {
      if (closed) throw refusal(503, 'SFX6001', 'the engine stops');
      if (!isName(fn)) throw refusal(400, 'SFX6007', `not a name: ${JSON.stringify(fn)}`);
      const [id, asked] = [randomUUID(), now()];
      if (depth > MOST_DEPTH) {
        const message = `${fn} was called in a chain of more than ${MOST_DEPTH} calls`;
        await activations.put({
          ...waiting(id, fn, asked),
          status: 'failed',
          error: { code: 'SFX6112', message },
        });
        throw refusal(508, 'SFX6112', message);
      }
      const lane = await laneOf(fn);
      const body: LaterBody = { payload, asked, ...(alias && { alias }), ...(version && { version }) };
      const message = { id, body: JSON.stringify(body), depth, ...(trace && { trace }) };
      // Before the queue: a state that comes later must find this one before it.
      const told = activations.put(waiting(id, fn, asked));
      try {
        await lane.queue.send([message]);
      } catch (error) {
        const code = (error as { code?: string }).code ?? 'SFX6004';
        const failure = { code, message: textOf(error) };
        await activations.put({ ...waiting(id, fn, asked), status: 'failed', error: failure });
        throw error;
      }
      await told;
      return id;
    },
    async resume() {
      for (const fn of (await namesIn(dir)).filter(isName)) {
        await laneOf(fn).catch((error: unknown) => log(`calls of ${fn} that wait: ${textOf(error)}`));
      }
    },
    async close() {
      closed = true;
      const open = await Promise.allSettled(lanes.values());
      await Promise.all(open.map((lane) => (lane.status === 'fulfilled' ? lane.value.close() : undefined)));
    },
  };
}

function waiting(id: string, fn: string, asked: number): Kept {
  return {
    id,
    function: fn,
    version: null,
    release: null,
    cause: 'async' satisfies Call['cause'],
    asked: new Date(asked).toISOString(),
    started: null,
    durationMs: null,
    cold: null,
    status: 'waiting',
    attempt: 0,
  };
}
