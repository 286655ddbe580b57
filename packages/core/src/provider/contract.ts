import type { Diagnostic } from '../errors.js';
import type { Digest, Json, JsonObject } from '../json.js';
import type { Service } from '../model/service.js';
import type { Run } from '../run.js';
import type { Store } from '../state/store.js';

/**
 * A place in props or config that is filled when it is applied: an output of infra, or a secret.
 * Both count in digests as they are written here, never by what they are filled with.
 */
export type Ref =
  | { readonly $out: readonly [resource: string, key: string] }
  | { readonly $secret: string; readonly version?: string };

// ---------- what a provider will make true ----------

/** Plain JSON: what a provider will make true for one service and stage. */
export interface Ir {
  /** What versions need and callers never see. */
  readonly infra: readonly Resource[];
  /** What gets an immutable version. */
  readonly units: readonly Unit[];
  /** What is flipped with one write; covers one unit or all of them. */
  readonly aliases: readonly Alias[];
  /** Routing that points at an alias, never at a version. */
  readonly triggers: readonly Trigger[];
}

export interface Resource {
  readonly id: string;
  /** Names the handler in `Connection.resources`. */
  readonly kind: string;
  readonly props: Json;
  readonly dependsOn: readonly string[];
  /** Holds data: never removed or replaced by a release. */
  readonly data?: true;
}

export interface Unit {
  readonly id: string;
  readonly functions: readonly string[];
  /** What `build` is told: entry points, runtime, host. */
  readonly build: Json;
  /** What the version is configured with; environment values that came from outside are `Ref`s. */
  readonly config: Json;
  /** Ids of infra: kept while a version in the rollback window names them. */
  readonly dependsOn: readonly string[];
}

export interface Alias {
  readonly id: string;
  readonly units: readonly string[];
}

export interface Trigger extends Resource {
  /** Identity: the route, queue or rule. A trigger that moves to another function keeps it. */
  readonly source: string;
  /** As people know it, where that is not its source: `queue orders`, `rate(5 minutes)`. */
  readonly title?: string;
  readonly alias: string;
  readonly function: string;
  /** `pulls` (queue, stream, schedule, topic): enabling it moves traffic. */
  readonly delivers: 'asked' | 'pulls';
}

// ---------- versions and traffic ----------

export interface Version {
  readonly unit: string;
  /** The provider's own name of it. */
  readonly id: string;
  /** Over artifact, build and config (`unitDigest`). */
  readonly digest: Digest;
  /** The release that made it, where the provider can keep that. */
  readonly release?: number;
}

export interface Split {
  readonly stable: string;
  /** `percent` is an integer from 0 to 100 and always the candidate's. */
  readonly candidate?: { readonly version: string; readonly percent: number };
}

/** unit → split; a unit without a version has no row. */
export type Table = Readonly<Record<string, Split>>;

export interface Stamp {
  readonly release: number;
  readonly fence: number;
}

export interface AliasState {
  readonly table: Table;
  readonly stamp?: Stamp;
  /** What the provider compares on its next write, where it does (`cas: native`). */
  readonly token?: string;
  /** A write of several parts is under way. */
  readonly busy?: true;
}

export interface Move {
  readonly from: Table;
  readonly to: Table;
  readonly stamp: Stamp;
  readonly token?: string;
}

export interface Versions {
  /** Ours only, of this service and stage; enough to rebuild a lost state. */
  list(unit: string): Promise<readonly Version[]>;
  /**
   * Idempotent by digest; `unit.config` comes with its refs filled. Callers notice nothing.
   * May write the alias's object, so that tokens read before are stale.
   */
  stage(unit: Unit, digest: Digest, artifact: Artifact, stamp: Stamp): Promise<Version>;
  /** Can take traffic now: waits, seats, activates, scales up. Idempotent; needs no artifact, so a rollback uses it too. */
  warm(version: Version): Promise<void>;
  /** Gives capacity back; can be warmed again. */
  cool?(version: Version): Promise<void>;
  /** Gone is success; named by an alias is an error (SFX3107). */
  remove(version: Version): Promise<void>;
}

