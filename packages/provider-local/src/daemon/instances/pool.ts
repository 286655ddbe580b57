import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionConfig } from '../../wire.js';
import type { LogStream } from '../telemetry/logs.js';
import type { Answer } from './calls.js';
import type { Crowd, Member } from './crowd.js';
import { createInflow } from './inflow.js';
import type { InstanceOptions, StartInstance } from './instance.js';
import { type Input, messageOf, type Outcome, outcomeOf } from './outcomes.js';
import { freest, isBlocked, type Lag, newSeat, type Running, type Seat, tookCalls } from './seats.js';

/** The instances of one version. */
export interface Pool {
  call(input: Input): Promise<Outcome>;
  /**
   * Resolves when an instance is ready, or could be at once because the version loaded before; rejects with what the
   * handler said when it does not load.
   */
  warm(): Promise<void>;
  /** Lets calls finish, then stops every instance. The next call starts one again. */
  drain(graceMs: number): Promise<void>;
  /** Stops instances that had nothing to do for a while. */
  sweep(now: number): void;
  instances(): number;
  /** Bytes that its instances used when they last said so. */
  memory(): number;
  /** No longer counted among the others; after `drain`. */
  leave(): void;
}

export interface PoolOptions extends InstanceOptions {
  readonly timeout: number;
  readonly now: () => number;
  readonly crowd: Crowd;
  readonly start: StartInstance;
  log(stream: LogStream, text: string, activation?: string): void;
}

const MOST_INSTANCES = Math.max(2, availableParallelism());
/** Calls that may wait for an instance. */
const MOST_WAITING = 2_000;
const WAIT_MS = 30_000;
/** A call that waits longer is worth another instance. */
const PATIENCE_MS = 10;
/** Instances that may end under a call that they have not begun. */
const MOST_TRIES = 3;
const LOAD_MS = 10_000;
const PONG_MS = 1_000;

interface Waiting {
  readonly input: Input;
  readonly resolve: (outcome: Outcome) => void;
  /** By `performance.now()`. */
  readonly since: number;
  /** No instance was ready when it came. */
  readonly cold: boolean;
  /** Instances that ended before they began it. */
  readonly tries: number;
}

interface State {
  readonly options: PoolOptions;
  readonly member: Member;
  readonly mostInstances: number;
  readonly mostCalls: number;
  readonly seats: Set<Seat>;
  readonly waiting: Set<Waiting>;
  readonly warming: Set<(problem: string | undefined) => void>;
  readonly draining: Set<() => void>;
  readonly lag: Lag;
  nextId: number;
  /** An instance of this version was ready once. */
  loaded: boolean;
  alarm: NodeJS.Timeout | undefined;
  alarmAt: number;
}

export function createPool(options: PoolOptions): Pool {
  const state: State = {
    options,
    member: {
      instances: () => alive(state),
      idleSince: () => idlest(state)?.idleSince,
      stopIdlest() {
        const seat = idlest(state);
        if (seat !== undefined) retire(seat);
      },
      more: () => grow(state),
    },
    mostInstances: options.config.instances ?? MOST_INSTANCES,
    mostCalls: options.config.calls ?? callsOf(options.config),
    seats: new Set(),
    waiting: new Set(),
    warming: new Set(),
    draining: new Set(),
    lag: { ms: Infinity },
    nextId: 1,
    loaded: false,
    alarm: undefined,
    alarmAt: Infinity,
  };
  options.crowd.join(state.member);
  const { idleMs } = options.crowd;
  return {
    call: (input) => new Promise((resolve) => place(state, input, resolve, 0)),
    warm: () => warm(state),
    drain: (graceMs) => drain(state, graceMs),
    sweep(now) {
      for (const seat of state.seats) if (isIdle(seat) && now - seat.idleSince >= idleMs) retire(seat);
    },
    instances: () => state.seats.size,
    memory() {
      let sum = 0;
      for (const seat of state.seats) sum += seat.used;
      return sum;
    },
    leave: () => options.crowd.leave(state.member),
  };
}

/** What one instance works on at once, where the file does not say. */
function callsOf(config: VersionConfig): number {
  if (config.command !== undefined) return 100;
  return config.runtime.startsWith('python') ? 1 : 32;
}

function alive(state: State): number {
  let count = 0;
  for (const seat of state.seats) if (seat.state !== 'retired') count += 1;
  return count;
}

function isIdle(seat: Seat): boolean {
  return seat.state === 'ready' && seat.calls.size === 0;
}

function idlest(state: State): Seat | undefined {
  let found: Seat | undefined;
  for (const seat of state.seats) {
    if (isIdle(seat) && (found === undefined || seat.idleSince < found.idleSince)) found = seat;
  }
  return found;
}

