import type { Digest } from '../json.js';
import type { RolloutStep } from '../release/rollout.js';
import type { Qualified } from '../state/documents.js';

export const PLAN_VERSION = 1;

export interface Change {
  readonly area: 'function' | 'trigger' | 'resource';
  readonly action: 'add' | 'change' | 'move' | 'remove' | 'keep';
  /** As in serverless.yml: a function's name, a trigger's source, a resource's id. */
  readonly name: string;
  /** `code`, `config memory 256 -> 512`, `-> checkout`. */
  readonly why: string;
  /** When it takes effect, if not with the flip: `waits for promote`, `removed after the bake`. */
  readonly when?: string;
  /** Removes or replaces something that people may miss. */
  readonly destroys?: true;
}

export interface Asked {
  /** `--canary` */
  readonly canary?: number;
  /** `--function` */
  readonly functions?: readonly string[];
  /** `--expand` */
  readonly expand?: 'early' | 'late';
  /** `--tag` */
  readonly tag?: string;
}

/**
 * What a release would do, as a value: pure data, no secret. It can be saved; applying it later compares `bound`
 * with what is there then and refuses when that moved (SFX4201).
 */
export interface Plan {
  readonly version: typeof PLAN_VERSION;
  readonly kind: 'deploy' | 'rollback';
  readonly service: string;
  readonly stage: string;
  readonly providers: readonly { readonly name: string; readonly where: string; readonly as?: string }[];
  /** Of a rollback: the release it goes to. */
  readonly of?: number;
  /** The number this release would take. */
  readonly number: number;
  readonly base: number | null;
  /** Content digest of the release. */
  readonly digest: Digest;
  readonly bound: {
    readonly config: Digest;
    readonly units: Readonly<Record<Qualified, Digest>>;
    readonly live: number | null;
    readonly open: number | null;
    readonly next: number;
    /** Over the tables of every alias, as read. */
    readonly tables: Digest;
  };
  /** Options of the command line that shaped it; a deploy of the saved plan takes them from here. */
  readonly asked: Asked;
  readonly empty: boolean;
  readonly changes: readonly Change[];
  /** Units of which a new version is staged, unqualified where there is one provider. */
  readonly staged: readonly string[];
  readonly steps: readonly RolloutStep[];
  /** Triggers that wait for promote. */
  readonly waits: readonly string[];
  readonly effort: { readonly writes: number };
  readonly undo: { readonly writes: number; readonly takesBack: readonly string[] };
  /** Things that hold data and stay whatever happens. */
  readonly kept: readonly string[];
  readonly warnings: readonly string[];
}
