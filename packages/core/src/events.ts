import type { Json } from './json.js';

/** Steps that people see; the order in which they are shown. */
export type StepName =
  | 'build'
  | 'lease'
  | 'infra'
  | 'stage'
  | 'check'
  | 'triggers'
  | 'versions'
  | 'flip'
  | 'judge'
  | 'pause'
  | 'bake'
  | 'contract'
  | 'remove';

/**
 * What core and providers tell a host. `code` is from the table below and never changes its meaning.
 * Events hold no secret: names, numbers and ids only.
 */
export type Event =
  /** Before the first write: where this goes and as whom. */
  | {
      readonly code: 'identity';
      readonly service: string;
      readonly stage: string;
      readonly provider: string;
      readonly where: string;
      readonly as?: string;
      readonly note?: string;
    }
  /** What this release is. */
  | {
      readonly code: 'release';
      readonly number: number;
      readonly after: number | null;
      readonly of?: number;
      readonly git?: { readonly sha: string; readonly subject?: string };
      readonly changed: readonly string[];
      readonly total: number;
    }
  | { readonly code: 'step.start'; readonly step: StepName; readonly text?: string; readonly total?: number }
  | {
      readonly code: 'step.progress';
      readonly step: StepName;
      readonly done: number;
      readonly total: number;
      readonly text?: string;
    }
  | { readonly code: 'step.end'; readonly step: StepName; readonly text: string; readonly ms: number }
  | { readonly code: 'step.fail'; readonly step: StepName; readonly text: string; readonly ms: number }
  /** Somebody else holds the lease, or a pause runs. */
  | { readonly code: 'wait'; readonly why: string; readonly ms: number }
  | {
      readonly code: 'retry';
      readonly op: string;
      readonly on: string;
      readonly ms: number;
      readonly why: string;
    }
  | { readonly code: 'warning'; readonly error: string; readonly message: string; readonly at?: string }
  | {
      readonly code: 'judged';
      readonly release: number;
      readonly percent: number;
      readonly verdict: 'pass' | 'fail' | 'inconclusive';
      readonly reasons: readonly string[];
    }
  /** Every alias after a move, as read back. */
  | {
      readonly code: 'moved';
      readonly release: number;
      readonly percent: number;
      readonly aliases: number;
      readonly confirmed: boolean | 'unknown';
    }
  | { readonly code: 'note'; readonly text: string; readonly data?: Json };

export type EventCode = Event['code'];