function place(state: State, input: Input, resolve: Waiting['resolve'], tries: number): void {
  const now = performance.now();
  if (state.waiting.size === 0) {
    const seat = freest(state.seats, state.mostCalls, state.lag, now);
    if (seat !== undefined) {
      start(state, seat, { input, resolve, since: now, cold: false, tries }, now);
      return;
    }
  }
  if (state.waiting.size >= MOST_WAITING) {
    resolve({ kind: 'failed', why: 'busy', message: `${state.waiting.size} calls wait already` });
    return;
  }
  const cold = ![...state.seats].some((seat) => seat.state === 'ready');
  state.waiting.add({ input, resolve, since: now, cold, tries });
  if (cold || [...state.seats].every((seat) => isBlocked(seat, now))) grow(state);
  wakeAt(state, now + PATIENCE_MS);
}

/** Starts another instance, unless one is on its way. */
function grow(state: State): void {
  if (state.waiting.size === 0 && state.warming.size === 0) return;
  for (const seat of state.seats) if (seat.state === 'loading') return;
  if (alive(state) < state.mostInstances && state.options.crowd.mayOpen(state.member)) open(state);
}

function start(state: State, seat: Seat, call: Waiting, now: number): void {
  const { timeout } = state.options;
  const { input, resolve, cold, tries } = call;
  const id = state.nextId++;
  if (seat.sent === seat.took) seat.sentAt = now;
  seat.sent += 1;
  seat.calls.set(id, { input, resolve, nth: seat.sent, due: now + timeout, cold, tries });
  seat.instance.send(messageOf(input, id, state.options.now() + timeout));
  wakeAt(state, now + timeout);
}

/** One timer for everything that a pool waits for: it is set anew only for what is due earlier. */
function wakeAt(state: State, at: number): void {
  if (at >= state.alarmAt) return;
  clearTimeout(state.alarm);
  state.alarmAt = at;
  state.alarm = setTimeout(look, Math.max(1, Math.ceil(at - performance.now())), state);
}

function look(state: State): void {
  state.alarmAt = Infinity;
  const now = performance.now();
  for (const seat of state.seats) {
    for (const [id, running] of seat.calls) {
      if (running.due > now) {
        wakeAt(state, running.due);
        break;
      }
      overrun(state, seat, id);
    }
  }
  for (const waiting of state.waiting) {
    if (waiting.since + WAIT_MS > now) break;
    state.waiting.delete(waiting);
    waiting.resolve({
      kind: 'failed',
      why: 'busy',
      message: `no instance was free within ${WAIT_MS / 1000} s`,
    });
  }
  if (state.waiting.size === 0) return;
  fill(state);
  if (state.waiting.size > 0) wakeAt(state, now + PATIENCE_MS);
}

/**
 * A call is over its time. Its instance takes no further one, since what it left behind would pile up there; one that
 * does not even answer a ping runs in a loop and is stopped at once, the others finish their calls first.
 */
function overrun(state: State, seat: Seat, id: number): void {
  const { timeout } = state.options;
  settle(state, seat, id, { kind: 'failed', why: 'timeout', message: `it took longer than ${timeout} ms` });
  state.options.log('engine', `a call took longer than ${timeout} ms; the instance is replaced`);
  seat.state = 'retired';
  if (seat.alarm === undefined) {
    seat.alarm = setTimeout(() => seat.instance.terminate(), PONG_MS);
    seat.instance.ping();
  }
}

/** The end of a call, or of its streamed answer. */
function settle(state: State, seat: Seat, id: number, outcome: Outcome): void {
  const running = seat.calls.get(id);
  if (running === undefined) return;
  seat.calls.delete(id);
  if (running.inflow !== undefined)
    running.inflow.end(outcome.kind === 'failed' ? outcome.message : undefined);
  else running.resolve(running.cold ? { ...outcome, cold: true } : outcome);
  if (seat.calls.size === 0) seat.idleSince = state.options.now();
}

function open(state: State): void {
  const { options } = state;
  let problem: string | undefined;
  const instance = options.start(options, {
    ready: () => {
      if (seat.state !== 'loading') return;
      clearTimeout(seat.alarm);
      seat.alarm = undefined;
      seat.state = 'ready';
      seat.idleSince = options.now();
      state.loaded = true;
      for (const done of state.warming) done(undefined);
      state.warming.clear();
      fill(state);
      options.crowd.relieve();
    },
    unloadable: (message) => {
      problem = message;
      instance.terminate();
    },
    took: (calls) => {
      tookCalls(seat, calls, state.lag, performance.now());
      if (state.waiting.size > 0) fill(state);
    },
    answered: (answer) => answered(state, seat, answer),
    chunk: (id, bytes) => seat.calls.get(id)?.inflow?.put(bytes),
    ended: (id, why) => {
      settle(state, seat, id, why === undefined ? WHOLE : { kind: 'failed', why: 'threw', message: why });
      freed(state, seat);
    },
    pong: () => {
      clearTimeout(seat.alarm);
      seat.alarm = undefined;
      if (seat.state === 'retired') retire(seat);
    },
    used: (bytes) => {
      seat.used = bytes;
    },
    gone: (why, begun) => closed(state, seat, problem ?? why, begun),
    wrote: options.log,
  });
  const seat = newSeat(instance, options.now());
  seat.alarm = setTimeout(() => {
    problem = `it did not load within ${LOAD_MS / 1000} s`;
    instance.terminate();
  }, LOAD_MS);
  state.seats.add(seat);
}

