import { createHash } from 'node:crypto';
import type { TriggerDocument } from '../../wire.js';
import type { Caller, Cause } from '../calls/caller.js';
import type { Outcome } from '../instances/outcomes.js';
import type { Queue, Received } from '../queues/messages.js';
import { textOf } from '../refusal.js';

/** Delivers what a trigger owes, one event per call, until each was taken or was tried three times. */
export interface SinglePump {
  /** Takes nothing further; what is not over after `graceMs` is delivered again by the next one. */
  close(graceMs: number): Promise<void>;
}

export interface SinglePumpOptions {
  readonly queue: Queue;
  readonly trigger: TriggerDocument;
  readonly cause: Cause;
  readonly caller: Caller;
  /** Calls at once. */
  readonly concurrency: number;
  /** Events of one lane are delivered one after the other. Default: no lanes. */
  lane?(message: Received): string;
  /** Milliseconds until the next one may be delivered; 0 takes its turn. Default: always at once. */
  pace?(): number;
  log(text: string): void;
  /** Default 1,000: before the second try; the third waits twice as long. */
  readonly retryMs?: number;
}

export const TRIES = 3;
/** Longer than any call may last; an instance that is stuck is ended by its own limits. */
const HELD_MS = 24 * 3_600_000;
const BUSY_MS = 1_000;
const NOTHING_LIVE_MS = 5_000;
const LONGEST_TIMER = 2 ** 31 - 1;

export function singlePump(options: SinglePumpOptions): SinglePump {
  const { queue } = options;
  const running = new Map<string, Promise<void>>();
  const lanes = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const take = (): void => {
    clearTimeout(timer);
    timer = undefined;
    while (!closed && running.size < options.concurrency) {
      const wait = queue.waitMs();
      if (wait === undefined) return;
      const pause = wait > 0 ? wait : (options.pace?.() ?? 0);
      if (pause > 0) {
        timer = setTimeout(take, Math.min(pause, LONGEST_TIMER));
        return;
      }
      const [message] = queue.receive(1, HELD_MS);
      if (message === undefined) return;
      begin(message);
    }
  };

  const begin = (message: Received): void => {
    const lane = options.lane?.(message);
    const before = lane === undefined ? undefined : lanes.get(lane);
    const run = (before ?? Promise.resolve())
      .then(() =>
        closed ? queue.release([message.receipt], 0, false) : deliver(options, message, () => closed),
      )
      .catch((error: unknown) => {
        options.log(`${options.trigger.id}: ${textOf(error)}`);
        // Nothing to do for one that was taken and could not be acknowledged.
        queue.release([message.receipt], BUSY_MS);
      })
      .finally(() => {
        running.delete(message.receipt);
        if (lane !== undefined && lanes.get(lane) === run) lanes.delete(lane);
        take();
      });
    running.set(message.receipt, run);
    if (lane !== undefined) lanes.set(lane, run);
  };

  const stop = queue.onMore(take);
  take();
  return {
    async close(graceMs) {
      closed = true;
      stop();
      clearTimeout(timer);
      let grace: NodeJS.Timeout | undefined;
      const over = new Promise((resolve) => {
        grace = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.all(running.values()), over]);
      clearTimeout(grace);
      if (running.size > 0) queue.release([...running.keys()], 0, false);
    },
  };
}

async function deliver(options: SinglePumpOptions, message: Received, closed: () => boolean): Promise<void> {
  const { queue, trigger, cause, caller, log, retryMs = 1_000 } = options;
  const again = (outcome: Outcome) =>
    isBusy(outcome) || (failed(outcome) && (message.attempt < TRIES || closed()));
  const answered = await caller.call({
    cause,
    function: trigger.function,
    alias: trigger.alias,
    input: { kind: 'invoke', requestId: message.id, payload: `{"$event":${message.body}}` },
    depth: message.depth,
    trigger: trigger.id,
    attempt: message.attempt,
    asked: message.sentAt,
    again,
  });
  // No version is live, or none has a free instance: not the event's fault, so the try does not count.
  if (answered === 'nothing live' || answered === 'gone')
    return queue.release([message.receipt], NOTHING_LIVE_MS, false);
  const { outcome } = answered;
  // A call that was cut off as the daemon ends is no try either.
  if (failed(outcome) && closed()) return queue.release([message.receipt], 0, false);
  if (isBusy(outcome)) return queue.release([message.receipt], BUSY_MS, false);
  if (again(outcome)) return queue.release([message.receipt], retryMs * 2 ** (message.attempt - 1));
  if (failed(outcome)) log(`${trigger.id} gave up ${message.id} after ${TRIES} tries`);
  await queue.ack([message.receipt]);
}

function isBusy(outcome: Outcome): boolean {
  return outcome.kind === 'failed' && outcome.why === 'busy';
}

function failed(outcome: Outcome): boolean {
  return outcome.kind === 'failed' || (outcome.kind === 'http' && outcome.status >= 300);
}

/** An id in the form of a UUID that is the same for the same parts: what is kept twice after a kill is delivered once. */
export function idOf(...parts: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) % 4]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
