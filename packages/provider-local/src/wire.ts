import type { Digest, ErrorCode, HttpProps, Json, Stamp, Table } from '@sfx-deploy/plugin';

/** What a client and the daemon say to each other. Raised when an older one would misunderstand. */
export const PROTOCOL = 1;

/** Kept equal to package.json by a test; a bundle has no package.json beside it. */
export const ENGINE_VERSION = '0.1.0';

/** `engine.json`: where the running daemon is. Written by it when it is ready. */
export interface EngineInfo {
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  /** Start of that process as the system tells it, so that a reused pid is not taken for it; `null` where unknown. */
  readonly start: string | null;
  readonly port: number;
  /** Said to people when the port is not the one they may expect. */
  readonly note?: string;
  readonly home: string;
  /** ISO 8601. */
  readonly started: string;
  /** Where it was told to send spans. */
  readonly otlp?: string;
}

/** What a daemon is told when it is started. */
export interface EngineSettings {
  readonly home: string;
  readonly port: number;
  /** The user named this port: another one is not taken in its place. */
  readonly explicit: boolean;
  /** Threads that are kept ready before a function needs one; default 1. */
  readonly blanks?: number;
  /** Milliseconds without a call after which an instance is stopped; default 5 minutes. */
  readonly idleMs?: number;
  /** Address that spans are sent to, where the file names one: `http://127.0.0.1:4318`. */
  readonly otlp?: string;
}

/** How a start ended, told by the daemon to whoever started it. */
export type StartReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'held'; readonly pid: number }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

export interface WireError {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}

/** What the engine runs a version with. Environment values are the real ones: the file that holds them is 0600. */
export interface VersionConfig {
  readonly runtime: string;
  /** MB. */
  readonly memory: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Default `thread`. */
  readonly isolation?: 'thread' | 'process';
  /** Most instances at once; default: as many as the machine has cores, at least 2. */
  readonly instances?: number;
  /** Calls that one instance works on at once; default 32 for Node, 1 for Python, 100 for a program. */
  readonly calls?: number;
  /** A program that serves HTTP on `$PORT`, instead of a handler. */
  readonly command?: readonly string[];
}

export interface StageMeta {
  readonly release: number;
  readonly config: VersionConfig;
}

export interface AliasDocument {
  readonly table: Table;
  readonly stamp?: Stamp;
  /** The release that its stable versions are; the stamp's is the candidates' while there are some. */
  readonly live?: number;
  readonly token: string;
}

export interface AliasWrite {
  readonly to: Table;
  readonly stamp: Stamp;
  /** Token of the table that was compared; `null`: there is none yet. */
  readonly token: string | null;
}

export interface TriggerDocument {
  readonly kind: string;
  readonly id: string;
  readonly source: string;
  /** As people know it, where that is not its source. */
  readonly title?: string;
  readonly props: Json;
  readonly alias: string;
  readonly function: string;
  readonly digest: Digest;
  readonly enabled: boolean;
  readonly stamp: Stamp;
}

export interface InvokeWrite {
  readonly function: string;
  /** One of both. */
  readonly alias?: string;
  /** Id of a version. */
  readonly version?: string;
  readonly payload: Json;
  /** Answers the activation's id at once; the call is made later. */
  readonly later?: boolean;
}

/** A service and stage on the engine, as `sfx local status` tells it. */
export interface EngineService {
  readonly service: string;
  readonly stage: string;
  /** `null` while its port could not be opened. */
  readonly url: string | null;
  readonly note?: string;
  readonly functions: readonly string[];
  /** How many versions it keeps. */
  readonly versions: number;
  /** Instances that run now. */
  readonly instances: number;
  readonly queues?: readonly {
    readonly name: string;
    readonly visible: number;
    readonly delayed: number;
    readonly inFlight: number;
  }[];
  readonly buckets?: readonly { readonly name: string; readonly folder: string }[];
}

/** Routes that lead to versions of their own, at an address that nobody else is sent to. */
export interface PreviewWrite {
  /** Version ids by function. */
  readonly versions: Readonly<Record<string, string>>;
  readonly routes: readonly (HttpProps & { readonly function: string })[];
}

/** Calls of one version in the last minute. */
export interface LiveRate {
  readonly requests: number;
  readonly errors: number;
  readonly p95Ms: number;
}

export interface LiveVersion {
  /** As in `x-sfx-version`. */
  readonly version: string;
  readonly release: number | null;
  readonly percent: number;
  /** Null when nobody called it. */
  readonly minute: LiveRate | null;
  readonly instances: number;
}

export interface LiveFunction {
  readonly name: string;
  readonly stable: LiveVersion;
  readonly candidate: LiveVersion | null;
}

export interface LiveService {
  readonly service: string;
  readonly stage: string;
  readonly url: string | null;
  /** Release of the stable versions, and the open one while there are candidates. */
  readonly live: number | null;
  readonly open: number | null;
  readonly functions: readonly LiveFunction[];
  readonly queues: readonly { name: string; visible: number; delayed: number; inFlight: number }[];
  /** `POST /orders`, `queue orders`: what calls which function; disabled ones wait for a release. */
  readonly triggers: readonly { kind: string; source: string; function: string; enabled: boolean }[];
}

export interface LiveActivation {
  readonly id: string;
  readonly service: string;
  readonly stage: string;
  readonly function: string;
  readonly release: number | null;
  readonly cause: string;
  readonly status: string;
  /** Milliseconds since 1970. */
  readonly started: number | null;
  readonly durationMs: number | null;
  readonly cold: boolean | null;
}

/** What the page shows, sent whole when something changed. Names and counts: no payload, result, log or environment. */
export interface LiveSnapshot {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly engine: { readonly version: string; readonly pid: number; readonly started: string };
  readonly services: readonly LiveService[];
  /** Newest first, the last 50 of all services. */
  readonly activations: readonly LiveActivation[];
}
