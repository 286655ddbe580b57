import type { Json, JsonObject } from '../json.js';
import type { Check, Rollout } from '../release/rollout.js';

/** Where something was written. Lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Columns that are meant, for the marks below the line. */
  readonly length?: number;
}

/** What one serverless.yml says for one stage, resolved, validated and in its normal form. No provider's words in it. */
export interface Service {
  readonly name: string;
  readonly stage: string;
  /** Absolute folder of the configuration file. */
  readonly dir: string;
  readonly provider: {
    readonly name: string;
    readonly options: JsonObject;
    /** The provider that the file is written for, when another one was asked for. */
    readonly written?: string;
  };
  readonly functions: readonly ServiceFunction[];
  readonly resources: Json;
  readonly rollout: Rollout;
  readonly checks: readonly Check[];
  /** Releases in the rollback window. */
  readonly keep: number;
  /** Where state is kept, when not at the provider; relative to `dir`. */
  readonly state?: { readonly path: string };
  /** Where each JSON pointer (`/functions/list/handler`) was written, as far as known. */
  readonly at: (pointer: string) => Position | undefined;
}

export interface ServiceFunction {
  readonly name: string;
  readonly description?: string;
  /** `src/list.get`: a file without its ending, and the export. Empty where there is a command. */
  readonly handler: string;
  /** A program that serves HTTP on `$PORT`, instead of a handler. */
  readonly command?: readonly string[];
  readonly runtime: string;
  /** MB. */
  readonly memory: number;
  /** Milliseconds. */
  readonly timeout: number;
  /** Values that came from `env`, `opt` or a secret source are refs: `{ $secret: "env:TABLE" }`. */
  readonly environment: Readonly<Record<string, Json>>;
  /** Most instances of a version at once, and calls that one of them works on at once, as far as the file says. */
  readonly concurrency?: { readonly instances?: number; readonly calls?: number };
  /** What keeps instances apart, where a provider leaves the choice. */
  readonly isolation?: 'thread' | 'process';
  readonly events: readonly ServiceEvent[];
  /** Keys that are only one provider's, as written. */
  readonly native: JsonObject;
  readonly bundle: boolean;
  /** Files beside the code, as patterns. */
  readonly include: readonly string[];
  /** JSON pointer in the file. */
  readonly pointer: string;
}

export interface ServiceEvent {
  /** `http`, `schedule`, `queue`, … as written. */
  readonly kind: string;
  readonly props: JsonObject;
  readonly pointer: string;
}

/** The neutral form of an `http` event's props (also of v3's `httpApi` and short forms). */
export interface HttpProps {
  readonly method: string;
  /** Starts with `/`; parameters as `{id}`, a rest as `{rest+}`. */
  readonly path: string;
  readonly cors: null | {
    readonly origins: readonly string[];
    readonly headers: readonly string[];
    readonly methods: readonly string[];
    readonly credentials: boolean;
    readonly maxAge?: number;
  };
  /** A function of the service that is asked before the route's own. */
  readonly authorizer?: Authorizer;
}

export interface Authorizer {
  readonly function: string;
  /** What the decision depends on, all of which must be there: `$request.header.authorization`, `$request.querystring.key`. */
  readonly identity: readonly string[];
  /** How long a decision holds for the same identity; 0: for no other call. */
  readonly ttlMs: number;
  /** `simple`: gets the request, as of an HTTP API. `token`: gets the one value alone. */
  readonly form: 'simple' | 'token';
}

/** Props of a `queue` trigger. What is absent has the provider's default. */
export interface QueueProps {
  readonly queue: string;
  /** Most messages of one call. */
  readonly batchSize?: number;
  /** How long a batch that is not full is waited for. */
  readonly windowMs?: number;
  /** How long a message that was handed out stays hidden from others; absent, on the local engine: until its call ends. */
  readonly visibilityMs?: number;
  /** How often a message is tried before it is a dead letter. */
  readonly maxReceives?: number;
  /** Queue for messages that were tried in vain. */
  readonly deadLetter?: string;
  /** Batches at once. */
  readonly concurrency?: number;
  /** Most calls per second. */
  readonly rate?: number;
  readonly enabled: boolean;
}

export interface TopicProps {
  readonly topic: string;
  /** Only messages each of whose attributes has one of these values. */
  readonly filter?: Readonly<Record<string, readonly string[]>>;
  readonly maxReceives?: number;
  readonly deadLetter?: string;
  readonly enabled: boolean;
}

export interface ScheduleProps {
  /** `rate(5 minutes)`, `cron(0 12 * * ? *)`, or five fields as in a crontab. */
  readonly schedule: string;
  /** IANA name. A rate does not depend on it. */
  readonly timezone: string;
  /** When it is due and the last run is not over: leave this one out, run it afterwards, or run both. */
  readonly overlap: 'skip' | 'queue' | 'allow';
  readonly name?: string;
  /** What the function gets instead of an event. */
  readonly input?: Json;
  readonly enabled: boolean;
}

export interface BucketProps {
  readonly bucket: string;
  readonly events: readonly ('created' | 'changed' | 'removed')[];
  /** Only keys that begin, or end, so. */
  readonly prefix?: string;
  readonly suffix?: string;
  /** As written: a folder, where the provider's buckets are folders. */
  readonly path?: string;
  readonly enabled: boolean;
}

/** Values of refs, in memory only: the text of `$secret` → its value. */
export type SecretValues = ReadonlyMap<string, string>;
