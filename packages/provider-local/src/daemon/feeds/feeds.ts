import type { Scope } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import type { Caller } from '../calls/caller.js';
import type { Queue } from '../queues/queue.js';

/** What a pulling trigger does while it is enabled. */
export interface Feed {
  /** Takes nothing further, and waits for what is under way. */
  close(graceMs: number): Promise<void>;
  /** Of a schedule: one run now, whatever the time. Resolves with its id once it is kept. */
  run?(): Promise<string>;
}

export interface FeedHost {
  readonly scope: Scope;
  /** Folder of this trigger's own data; it stays while the trigger is disabled and goes when it is removed. */
  readonly dir: string;
  /** Folder of the stage. */
  readonly stageDir: string;
  /** It was not enabled until now: what happened before is not owed. False when the daemon begins. */
  readonly fresh: boolean;
  readonly now: () => number;
  readonly caller: Caller;
  /** The stage's queue of this name, made when it is not there. */
  queue(name: string): Promise<Queue>;
  /** A durable queue that only this trigger has. */
  own(): Promise<Queue>;
  /** Into the log of the version that is stable for the trigger's function. */
  log(text: string): void;
}

/** One per kind of pulling trigger. */
export type FeedFactory = (trigger: TriggerDocument, host: FeedHost) => Promise<Feed>;
