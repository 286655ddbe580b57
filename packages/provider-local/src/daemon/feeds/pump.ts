import type { Queue, Received } from '../queues/messages.js';
import { textOf } from '../refusal.js';

/** How a delivery ended. */
export type Delivered =
  /** `failed`: ids of those that it could not take. */
  | { readonly kind: 'taken'; readonly failed: readonly string[]; readonly why?: string }
  /** None of them was taken. */
  | { readonly kind: 'failed'; readonly why: string }
  /** There was nobody to take them; that is not the messages' fault, and no try of theirs. */
  | { readonly kind: 'nobody'; readonly why: string };

export interface PumpOptions {
  readonly queue: Queue;
  /** Most messages of one delivery. */
  readonly batchSize: number;
  /** How long a batch that is not full is waited for. */
  readonly windowMs: number;
  /** How long a message that is being delivered is hidden from others; infinite: as long as its delivery takes. */
  readonly visibilityMs: number;
  /** Tries until a message is buried. One that failed only in company has one more, alone. */
  readonly tries: number;
  /** Deliveries at once. */
  readonly concurrency: number;
  /** Most deliveries per second; default: no limit. */
  readonly rate?: number;
  deliver(messages: readonly Received[]): Promise<Delivered>;
  /** Why a message is not to be delivered at all; default: all are. */
  refuses?(message: Received): string | undefined;
  /** Takes what was tried in vain. It must be kept elsewhere when this resolves. */
  bury(messages: readonly Received[], why: string): Promise<void>;
  /** Takes what the owner of the function has to know. */
  log(text: string): void;
  /** Milliseconds before the second try, twice as long before each further one, at most a minute; default 1,000. */
  readonly retryMs?: number;
  /** Milliseconds of the first pause after failures in a row, twice as long each, at most half a minute; default 100. */
  readonly brakeMs?: number;
  /** Milliseconds by a clock that nobody sets. */
  readonly clock?: () => number;
}

/** Delivers what is in a queue, until it is closed. */
export interface Pump {
  /** Takes nothing further; what is not over after `graceMs` is given back, and its end does not count any more. */
  close(graceMs: number): Promise<void>;
}

/** Failures in a row after which it slows down. */
const PATIENCE = 3;
const LONGEST_BRAKE_MS = 30_000;
const LONGEST_RETRY_MS = 60_000;
const NOBODY_MS = 500;
const LONGEST_TIMER_MS = 60_000;
/** Deliveries whose acknowledgement is not on disk yet, while further ones are begun. */
const MOST_OWED = 64;

interface State {
  readonly options: PumpOptions;
  readonly clock: () => number;
  readonly running: Map<readonly Received[], Promise<void>>;
  readonly acking: Set<Promise<void>>;
  timer: NodeJS.Timeout | undefined;
  closed: boolean;
  /** What was under way when it was closed was given back. */
  over: boolean;
  failures: number;
  pausedUntil: number;
  /** Since when a batch that is not full waits. */
  waitingSince: number | undefined;
  /** When the next delivery may begin, where there is a rate. */
  nextAt: number;
}

export function startPump(options: PumpOptions): Pump {
  const state: State = {
    options,
    clock: options.clock ?? (() => performance.now()),
    running: new Map(),
    acking: new Set(),
    timer: undefined,
    closed: false,
    over: false,
    failures: 0,
    pausedUntil: 0,
    waitingSince: undefined,
    nextAt: 0,
  };
  const stop = options.queue.onMore(() => take(state));
  take(state);
  return {
    async close(graceMs) {
      state.closed = true;
      stop();
      clearTimeout(state.timer);
      await within(graceMs, settled(state));
      state.over = true;
      const left = [...state.running.keys()].flat().map((message) => message.receipt);
      options.queue.release(left, 0, false);
    },
  };
}

async function settled({ running, acking }: State): Promise<void> {
  while (running.size + acking.size > 0) await Promise.all([...running.values(), ...acking]);
}

async function within(ms: number, act: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([act, over]);
  clearTimeout(timer);
}

function take(state: State): void {
  const { options, running } = state;
  clearTimeout(state.timer);
  state.timer = undefined;
  while (!state.closed && running.size < options.concurrency) {
    const wait = waitOf(state);
    if (wait === undefined) return;
    if (wait > 0) {
      state.timer = setTimeout(() => take(state), Math.min(Math.ceil(wait), LONGEST_TIMER_MS));
      return;
    }
    const messages = options.queue.receive(options.batchSize, options.visibilityMs, 1);
    if (messages.length === 0) return;
    state.waitingSince = undefined;
    if (options.rate !== undefined)
      state.nextAt = Math.max(state.clock(), state.nextAt) + 1_000 / options.rate;
    begin(state, messages);
  }
}

