import assert from 'node:assert/strict';
import { isSfxError } from '../../src/errors.js';
import type { Digest } from '../../src/json.js';
import { unitDigests } from '../../src/plan/digests.js';
import type { Intent } from '../../src/plan/intent.js';
import type { Call, Run } from '../../src/run.js';
import type { Entry, Head, Release } from '../../src/state/documents.js';
import type { SimulatedRun } from '../../src/testing/index.js';
import type { Bench } from './harness.js';

export const rejectsWith =
  (code: string, text = /./) =>
  (error: unknown) => {
    assert.ok(isSfxError(error), String(error instanceof Error ? error.stack : error));
    assert.equal(error.code, code, error.message);
    assert.match(`${error.message} ${error.details.hint ?? ''}`, text);
    return true;
  };

export interface Hooks {
  /** Before each call of this actor; the call waits for it. */
  readonly before?: (call: Call) => Promise<void> | void;
  /** Before each sleep of this actor. */
  readonly sleeps?: (ms: number) => Promise<void> | void;
}

/** The same actor, with something happening in between. */
export function hooked(run: SimulatedRun, hooks: Hooks): Run {
  return {
    ...run,
    async call(call, act) {
      await hooks.before?.(call);
      return run.call(call, act);
    },
    async sleep(ms, until) {
      await hooks.sleeps?.(ms);
      return run.sleep(ms, until);
    },
  };
}

/** Does `act` once, before the first call that `when` names. */
export function once(
  when: (call: Call) => boolean,
  act: (call: Call) => Promise<unknown> | unknown,
): Hooks['before'] {
  let done = false;
  return async (call) => {
    if (done || !when(call)) return;
    done = true;
    await act(call);
  };
}

/** Writes to a provider: what state writes are left out. */
export const toProvider = (call: Call) => call.writes && !call.op.startsWith('store.');

/** Whether a call is `op`, or a part of it. */
export const isOp = (op: string) => (call: Call) => call.op === op || call.op.startsWith(`${op}.`);

const stored = <T>(b: Bench, part: string): T[] =>
  Object.entries(b.world.read().store)
    .filter(([key]) => key.includes(`/prod/${part}`))
    .sort(([a], [c]) => (a < c ? -1 : 1))
    .map(([, at]) => at.value as unknown as T);

export const journalOf = (b: Bench) => stored<Entry>(b, 'journal/');
export const releasesIn = (b: Bench) => stored<Release>(b, 'releases/');
export const headIn = (b: Bench): Head => stored<Head>(b, 'head')[0]!;

/** Digests of the versions of a unit that the provider has. */
export function versionsAt(b: Bench, unit: string): Digest[] {
  return Object.values(b.world.read().versions)
    .filter((version) => version.unit === unit)
    .sort((a, c) => a.serial - c.serial)
    .map((version) => version.digest);
}

/** What a unit's version must be in a release of `intent`. */
export function digestIn(intent: Intent, unit: string): Digest {
  return unitDigests(intent.irs, intent.artifacts)[`memory/${unit}`]!;
}

/** A turn of the event loop, again and again, until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    assert.ok(turns < 100_000, 'it never came to that');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
