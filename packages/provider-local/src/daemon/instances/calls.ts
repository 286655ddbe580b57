/**
 * What gateway and instance say to each other. Tuples of plain values, many in one message: a structured clone of these
 * costs a fraction of what objects of a call each would.
 */

/**
 * `[id, requestId, deadline, depth, trace, method, url, headers flat, body, params flat, route, ip, authorizer]`. Empty
 * texts stand for what is not there: `trace`, `ip`, and `authorizer`, which is JSON.
 */
export type HttpCall = readonly [
  id: number,
  requestId: string,
  deadline: number,
  depth: number,
  trace: string,
  method: string,
  url: string,
  headers: readonly string[],
  body: Uint8Array | null,
  params: readonly string[],
  route: string,
  ip: string,
  authorizer: string,
];

/** `[id, requestId, deadline, depth, trace, payload as JSON text]` */
export type InvokeCall = readonly [
  id: number,
  requestId: string,
  deadline: number,
  depth: number,
  trace: string,
  payload: string,
];

export function isInvoke(call: HttpCall | InvokeCall): call is InvokeCall {
  return call.length === 6;
}

export type ToWorker =
  | { readonly kind: 'load'; readonly load: Load }
  | { readonly kind: 'calls'; readonly calls: readonly (HttpCall | InvokeCall)[] }
  | { readonly kind: 'taken'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'ping' };

/** What turns a blank into an instance of a version. */
export interface Load {
  /** URL of the module. */
  readonly module: string;
  /** URL of the folder that the user's code is in, cut from what people are shown. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  /** MB. */
  readonly memory: number;
  readonly context: {
    readonly function: string;
    readonly version: string;
    readonly release: number | null;
    readonly service: string;
    readonly stage: string;
  };
}

/** Status of an HTTP answer, or what else it is. */
export const JSON_ANSWER = -1;
export const THREW = -2;
/** Body of an HTTP answer that comes in chunks. */
export const STREAMED = 1;

/** `[id, status, headers flat, body]`, a text standing for its bytes in latin1 · `[id, JSON_ANSWER, JSON text]` · `[id, THREW, message]` */
export type Answer =
  | readonly [
      id: number,
      status: number,
      headers: readonly string[],
      body: Uint8Array | string | null | typeof STREAMED,
    ]
  | readonly [id: number, kind: number, text: string];

/** `[stream, text, activation or an empty text]` */
export type Written = readonly [stream: 'stdout' | 'stderr' | 'engine', text: string, activation: string];

export type FromWorker =
  /** `thread`: its id as the system knows it, 0 where it cannot be told. */
  | { readonly kind: 'blank'; readonly thread: number }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'unloadable'; readonly message: string }
  /** `took`: calls begun since the start. */
  | { readonly kind: 'answers'; readonly took: number; readonly answers: readonly Answer[] }
  | { readonly kind: 'took'; readonly took: number }
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly id: number; readonly problem?: string }
  | { readonly kind: 'wrote'; readonly lines: readonly Written[] }
  /** Bytes that its heap and its buffers use. */
  | { readonly kind: 'used'; readonly bytes: number }
  /** A process that the handler started, and whether it has ended. */
  | { readonly kind: 'child'; readonly pid: number; readonly ended: boolean }
  | { readonly kind: 'pong' };
