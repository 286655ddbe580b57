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
  readonly provider: { readonly name: string; readonly options: JsonObject };
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
  /** `src/list.get`: a file without its ending, and the export. */
  readonly handler: string;
  readonly runtime: string;
  /** MB. */
  readonly memory: number;
  /** Milliseconds. */
  readonly timeout: number;
  /** Values that came from `env`, `opt` or a secret source are refs: `{ $secret: "env:TABLE" }`. */
  readonly environment: Readonly<Record<string, Json>>;
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
}

/** Values of refs, in memory only: the text of `$secret` → its value. */
export type SecretValues = ReadonlyMap<string, string>;
