import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './calls.js';
import type { Crowd, Member } from './crowd.js';
import type { Instance, InstanceOptions, StartInstance } from './instance.js';
import type { LogStream } from './logs.js';
import { type Input, messageOf, type Outcome, outcomeOf } from './outcomes.js';

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

/** Calls that one instance works on at once. */
const CONCURRENCY = 32;
const MOST_INSTANCES = Math.max(2, availableParallelism());
/** Calls that may wait for an instance. */
const MOST_WAITING = 2_000;
const WAIT_MS = 30_000;
const LOAD_MS = 10_000;
const PONG_MS = 1_000;
const IDLE_MS = 5 * 60_000;

interface Waiting {
  readonly input: Input;
  readonly resolve: (outcome: Outcome) => void;
  readonly timer: NodeJS.Timeout;
}

interface Running {
  readonly resolve: (outcome: Outcome) => void;
  readonly timer: NodeJS.Timeout;
}

interface Seat {
  readonly instance: Instance;
  state: 'loading' | 'ready' | 'retired';
  readonly calls: Map<number, Running>;
  idleSince: number;
  alarm: NodeJS.Timeout | undefined;
}

interface State {
  readonly options: PoolOptions;
  readonly seats: Set<Seat>;
  readonly waiting: Set<Waiting>;
  readonly warming: Set<(problem: string | undefined) => void>;
  readonly draining: Set<() => void>;
  nextId: number;
  /** An instance of this version was ready once. */
  loaded: boolean;
}

export function createPool(options: PoolOptions): Pool {
  const state: State = {
    options,
    seats: new Set(),
    waiting: new Set(),
    warming: new Set(),
    draining: new Set(),
    nextId: 1,
    loaded: false,
  };
  const member: Member = {
    instances: () => [...state.seats].filter((seat) => seat.state !== 'retired').length,
    idleSince: () => idlest(state)?.idleSince,
    stopIdlest() {
      const seat = idlest(state);
      if (seat !== undefined) retire(seat);
    },
  };
  options.crowd.join(member);
  return {
    call: (input) => new Promise((resolve) => place(state, input, resolve)),
    warm: () => warm(state),
    drain: (graceMs) => drain(state, graceMs),
    sweep(now) {
      const seat = idlest(state);
      if (seat !== undefined && now - seat.idleSince > IDLE_MS) retire(seat);
    },
    instances: () => state.seats.size,
    leave: () => options.crowd.leave(member),
  };
}

function idlest(state: State): Seat | undefined {
  let found: Seat | undefined;
  for (const seat of state.seats) {
    if (seat.state !== 'ready' || seat.calls.size > 0) continue;
    if (found === undefined || seat.idleSince < found.idleSince) found = seat;
  }
  return found;
}

function place(state: State, input: Input, resolve: (outcome: Outcome) => void): void {
  const seat = freest(state);
  if (seat !== undefined) {
    start(state, seat, input, resolve);
    return;
  }
  if (state.waiting.size >= MOST_WAITING) {
    resolve({ kind: 'failed', why: 'busy', message: `${state.waiting.size} calls wait already` });
    return;
  }
  const waiting: Waiting = {
    input,
    resolve,
    timer: setTimeout(() => {
      state.waiting.delete(waiting);
      resolve({ kind: 'failed', why: 'busy', message: `no instance was free within ${WAIT_MS / 1000} s` });
    }, WAIT_MS),
  };
  state.waiting.add(waiting);
  grow(state);
}

function freest(state: State): Seat | undefined {
  let best: Seat | undefined;
  for (const seat of state.seats) {
    if (seat.state !== 'ready' || seat.calls.size >= CONCURRENCY) continue;
    if (best === undefined || seat.calls.size < best.calls.size) best = seat;
  }
  return best;
}

/** Starts another instance if those that load will not do for the calls that wait. */
function grow(state: State): void {
  const seats = [...state.seats].filter((seat) => seat.state !== 'retired');
  const loading = seats.filter((seat) => seat.state === 'loading').length;
  const needed = Math.max(Math.ceil(state.waiting.size / CONCURRENCY), state.warming.size > 0 ? 1 : 0);
  if (needed > loading && seats.length < MOST_INSTANCES) open(state);
}