export interface Traffic {
  /** As configured; no alias yet is an empty table. */
  read(alias: Alias): Promise<AliasState>;
  /**
   * Compares by value with `from` (equal to `to` is done), writes under a fresh or remembered token.
   * Where a provider needs several writes, all that can be read between them is `busy`, or `from` without its candidates.
   */
  set(alias: Alias, move: Move): Promise<AliasState | 'conflict'>;
  /** Served, as far as it can be told. */
  confirm(alias: Alias, table: Table): Promise<boolean | 'unknown'>;
}

// ---------- resources ----------

export interface ResourceHandler {
  read(target: Target): Promise<Observed | undefined>;
  /** Makes it so, idempotently; never touches a foreign one (SFX3108). */
  reconcile(target: Target, now: Observed | undefined): Promise<Observed>;
  /** Gone is success. */
  remove(target: Target, now: Observed): Promise<void>;
  /** Pure: what a change from one to the other does to versions that run. */
  change(from: Json, to: Json): 'none' | 'widens' | 'breaks' | 'replaces';
}

export interface Target {
  readonly resource: Resource;
  /** Of a trigger: the alias and function it points at. */
  readonly to?: { readonly alias: string; readonly function: string };
  /** `resource.props` with refs filled. */
  readonly props: Json;
  /** Digest of what sfx sends, refs as written; kept beside the resource where the provider can. */
  readonly digest: Digest;
  /** Only a pulling trigger is ever sent disabled. */
  readonly enabled: boolean;
  readonly stamp: Stamp;
}

export interface Observed {
  readonly owner: 'ours' | 'foreign';
  /** Of what sfx sent last, where the provider can keep it. */
  readonly digest?: Digest;
  readonly enabled: boolean;
  /** Keys that sfx sent and that are otherwise now; what the provider adds is not drift. */
  readonly drift: readonly string[];
  readonly outputs: Readonly<Record<string, Json>>;
}

// ---------- provider ----------

export interface Capabilities {
  readonly unit: 'function' | 'app' | 'package';
  /** One write flips a unit, or the whole service. */
  readonly alias: 'unit' | 'service';
  readonly split: {
    readonly targets: 1 | 2;
    /** Smallest step of a weight, in percent. */
    readonly step: number;
    readonly sticky: 'no' | 'cookie' | 'key';
    readonly scope: 'http' | 'all';
  };
  readonly cas: 'native' | 'check-then-write';
  /** Aliases can carry release and fence. */
  readonly stamps: boolean;
  /** A version can be called before it has traffic. */
  readonly candidateAddress: boolean;
  /** Versions of one unit that can be warm at once; `null` where there is no limit. */
  readonly seats: number | null;
  readonly flip: {
    readonly takes: 'subsecond' | 'seconds' | 'minutes';
    readonly confirmable: boolean;
    readonly downtime: boolean;
  };
  readonly metricsByVersion: boolean;
  readonly secrets: 'in version' | 'by reference';
  /** `max: null` where the provider keeps all. */
  readonly retention: { readonly max: number | null; readonly autoRemoves: boolean };
  /** Control-plane writes per second that all of sfx may use together. */
  readonly writesPerSecond: number;
  /** Kinds of events, as written in serverless.yml, that `compile` honours. */
  readonly triggers: readonly string[];
}

export interface Scope {
  readonly service: string;
  readonly stage: string;
}

/** Shown before the first write: where this goes, and as whom. */
export interface Identity {
  /** `local engine http://127.0.0.1:4100`, `aws 1234-5678-9012 eu-west-1`. */
  readonly where: string;
  /** `role/deploy`. */
  readonly as?: string;
  /** `started, pid 4121, stops with sfx local stop`. */
  readonly note?: string;
}

export interface Provider<Options = JsonObject> {
  readonly name: string;
  /** 0 until two unlike homes pass the conformance suite; a provider of another number is refused (SFX3004). */
  readonly apiVersion: 0;
  /** JSON Schema of `provider:`'s own keys. */
  readonly schema: Json;
  /** For offline compile, plan and comparison; what is probed when connected decides. */
  readonly documented: Capabilities;
  /** Pure. Problems are thrown as one coded error that carries all of them (SFX2200). */
  compile(service: Service, options: Options, can: Capabilities): Ir;
  /**
   * Pure. What `compile` leaves out of a file that is written for another provider, as warnings: each names what does not
   * happen here. Default: nothing is left out.
   */
  notes?(service: Service, options: Options, can: Capabilities): readonly Diagnostic[];
  connect(scope: Scope, options: Options, run: Run): Promise<Connection>;
  /** State of all services and stages, where the provider keeps it itself; needs no connection to one of them. */
  store?(options: Options, run: Run): Promise<Store>;
}