/** Milliseconds until the next delivery may begin; undefined: something else will say so. */
function waitOf(state: State): number | undefined {
  const { queue, batchSize, windowMs, rate } = state.options;
  const now = state.clock();
  const empty = queue.waitMs();
  if (empty === undefined) return undefined;
  const paused = Math.max(state.pausedUntil - now, rate === undefined ? 0 : state.nextAt - now, empty);
  if (paused > 0 || windowMs === 0 || queue.counts().visible >= batchSize) return paused;
  state.waitingSince ??= now;
  return Math.max(0, state.waitingSince + windowMs - now);
}

function begin(state: State, messages: readonly Received[]): void {
  const run = deliver(state, messages)
    .catch((error: unknown) => {
      state.options.log(`messages of ${state.options.queue.name} are tried again: ${textOf(error)}`);
      back(state, messages, true);
    })
    .finally(() => {
      state.running.delete(messages);
      take(state);
    });
  state.running.set(messages, run);
}

async function deliver(state: State, received: readonly Received[]): Promise<void> {
  const { options } = state;
  const messages: Received[] = [];
  for (const message of received) {
    const refused = options.refuses?.(message);
    if (refused === undefined) messages.push(message);
    else await bury(state, [message], refused);
  }
  if (messages.length === 0) return;
  const delivered = await options.deliver(messages);
  if (state.over) return;
  brake(state, delivered);
  if (delivered.kind === 'nobody') return back(state, messages, false);
  const failed =
    delivered.kind === 'failed' ? messages : messages.filter(({ id }) => delivered.failed.includes(id));
  await done(
    state,
    messages.filter((message) => !failed.includes(message)),
  );
  if (failed.length === 0) return;
  // In company it may have been another one's fault.
  const blamed = delivered.kind === 'taken' || messages.length === 1;
  const over = failed.filter(({ attempt }) => attempt >= options.tries && blamed);
  back(
    state,
    failed.filter((message) => !over.includes(message)),
    true,
  );
  if (over.length > 0) await bury(state, over, delivered.why ?? 'the handler said that it failed');
}

/** Failures in a row slow it down: what fails for all is not tried on all of them as fast as it can fail. */
function brake(state: State, delivered: Delivered): void {
  const { options } = state;
  if (delivered.kind === 'nobody') {
    state.pausedUntil = state.clock() + NOBODY_MS;
    return;
  }
  if (delivered.kind === 'taken') {
    if (state.failures > PATIENCE) options.log(`deliveries of ${options.queue.name} are taken again`);
    state.failures = 0;
    return;
  }
  state.failures += 1;
  const over = state.failures - PATIENCE;
  if (over < 0) return;
  if (over === 1)
    options.log(
      `deliveries of ${options.queue.name} fail one after the other: it slows down (${delivered.why})`,
    );
  state.pausedUntil = state.clock() + Math.min((options.brakeMs ?? 100) * 2 ** over, LONGEST_BRAKE_MS);
}

function back(state: State, messages: readonly Received[], counted: boolean): void {
  const { queue, retryMs = 1_000 } = state.options;
  if (!counted) {
    queue.release(
      messages.map((message) => message.receipt),
      0,
      false,
    );
    return;
  }
  for (const { receipt, attempt } of messages)
    queue.release([receipt], Math.min(retryMs * 2 ** Math.min(attempt - 1, 20), LONGEST_RETRY_MS));
}

/** The next delivery does not wait for the disk, as long as not too much is owed to it. */
async function done(state: State, messages: readonly Received[]): Promise<void> {
  if (messages.length === 0) return;
  const { queue, log } = state.options;
  const ack = queue
    .ack(messages.map((message) => message.receipt))
    .catch((error: unknown) =>
      log(`what ${queue.name} delivered may be delivered again after a restart: ${textOf(error)}`),
    )
    .finally(() => state.acking.delete(ack));
  state.acking.add(ack);
  if (state.acking.size > MOST_OWED) await ack;
}

async function bury(state: State, messages: readonly Received[], why: string): Promise<void> {
  try {
    await state.options.bury(messages, why);
    await done(state, messages);
  } catch (error) {
    state.options.log(`dead letters of ${state.options.queue.name} could not be kept: ${textOf(error)}`);
    back(state, messages, true);
  }
}
