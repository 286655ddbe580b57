/**
 * What gateway and instance say to each other. Tuples of plain values, many in one message: a structured clone of these
 * costs a fraction of what objects of a call each would.
 */

/** `[id, requestId, deadline, method, url, headers flat, body, params flat, route]` */
export type HttpCall = readonly [
  id: number,
  requestId: string,
  deadline: number,
  method: string,
  url: string,
  headers: readonly string[],
  body: Uint8Array | null,
  params: readonly string[],
  route: string,
];

/** `[id, requestId, deadline, payload as JSON text]` */
export type InvokeCall = readonly [id: number, requestId: string, deadline: number, payload: string];

export type ToWorker =
  | { readonly kind: 'load'; readonly load: Load }
  | { readonly kind: 'calls'; readonly calls: readonly (HttpCall | InvokeCall)[] }
  | { readonly kind: 'ping' };

/** What turns a blank into an instance of a version. */
export interface Load {
  /** URL of the module. */
  readonly module: string;
  /** URL of the folder that the user's code is in, cut from what people are shown. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
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

/** `[id, status, headers flat, body]` · `[id, JSON_ANSWER, JSON text]` · `[id, THREW, message]` */
export type Answer =
  | readonly [id: number, status: number, headers: readonly string[], body: Uint8Array | null]
  | readonly [id: number, kind: number, text: string];

export type FromWorker =
  | { readonly kind: 'blank' }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'unloadable'; readonly message: string }
  | { readonly kind: 'answers'; readonly answers: readonly Answer[] }
  | { readonly kind: 'pong' };
