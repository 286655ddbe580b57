import type { Digest } from '../json.js';
import type { Ir, Table, Version } from '../provider/contract.js';
import type { Check, Rollout } from '../release/rollout.js';
import type { Holder } from '../run.js';

/** Version of the documents below. An older sfx that meets a newer number refuses (SFX4108). */
export const STATE_VERSION = 1;

/**
 * Aliases and units are named `provider/id` in state documents, because one release may span several providers.
 */
export type Qualified = string;

export interface By {
  readonly who: string;
  /** ISO 8601. */
  readonly at: string;
  readonly git?: { readonly sha: string; readonly subject?: string; readonly dirty?: true };
}

/** `releases/<number>`: created once, never changed. Holds all that a rollback needs, and no secret. */
export interface Release {
  readonly version: number;
  readonly number: number;
  /** Over IRs and artifacts: the content, whatever the number. */
  readonly digest: Digest;
  readonly kind: 'deploy' | 'rollback' | 'adopt';
  /** Of a rollback: the release that this one equals. */
  readonly of?: number;
  /** The live release that it was planned against. */
  readonly base: number | null;
  /** By provider name. */
  readonly irs: Readonly<Record<string, Ir>>;
  /** By unit; of a unit that kept its version, the digest it had. */
  readonly artifacts: Readonly<Record<Qualified, Digest>>;
  /** By unit: what a version must equal to be the one of this release. */
  readonly units: Readonly<Record<Qualified, Digest>>;
  /** By alias, as read before the first write. */
  readonly undo: Readonly<Record<Qualified, Table>>;
  /** `steps` end with weight 100. */
  readonly rollout: Rollout;
  readonly checks: readonly Check[];
  /** How many releases the rollback window holds. */
  readonly keep: number;
  readonly tag?: string;
  readonly by: By;
}

interface EntryBase {
  readonly version: number;
  readonly seq: number;
  readonly fence: number;
  readonly release: number;
  /** ISO 8601. */
  readonly at: string;
}

export type EntryBody =
  | { readonly kind: 'taken'; readonly by: string; readonly command: string }
  | { readonly kind: 'staged'; readonly versions: Readonly<Record<Qualified, Version>> }
  | { readonly kind: 'triggers'; readonly phase: 'before' | 'after'; readonly dir: 'forward' | 'back' }
  | {
      readonly kind: 'moves';
      readonly dir: 'forward' | 'back';
      readonly step: number;
      readonly moves: Readonly<Record<Qualified, { readonly from: Table; readonly to: Table }>>;
    }
  | {
      readonly kind: 'judged';
      readonly step: number;
      readonly verdict: 'pass' | 'fail' | 'inconclusive';
      readonly reasons: readonly string[];
    }
  | {
      readonly kind: 'paused';
      readonly step: number;
      readonly why: 'gate' | 'time' | 'inconclusive';
      readonly until?: number;
    }
  | {
      readonly kind: 'removing';
      readonly versions: readonly Version[];
      readonly resources: readonly string[];
    }
  | {
      readonly kind: 'ended';
      readonly as: 'live' | 'back' | 'partial' | 'failed';
      readonly tables: Readonly<Record<Qualified, Table | 'unknown'>>;
      readonly why?: string;
    }
  | { readonly kind: 'contracted' };

/** `journal/<seq>`, one sequence per stage, each created once: a lost race is a lost lease. Written before the act. */
export type Entry = EntryBase & EntryBody;

export type ReleaseStatus = 'open' | 'live' | 'superseded' | 'rolled back' | 'failed' | 'partial';

/** One line of a stage's past, kept in head so that `~n` and the default rollback need one read. */
export interface Past {
  readonly number: number;
  readonly digest: Digest;
  readonly kind: Release['kind'];
  readonly of?: number;
  readonly status: ReleaseStatus;
  readonly by: By;
  readonly tag?: string;
  /** Sequence number of its first journal entry. */
  readonly began: number;
  /** Where the `staged` entry with its versions is. */
  readonly staged?: number;
  /** Its documents are not kept any more. */
  readonly forgotten?: true;
  readonly why?: string;
}

export interface Lease {
  readonly fence: number;
  readonly holder: Holder;
  readonly command: string;
  readonly ttlMs: number;
  /** Wall clock of the holder at its last renewal; compared for change only, never with another clock. */
  readonly beat: number;
  readonly wanted?: 'abort';
}

/** `head`: the one document that changes, by compare-and-swap. The lease is in it, so no head write can be stale. */
export interface Head {
  readonly version: number;
  /** Git remote and folder, else the path: who may deploy without `sfx adopt`. */
  readonly origin: string;
  readonly providers: readonly string[];
  readonly next: number;
  readonly live: number | null;
  readonly open: number | null;
  /** Live, but what it no longer needs is not removed yet. */
  readonly contract: number | null;
  /** A removal began: parts of the stage may be gone. Another removal finishes it, an adoption takes what is left. */
  readonly removing?: true;
  /** By alias, as sfx last left them: what is not this is foreign. */
  readonly tables: Readonly<Record<Qualified, Table>>;
  readonly fence: number;
  readonly lease: Lease | null;
  /** Marked under `fence`; removed no sooner than under a later one. `unit` is qualified. */
  readonly retiring: readonly {
    readonly version: Version;
    readonly provider: string;
    readonly fence: number;
  }[];
  readonly tags: Readonly<Record<string, number>>;
  readonly past: readonly Past[];
}
