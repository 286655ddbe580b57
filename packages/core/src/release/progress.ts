import type { Entry, EntryBody } from '../state/documents.js';
import type { VersionsByUnit } from './fleet.js';
import type { RolloutStep } from './rollout.js';

/** How far a release has come, as its journal says. Intents only: what is true is read from the provider. */
export interface Progress {
  readonly staged: VersionsByUnit | undefined;
  /** Sequence number of the `staged` entry. */
  readonly stagedSeq: number | undefined;
  /** Index of the last step whose moves were journaled forward; -1 before the first. */
  readonly step: number;
  /** When those moves were journaled, ISO 8601. */
  readonly movedAt: string | undefined;
  /** Triggers at 100 % were begun. */
  readonly expanded: boolean;
  /** It is being taken back. */
  readonly back: boolean;
  readonly paused: Extract<EntryBody, { kind: 'paused' }> | undefined;
  readonly ended: Extract<EntryBody, { kind: 'ended' }> | undefined;
  readonly contracted: boolean;
  /** Some alias was meant to give the candidate traffic. */
  readonly touched: boolean;
  /** Failed judgements in a row at the present step. */
  readonly failures: number;
}

export function progressOf(entries: readonly Entry[]): Progress {
  const now: { -readonly [K in keyof Progress]: Progress[K] } = {
    staged: undefined,
    stagedSeq: undefined,
    step: -1,
    movedAt: undefined,
    expanded: false,
    back: false,
    paused: undefined,
    ended: undefined,
    contracted: false,
    touched: false,
    failures: 0,
  };
  for (const entry of entries) {
    if (entry.kind !== 'paused')
      now.paused = entry.kind === 'taken' || entry.kind === 'judged' ? now.paused : undefined;
    switch (entry.kind) {
      case 'staged':
        now.staged = entry.versions;
        now.stagedSeq = entry.seq;
        break;
      case 'moves':
        if (entry.dir === 'back') {
          now.back = true;
        } else if (entry.step >= 0) {
          now.step = entry.step;
          now.movedAt = entry.at;
          now.touched = true;
          now.failures = 0;
        }
        break;
      case 'triggers':
        if (entry.dir === 'back') now.back = true;
        else if (entry.phase === 'after') now.expanded = true;
        break;
      case 'paused':
        now.paused = entry;
        break;
      case 'judged':
        now.failures = entry.verdict === 'fail' ? now.failures + 1 : 0;
        break;
      case 'ended':
        now.ended = entry.as === 'partial' ? undefined : entry;
        break;
      case 'contracted':
        now.contracted = true;
        break;
    }
  }
  return now;
}

/** Whether a release still waits where `before` left it: nobody took it on, back or to its end since. */
export function atSamePause(before: readonly Entry[], now: readonly Entry[]): boolean {
  const then = progressOf(before);
  const since = progressOf(now);
  if (since.back || since.ended !== undefined) return false;
  return since.step === then.step && since.paused !== undefined && since.paused.step === then.paused?.step;
}

/** The candidate's percent once the steps up to `index` are done. */
export function percentAt(steps: readonly RolloutStep[], index: number): number {
  let percent = 0;
  for (const next of steps.slice(0, index + 1)) if ('weight' in next) percent = next.weight;
  return percent;
}