function start(state: State, seat: Seat, input: Input, resolve: (outcome: Outcome) => void): void {
  const { timeout, now } = state.options;
  const id = state.nextId++;
  const timer = setTimeout(() => overrun(state, seat, id), timeout);
  seat.calls.set(id, { resolve, timer });
  seat.instance.send(messageOf(input, id, now() + timeout));
}

/**
 * A call is over its time. Its instance takes no further one, since what it left behind would pile up there; one that
 * does not even answer a ping runs in a loop and is stopped at once, the others finish their calls first.
 */
function overrun(state: State, seat: Seat, id: number): void {
  const { timeout } = state.options;
  settle(seat, id, { kind: 'failed', why: 'timeout', message: `it took longer than ${timeout} ms` });
  state.options.log('engine', `a call took longer than ${timeout} ms; the instance is replaced`);
  seat.state = 'retired';
  if (seat.alarm === undefined) {
    seat.alarm = setTimeout(() => seat.instance.terminate(), PONG_MS);
    seat.instance.ping();
  }
}

function settle(seat: Seat, id: number, outcome: Outcome): void {
  const running = seat.calls.get(id);
  if (running === undefined) return;
  clearTimeout(running.timer);
  seat.calls.delete(id);
  running.resolve(outcome);
}

function open(state: State): void {
  const { options } = state;
  let problem: string | undefined;
  const instance = options.start(options, {
    took: () => undefined,
    chunk: () => undefined,
    ended: () => undefined,
    used: () => undefined,
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
    answered: (answer) => answered(state, seat, answer),
    pong: () => {
      clearTimeout(seat.alarm);
      seat.alarm = undefined;
      if (seat.state === 'retired') retire(seat);
    },
    gone: (why) => closed(state, seat, problem ?? why),
    wrote: options.log,
  });
  const seat: Seat = {
    instance,
    state: 'loading',
    calls: new Map(),
    idleSince: options.now(),
    alarm: undefined,
  };
  seat.alarm = setTimeout(() => {
    problem = `it did not load within ${LOAD_MS / 1000} s`;
    instance.terminate();
  }, LOAD_MS);
  state.seats.add(seat);
}

function answered(state: State, seat: Seat, answer: Answer): void {
  settle(seat, answer[0], outcomeOf(answer, streamless));
  if (seat.state === 'retired') retire(seat);
  else if (state.waiting.size > 0) fill(state);
  if (seat.calls.size === 0) seat.idleSince = state.options.now();
}

function fill(state: State): void {
  for (const waiting of state.waiting) {
    const seat = freest(state);
    if (seat === undefined) {
      grow(state);
      return;
    }
    clearTimeout(waiting.timer);
    state.waiting.delete(waiting);
    start(state, seat, waiting.input, waiting.resolve);
  }
}

/** No further calls; stops when the last one is done. */
function retire(seat: Seat): void {
  seat.state = 'retired';
  if (seat.calls.size === 0) seat.instance.terminate();
}

function closed(state: State, seat: Seat, why: string): void {
  const wasLoading = seat.state === 'loading';
  const unexpected = wasLoading || seat.calls.size > 0 || seat.state === 'ready';
  clearTimeout(seat.alarm);
  state.seats.delete(seat);
  if (unexpected)
    state.options.log('engine', wasLoading ? `did not load: ${why}` : `an instance stopped: ${why}`);
  for (const id of [...seat.calls.keys()]) settle(seat, id, { kind: 'failed', why: 'crashed', message: why });
  if (wasLoading) unloadable(state, why);
  else if (state.waiting.size > 0) grow(state);
  if (state.seats.size === 0) {
    for (const done of state.draining) done();
    state.draining.clear();
  }
}

/** What waits for an instance that cannot load would wait in vain: the next one would not load either. */
function unloadable(state: State, why: string): void {
  for (const done of state.warming) done(why);
  state.warming.clear();
  if ([...state.seats].some((seat) => seat.state === 'ready')) return;
  for (const waiting of state.waiting) {
    clearTimeout(waiting.timer);
    waiting.resolve({ kind: 'failed', why: 'unloadable', message: why });
  }
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

async function* streamless(): AsyncGenerator<Uint8Array> {}
