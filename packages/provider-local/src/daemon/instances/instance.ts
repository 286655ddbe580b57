import type { VersionConfig } from '../../wire.js';
import type { LogStream } from '../telemetry/logs.js';
import type { Answer, HttpCall, InvokeCall, Load } from './calls.js';

/**
 * What an instance tells its pool. An `answered` whose body is `STREAMED` is the head of an answer: `chunk`s follow, and
 * one `ended`. Nothing is told of a call after its end.
 */
export interface InstanceEvents {
  ready(): void;
  unloadable(message: string): void;
  /**
   * How many of the calls sent to it since its start it has begun. One that lags behind has something else to do, and the
   * pool looks for another instance. A backend that begins each call at once says so in `send`.
   */
  took(calls: number): void;
  answered(answer: Answer): void;
  chunk(id: number, bytes: Uint8Array): void;
  /** A streamed answer is whole, or broke off and why. */
  ended(id: number, problem?: string): void;
  pong(): void;
  /** Bytes that it uses now, as far as it can tell. */
  used(bytes: number): void;
  /**
   * Once, however it ended; nothing comes after it. `begun`: how many of the calls sent to it it has begun, where that is
   * certain; the others go to another instance.
   */
  gone(why: string, begun?: number): void;
  /** `activation`: the request id of the call that wrote it, where that is certain. */
  wrote(stream: LogStream, text: string, activation?: string): void;
}

export interface Instance {
  /** A backend may send it together with all others of this turn of the event loop. */
  send(call: HttpCall | InvokeCall): void;
  /** Whoever reads a streamed answer took so many bytes of it; no more than `WINDOW` are on their way untaken. */
  taken(id: number, bytes: number): void;
  /** Nobody waits for this call any more. It may go on; a streamed answer ends, and says so with `ended`. */
  cancel(id: number): void;
  ping(): void;
  /** Ends it, and what it started, at once. `gone` follows. */
  terminate(): void;
}

export interface InstanceOptions {
  readonly name: string;
  /** MB; more ends the instance. */
  readonly memory: number;
  readonly load: Load;
  /** The folder that holds the version's files. */
  readonly folder: string;
  readonly config: VersionConfig;
}

/** Starts an instance; it is ready when `events.ready` was called. Calls are sent to it only then. */
export type StartInstance = (options: InstanceOptions, events: InstanceEvents) => Instance;

/** Bytes of a streamed answer that may be on their way without having been taken. One chunk may go beyond it. */
export const WINDOW = 256 * 1024;
