import { isSfxError } from '../errors.js';
import type { StepName } from '../events.js';
import type { SecretValues } from '../model/service.js';
import type { Artifact, Scope } from '../provider/contract.js';
import type { Run } from '../run.js';
import type { Entry, Qualified, Release } from '../state/documents.js';
import type { StageState } from '../state/stage-state.js';
import type { Fleet } from './fleet.js';
import type { Holding } from './holding.js';

/** What every part of the protocol works with. */
export interface Context {
  readonly run: Run;
  readonly scope: Scope;
  readonly state: StageState;
  readonly fleet: Fleet;
  /** Values of `$secret` refs; absent in an empty folder. */
  readonly secrets?: SecretValues;
  /** Folder of the configuration; absent in an empty folder. Commands of checks run there. */
  readonly dir?: string;
  /** Built code by unit, or undefined when it is not at hand. */
  readonly artifact?: (unit: Qualified, digest: string) => Promise<Artifact | undefined>;
}

/** A release under way, its base, and what its journal says so far. */
export interface Work {
  readonly release: Release;
  readonly base: Release | undefined;
  readonly entries: Entry[];
}

/** Work under a lease. */
export interface Held extends Work {
  readonly holding: Holding;
}

export interface Step {
  progress(done: number, total: number): void;
}

/**
 * Runs one step that people see: start, progress, end or failure, with its time. `act` answers the line to show;
 * undefined when there was nothing to do, which ends the step with an empty text.
 */
export async function step(
  run: Run,
  name: StepName,
  act: (step: Step) => Promise<string | undefined>,
  total?: number,
): Promise<void> {
  const began = run.now();
  run.emit({ code: 'step.start', step: name, ...(total === undefined ? {} : { total }) });
  try {
    const text = await act({
      progress: (done, of) => run.emit({ code: 'step.progress', step: name, done, total: of }),
    });
    run.emit({ code: 'step.end', step: name, text: text ?? '', ms: run.now() - began });
  } catch (error) {
    const interrupted = isSfxError(error) && error.code === 'SFX4120';
    run.emit({
      code: 'step.fail',
      step: name,
      text: interrupted ? 'interrupted' : 'failed',
      ms: run.now() - began,
    });
    throw error;
  }
}

export async function append(held: Held, body: Parameters<Holding['append']>[1]): Promise<void> {
  held.entries.push(await held.holding.append(held.release.number, body));
}
