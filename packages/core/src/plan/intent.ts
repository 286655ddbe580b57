import type { Digest } from '../json.js';
import type { Ir } from '../provider/contract.js';
import type { Check, Rollout } from '../release/rollout.js';
import type { By, Qualified } from '../state/documents.js';
import type { Asked } from './plan.js';

/** What somebody wants a stage to become. */
export interface Intent {
  /** By provider name. */
  readonly irs: Readonly<Record<string, Ir>>;
  /** Built code, by unit. */
  readonly artifacts: Readonly<Record<Qualified, Digest>>;
  /** `steps` in normal form; they need not end with weight 100. */
  readonly rollout: Rollout;
  readonly checks: readonly Check[];
  readonly keep: number;
  readonly origin: string;
  readonly by: By;
  readonly tag?: string;
  /** How the command line shaped it. */
  readonly asked?: Asked;
  /** Take a build that was rolled back before. */
  readonly force?: boolean;
}