/** How a streamed answer ends: whoever has its chunks has its outcome. */
const WHOLE: Outcome = { kind: 'json', text: '' };

function answered(state: State, seat: Seat, answer: Answer): void {
  const [id] = answer;
  const running = seat.calls.get(id);
  if (running === undefined) return;
  const outcome = outcomeOf(answer, () => streamed(state, seat, id, running));
  if (running.inflow !== undefined) {
    running.resolve(running.cold ? { ...outcome, cold: true } : outcome);
    return;
  }
  settle(state, seat, id, outcome);
  freed(state, seat);
}

function streamed(state: State, seat: Seat, id: number, running: Running): AsyncIterable<Uint8Array> {
  running.inflow = createInflow({
    taken: (bytes) => seat.instance.taken(id, bytes),
    stopped() {
      if (!seat.calls.has(id)) return;
      seat.instance.cancel(id);
      settle(state, seat, id, WHOLE);
      freed(state, seat);
    },
  });
  return running.inflow.chunks;
}

/** It has one call less. */
function freed(state: State, seat: Seat): void {
  if (seat.state === 'retired' || state.options.crowd.shouldYield(state.member)) retire(seat);
  else if (state.waiting.size > 0) fill(state);
}

function fill(state: State): void {
  const now = performance.now();
  for (const waiting of state.waiting) {
    const seat = freest(state.seats, state.mostCalls, state.lag, now);
    if (seat === undefined) {
      if (now - waiting.since >= PATIENCE_MS) grow(state);
      return;
    }
    state.waiting.delete(waiting);
    start(state, seat, waiting.cold || seat.sent > 0 ? waiting : { ...waiting, cold: true }, now);
  }
}

/** No further calls; stops when the last one is done. */
function retire(seat: Seat): void {
  seat.state = 'retired';
  if (seat.calls.size === 0) seat.instance.terminate();
}

function closed(state: State, seat: Seat, why: string, begun: number | undefined): void {
  const wasLoading = seat.state === 'loading';
  const unexpected = wasLoading || seat.calls.size > 0 || seat.state === 'ready';
  clearTimeout(seat.alarm);
  state.seats.delete(seat);
  if (unexpected)
    state.options.log('engine', wasLoading ? `did not load: ${why}` : `an instance stopped: ${why}`);
  const ids = [...seat.calls.keys()];
  for (const id of ids) if (seat.calls.get(id)!.nth > (begun ?? seat.sent)) again(state, seat, id);
  for (const id of ids) settle(state, seat, id, { kind: 'failed', why: 'crashed', message: why });
  if (wasLoading) unloadable(state, why);
  else grow(state);
  state.options.crowd.left();
  if (state.seats.size === 0) {
    for (const done of state.draining) done();
    state.draining.clear();
  }
}

/** A call that its instance never began goes to another, unless that happened too often, or the version ends. */
function again(state: State, seat: Seat, id: number): void {
  const running = seat.calls.get(id);
  if (running === undefined || running.tries >= MOST_TRIES || state.draining.size > 0) return;
  seat.calls.delete(id);
  place(state, running.input, running.resolve, running.tries + 1);
}

/** What waits for an instance that cannot load would wait in vain: the next one would not load either. */
function unloadable(state: State, why: string): void {
  for (const done of state.warming) done(why);
  state.warming.clear();
  if ([...state.seats].some((seat) => seat.state === 'ready')) return;
  for (const waiting of state.waiting) waiting.resolve({ kind: 'failed', why: 'unloadable', message: why });
  state.waiting.clear();
}

function warm(state: State): Promise<void> {
  if ([...state.seats].some((seat) => seat.state === 'ready')) return Promise.resolve();
  // Going back to a hundred functions need not start a hundred threads: a first call starts one in its own time.
  if (state.loaded && state.options.crowd.isFull()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    state.warming.add((problem) => (problem === undefined ? resolve() : reject(new Error(problem))));
    grow(state);
  });
}

async function drain(state: State, graceMs: number): Promise<void> {
  // A call that chose this version before a flip may still wait for an instance to load.
  for (let waited = 0; state.waiting.size > 0 && waited < graceMs; waited += 20) await sleep(20);
  for (const seat of state.seats) {
    if (seat.state === 'loading') seat.instance.terminate();
    else retire(seat);
  }
  if (state.seats.size === 0) return;
  const emptied = new Promise<void>((resolve) => state.draining.add(resolve));
  const timer = setTimeout(() => {
    for (const seat of state.seats) seat.instance.terminate();
  }, graceMs);
  await emptied;
  clearTimeout(timer);
}
