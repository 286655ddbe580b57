import type { Plan } from '../plan/plan.js';
import type { Metrics, Table } from '../provider/contract.js';
import type { By, Past, ReleaseStatus } from '../state/documents.js';

export type CommandName = 'deploy' | 'promote' | 'rollback' | 'resume' | 'adopt' | 'remove';

/** How a command that changes a stage ended. */
export type Ending =
  | 'unchanged'
  | 'live'
  | 'canary'
  | 'paused'
  | 'inconclusive'
  | 'rolled back'
  | 'failed'
  | 'partial'
  | 'interrupted'
  | 'adopted'
  | 'removed';

export interface Serving {
  readonly release: number | null;
  readonly percent: number;
}

/** A way on from here with its cost. */
export interface Next {
  readonly label: 'watch' | 'promote' | 'undo' | 'try it' | 'why' | 'forward' | 'back' | 'adopt' | 'refresh';
  readonly command: string;
  readonly writes?: number;
  readonly note?: string;
}

export interface AliasReport {
  readonly alias: string;
  /** `unknown` where it could not be read back. */
  readonly table: Table | 'unknown';
}

/** A trigger that pulls: what calls its function without being asked. */
export interface PullingReport {
  /** `queue orders`, `rate(5 minutes)`. */
  readonly name: string;
  readonly function: string;
}

/** The result document of a command that changes a stage (schemas/outcome). `exit` is the process's exit code. */
export interface Outcome {
  readonly version: 1;
  readonly command: CommandName;
  readonly ending: Ending;
  readonly exit: 0 | 1 | 3 | 4 | 5;
  readonly service: string;
  readonly stage: string;
  readonly release: {
    readonly number: number;
    readonly digest: string;
    readonly status: ReleaseStatus;
    readonly of?: number;
  } | null;
  /** Who gets traffic now; percents of all releases that serve. */
  readonly serving: readonly Serving[];
  /** One sentence that says so. */
  readonly sentence: string;
  /** Named one by one where not all are on one release. */
  readonly aliases?: readonly AliasReport[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    /** Last lines of the program that failed. */
    readonly output?: readonly string[];
  };
  readonly waits: readonly string[];
  readonly leaves: readonly string[];
  readonly writes: number;
  readonly ms: number;
  readonly next: readonly Next[];
  readonly urls: Readonly<Record<string, string>>;
  /** Triggers of the release that pull, where it has some. */
  readonly pulls?: readonly PullingReport[];
  /** Candidate's calls and errors while it had traffic, when it was taken back. */
  readonly hurt?: { readonly calls: number; readonly errors: number };
  readonly warnings: readonly string[];
}

export interface UnitStatus {
  readonly name: string;
  readonly functions: readonly string[];
  readonly stable: string;
  readonly candidate?: string;
  readonly metrics?: { readonly stable?: Metrics; readonly candidate?: Metrics };
}

/** What `sfx status --json` prints (schemas/status.schema.json). */
export interface Status {
  readonly version: 1;
  readonly service: string;
  readonly stage: string;
  readonly provider: string;
  readonly where: string;
  readonly as?: string;
  /** `null`: nothing is live yet. */
  readonly release: {
    readonly number: number;
    readonly digest: string;
    readonly status: ReleaseStatus;
    readonly by: By;
  } | null;
  readonly candidate?: {
    readonly release: number;
    readonly percent: number;
    readonly by: By;
    readonly state: 'open' | 'paused' | 'interrupted' | 'shifting';
  };
  /** `contract`: live, but what is no longer needed is not removed yet. */
  readonly state:
    | 'settled'
    | 'canary'
    | 'paused'
    | 'shifting'
    | 'interrupted'
    | 'partial'
    | 'contract'
    | 'empty';
  readonly units: readonly UnitStatus[];
  readonly urls: Readonly<Record<string, string>>;
  /** Triggers of the live release that pull, where it has some. */
  readonly pulls?: readonly PullingReport[];
  /** Aliases that are not as sfx left them. */
  readonly drift: readonly AliasReport[];
  readonly lease: { readonly holder: string; readonly command: string; readonly since: string } | null;
  readonly metricsByVersion: boolean;
  readonly next: readonly Next[];
  readonly readAt: string;
}

export interface ReleasesReport {
  readonly version: 1;
  readonly service: string;
  readonly stage: string;
  readonly live: number | null;
  readonly open: number | null;
  readonly keep: number;
  readonly releases: readonly (Past & { readonly reachable: boolean })[];
}

export type PlanReport = { readonly plan: Plan; readonly readAt: string };