export interface Connection extends AsyncDisposable {
  /** Probed. */
  readonly capabilities: Capabilities;
  readonly identity: Identity;
  readonly resources: Readonly<Record<string, ResourceHandler>>;
  readonly versions: Versions;
  /** Always there; `split.targets` says 1 or 2. */
  readonly traffic: Traffic;
  /**
   * Calls one function and answers its result. `{ $http: { method, path, headers?, body? } }` calls it as over HTTP and
   * answers `{ status, headers, body }`.
   */
  invoke(target: InvokeTarget, payload: Json): Promise<Json>;
  /** Takes a call and answers the id of its activation at once; the call itself is made later, and again when it fails. */
  invokeLater?(target: InvokeTarget, payload: Json): Promise<string>;
  /** Newest first. */
  activations?(query: ActivationQuery): Promise<readonly Activation[]>;
  /** One of them whole, with its logs. */
  activation?(id: string): Promise<Activation | undefined>;
  /**
   * Opens an address at which these triggers that are asked lead to these versions, and to no others. Nobody else is sent
   * there; it is closed with what is answered, and with the connection.
   */
  preview?(versions: readonly Version[], triggers: readonly Trigger[]): Promise<Preview>;
  /** Addresses by trigger kind, as callers use them: `{ http: "http://127.0.0.1:4101" }`. */
  urls?(): Promise<Readonly<Record<string, string>>>;
  logs?(version: Version, since: Date, follow: boolean): AsyncIterable<LogLine>;
  /** By version; undefined when nothing is known of it. */
  metrics?(version: Version, from: Date, to: Date): Promise<Metrics | undefined>;
  /** Takes away what is left of the stage itself, after all else is gone. */
  forget?(): Promise<void>;
  readonly store?: Store;
}

/** Versions at an address of their own. */
export interface Preview extends AsyncDisposable {
  /** As of `Connection.urls`. */
  readonly urls: Readonly<Record<string, string>>;
}

export type InvokeTarget =
  | { readonly alias: string; readonly function: string }
  | { readonly version: Version; readonly function: string };

/** Which calls are meant; all of them where nothing is said. */
export interface ActivationQuery {
  readonly function?: string;
  readonly status?: Activation['status'];
  readonly since?: Date;
  /** Default 30. */
  readonly limit?: number;
}

/** What is known of one call of a function. */
export interface Activation {
  readonly id: string;
  readonly function: string;
  /** Null until it started. */
  readonly version: string | null;
  readonly release: number | null;
  /** `http`, `invoke`, `async`, `queue`, `topic`, `schedule`, `bucket`, …, as the provider has them. */
  readonly cause: string;
  /** Id of the trigger that it is of. */
  readonly trigger?: string;
  /** ISO 8601: when it was asked for, and when it started. */
  readonly asked: string;
  readonly started: string | null;
  readonly durationMs: number | null;
  /** It waited for an instance to start. */
  readonly cold: boolean | null;
  /** `retrying`: it failed and is tried again. */
  readonly status: 'waiting' | 'running' | 'retrying' | 'ok' | 'failed';
  /** Tries so far. */
  readonly attempt: number;
  readonly result?: Json;
  readonly error?: { readonly code: string; readonly message: string };
  readonly logs?: readonly LogLine[];
}

export interface LogLine {
  /** ISO 8601. */
  readonly at: string;
  /** Id of the call that wrote it, where that is known. */
  readonly activation?: string;
  readonly function: string;
  readonly version: string;
  readonly stream: 'stdout' | 'stderr' | 'engine';
  readonly text: string;
}

export interface Metrics {
  readonly requests: number;
  readonly errors: number;
  readonly p95Ms: number;
}

/** The built code of a unit, addressed by its content. */
export interface Artifact {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: () => AsyncIterable<Uint8Array>;
}
