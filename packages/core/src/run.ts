import type { Event } from './events.js';

/** What a call to the outside does; a test decides by it where to cut. */
export interface Call {
  /** `versions.stage`, `traffic.set`, `store.put`, … */
  readonly op: string;
  /** The unit, alias, resource or key that is meant. */
  readonly on: string;
  readonly writes: boolean;
}

/** Who runs this command, as far as the machine can tell. */
export interface Holder {
  /** Shown to people: `ana@laptop`, `ci run 9001 on runner-7`. */
  readonly name: string;
  /** Host, boot, process namespace, process and its start: enough to know whether it is dead. */
  readonly process: string;
}

/** A program that is run, and for how long at most. */
export interface Exec {
  /** One line for the shell, or a program with its arguments. */
  readonly command: string | readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds; then it is ended with all that it started. */
  readonly timeoutMs: number;
  /**
   * `inherit`: what it writes goes where this process writes. Else each piece is handed over as it comes. Its end is kept
   * only then.
   */
  readonly output: 'inherit' | ((text: string, from: 'stdout' | 'stderr') => void);
}

/** How a program ended. */
export interface Executed {
  /** `time` and `interrupted`: it was ended, with all that it started. */
  readonly as: 'exit' | 'signal' | 'time' | 'interrupted';
  /** Null unless it ended by itself. */
  readonly exit: number | null;
  /** The last lines of what it wrote. */
  readonly tail: readonly string[];
}

/**
 * The one door to everything that is not pure: time, randomness, environment, and each call to a provider or a store.
 * A test that passes its own `Run` stops the clock, cuts a connection, or kills the process at any call.
 */
export interface Run {
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly holder: Holder;
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Resolves after `ms`, or rejects with SFX4120 when the run's signal aborts.
   * When `until` aborts it resolves at once: what was waited for has come.
   */
  sleep(ms: number, until?: AbortSignal): Promise<void>;
  /** Random hexadecimal text of `bytes` bytes. */
  random(bytes: number): string;
  emit(event: Event): void;
  /** Every call to a provider or a store goes through here. */
  call<T>(call: Call, act: () => Promise<T>): Promise<T>;
  /** Runs a program to its end, and nothing of it stays. When the run is interrupted, so is it. SFX1011: it did not start. */
  exec(program: Exec): Promise<Executed>;
  /** Whether the process of a holder is known to be gone. `unknown` when it is on another machine. */
  isGone(holder: Holder): boolean | 'unknown';
}
