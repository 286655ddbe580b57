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
  /** Whether the process of a holder is known to be gone. `unknown` when it is on another machine. */
  isGone(holder: Holder): boolean | 'unknown';
}
