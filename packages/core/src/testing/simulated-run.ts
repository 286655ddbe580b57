import { setMaxListeners } from 'node:events';
import { fail } from '../errors.js';
import type { Event } from '../events.js';
import type { Holder, Run } from '../run.js';
import { type CallRecord, type Fault, type FaultInjector, faultInjector } from './faults.js';
import { randomHex, seededRandom } from './random.js';
import { type Timeline, timeline } from './timeline.js';

export interface ActorOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly faults?: readonly Fault[];
  /** What programs do that are run; default: none can be run (SFX1011). */
  readonly exec?: Run['exec'];
  /** Actors of another machine cannot tell whether this one is dead. Default `machine`. */
  readonly machine?: string;
}

export interface ClockOptions {
  /** Milliseconds since 1970; default 2030-01-01. */
  readonly start?: number;
  readonly seed?: string | number;
}

/** One virtual time that several actors share; it goes on only when none of them can run. */
export interface SimulatedClock {
  now(): number;
  /** A process of its own name. A name used again is a new process. */
  run(name: string, options?: ActorOptions): SimulatedRun;
  /** Nobody who sleeps is woken any more: for the end of a test that leaves frozen or cut off actors behind. */
  stop(): void;
  /** Overrides what `isGone` says of a process (`Holder.process`); `undefined` takes it back. */
  setGone(process: string, gone: boolean | 'unknown' | undefined): void;
}

/** How the work of one actor ended. */
export type Performed<T> =
  | { readonly ended: 'done'; readonly value: T }
  | { readonly ended: 'failed'; readonly error: unknown }
  | { readonly ended: 'killed' };

export interface SimulatedRun extends Run {
  readonly clock: SimulatedClock;
  readonly events: readonly Event[];
  /** Every call made, in order. */
  readonly calls: readonly CallRecord[];
  readonly faults: FaultInjector;
  /** As Ctrl-C: sleeps end with SFX4120. */
  abort(): void;
  /** As SIGKILL: no call, sleep or event of this actor does or answers anything any more. */
  kill(): void;
  readonly killed: boolean;
  /** As SIGSTOP for `ms` of virtual time. */
  freeze(ms: number): void;
  /** Runs `work` until it ends or the actor is killed. */
  perform<T>(work: (run: SimulatedRun) => Promise<T>): Promise<Performed<T>>;
}

export function simulatedClock(options: ClockOptions = {}): SimulatedClock {
  const time = timeline(options.start ?? Date.UTC(2030, 0, 1));
  const actors = new Map<string, { readonly machine: string; readonly run: SimulatedRun }>();
  const told = new Map<string, boolean | 'unknown'>();
  const names = new Map<string, number>();

  function isGone(holder: Holder, machine: string): boolean | 'unknown' {
    const said = told.get(holder.process);
    if (said !== undefined) return said;
    const actor = actors.get(holder.process);
    return actor === undefined || actor.machine !== machine ? 'unknown' : actor.run.killed;
  }

  const clock: SimulatedClock = {
    now: time.now,
    stop: time.stop,
    setGone(process, gone) {
      if (gone === undefined) told.delete(process);
      else told.set(process, gone);
    },
    run(name, actorOptions = {}) {
      const nth = (names.get(name) ?? 0) + 1;
      names.set(name, nth);
      const machine = actorOptions.machine ?? 'machine';
      const holder = { name, process: `${machine}/${name}/${nth}` };
      const run = actor(clock, time, holder, actorOptions, {
        random: seededRandom(`${options.seed ?? 1}/${holder.process}`),
        isGone: (other) => isGone(other, machine),
      });
      actors.set(holder.process, { machine, run });
      return run;
    },
  };
  return clock;
}

interface Surroundings {
  readonly random: () => number;
  readonly isGone: (holder: Holder) => boolean | 'unknown';
}

