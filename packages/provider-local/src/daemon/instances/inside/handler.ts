import type { Load } from '../calls.js';

/** What a version's module exports, as packages/runtime makes it. */
export interface Handler {
  http(request: PlainRequest, context: PlainContext): Promise<PlainResponse>;
  invoke(payload: unknown, context: PlainContext): Promise<unknown>;
}

export interface PlainRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: [string, string][];
  readonly body: Uint8Array | null;
  readonly params: Record<string, string>;
  readonly route: string;
  readonly ip?: string;
  readonly authorizer?: unknown;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | null;
  readonly stream?: AsyncIterable<Uint8Array>;
}

export interface PlainContext {
  readonly function: string;
  readonly version: string;
  readonly release: number | null;
  readonly service: string;
  readonly stage: string;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly streams: true;
  readonly trace?: string;
}

/** Loads a version's module. Throws what it threw, or says that it exports no handler. */
export async function loadHandler(load: Load): Promise<Handler> {
  const module = (await import(load.module)) as { default?: unknown };
  if (!isHandler(module.default)) throw new Error('the module exports no handler');
  return module.default;
}

function isHandler(value: unknown): value is Handler {
  const handler = value as Partial<Handler> | null | undefined;
  return typeof handler?.http === 'function' && typeof handler.invoke === 'function';
}

/** Message and the first line of the stack that is the user's own, without the engine's folders. */
export function describe(thrown: unknown, root: string): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const place = new URL(root).pathname;
  const mine = (thrown.stack ?? '').split('\n').find((line) => line.includes(root) || line.includes(place));
  const at = mine
    ?.replaceAll(root, '')
    .replaceAll(place, '')
    .trim()
    .replace(/^at (.*)$/, '$1');
  return `${thrown.name}: ${thrown.message}${at === undefined ? '' : ` (at ${at})`}`;
}