const never = <T>(): Promise<T> => new Promise<T>(() => {});

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: what one process is, around the state that its parts share
function actor(
  clock: SimulatedClock,
  time: Timeline,
  holder: Holder,
  options: ActorOptions,
  around: Surroundings,
): SimulatedRun {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const faults = faultInjector(options.faults);
  const events: Event[] = [];
  const onKill = new Set<() => void>();
  let killed = false;
  let frozenUntil = 0;
  let underWay = 0;

  /** Stands here while frozen, for ever once killed. */
  async function alive(): Promise<void> {
    while (!killed && time.now() < frozenUntil) await timer(frozenUntil);
    if (killed) await never();
  }
  const timer = (due: number) =>
    new Promise<void>((resolve) => {
      time.at(due, resolve);
    });

  const sleep = async (ms: number, until?: AbortSignal): Promise<void> => {
    await alive();
    const wait = () => cancellable(time, controller.signal, ms, until);
    // A sleep that something else may end (a heartbeat) is never part of a call.
    await (underWay > 0 && until === undefined ? time.letGo(wait) : wait());
    await alive();
  };
  const inCall = async <T>(act: () => Promise<T>): Promise<T> => {
    underWay += 1;
    try {
      return await time.hold(act);
    } finally {
      underWay -= 1;
    }
  };
  const kill = () => {
    killed = true;
    for (const end of onKill) end();
  };
  const effects = {
    sleep,
    kill: () => {
      kill();
      return never<never>();
    },
    freeze: (ms: number) => {
      run.freeze(ms);
      return alive();
    },
  };

  const run: SimulatedRun = {
    clock,
    events,
    faults,
    calls: faults.calls,
    signal: controller.signal,
    env: options.env ?? {},
    holder,
    now: time.now,
    random: (bytes) => randomHex(around.random, bytes),
    isGone: around.isGone,
    sleep,
    emit: (event) => void (killed || events.push(event)),
    async call(call, act) {
      await alive();
      try {
        return await faults.around(call, () => inCall(act), effects);
      } finally {
        await alive();
      }
    },
    async exec(program) {
      await alive();
      if (options.exec === undefined) throw fail('SFX1011', 'no program can be run here');
      try {
        return await options.exec(program);
      } finally {
        await alive();
      }
    },
    abort: () => controller.abort(),
    kill,
    get killed() {
      return killed;
    },
    freeze(ms) {
      frozenUntil = Math.max(frozenUntil, time.now() + ms);
    },
    perform: (work) => perform(work, run, onKill),
  };
  return run;
}

/** Rejects when `signal` aborts, resolves when `until` does or the time has come. */
function cancellable(time: Timeline, signal: AbortSignal, ms: number, until?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const interrupt = () => reject(fail('SFX4120', 'interrupted while waiting'));
    if (signal.aborted) return interrupt();
    if (until?.aborted) return resolve();
    const ending = (end: () => void) => () => {
      takeBack();
      signal.removeEventListener('abort', onAbort);
      until?.removeEventListener('abort', onUntil);
      end();
    };
    const onAbort = ending(interrupt);
    const onUntil = ending(resolve);
    const takeBack = time.at(time.now() + Math.max(0, ms), ending(resolve));
    signal.addEventListener('abort', onAbort);
    until?.addEventListener('abort', onUntil);
  });
}

function perform<T>(
  work: (run: SimulatedRun) => Promise<T>,
  run: SimulatedRun,
  onKill: Set<() => void>,
): Promise<Performed<T>> {
  return new Promise((resolve) => {
    const end = () => resolve({ ended: 'killed' });
    if (run.killed) return end();
    onKill.add(end);
    work(run).then(
      (value) => resolve({ ended: 'done', value }),
      (error: unknown) => resolve({ ended: 'failed', error }),
    );
  });
}

/** A `Run` on a clock of its own; more actors on the same clock come from `run.clock.run(name)`. */
export function simulatedRun(
  options: ClockOptions & ActorOptions & { readonly name?: string } = {},
): SimulatedRun {
  return simulatedClock(options).run(options.name ?? 'actor', options);
}
