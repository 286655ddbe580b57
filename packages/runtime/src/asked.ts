import { decode, encode, isJsonType, toBase64 } from './bodies.js';
import type { PlainRequest, PlainResponse } from './plain.js';

/** An HTTP call written as JSON, as a check or `sfx invoke` asks it. */
export interface AskedRequest {
  /** Default GET, or POST with a body. */
  readonly method?: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text as it is; anything else is sent as JSON. */
  readonly body?: unknown;
  /** Path parameters, where a route would have found some. */
  readonly params?: Readonly<Record<string, string>>;
  /** `body` is JSON already. */
  readonly json?: boolean;
}

export function isAsked(payload: unknown): payload is AskedRequest {
  const path = (payload as { path?: unknown } | null | undefined)?.path;
  return typeof payload === 'object' && typeof path === 'string' && path.startsWith('/');
}

/** The request in a payload `{ $http: { method?, path, headers?, body? } }`: the function is to be called as over HTTP. */
export function httpIn(payload: unknown): AskedRequest | undefined {
  const asked = (payload as { $http?: unknown } | null | undefined)?.$http;
  return isAsked(asked) ? asked : undefined;
}

export function requestOf(asked: AskedRequest): PlainRequest {
  const headers = Object.entries(asked.headers ?? {}).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one): [string, string] => [name.toLowerCase(), one]),
  );
  const method = (asked.method ?? (asked.body === undefined ? 'GET' : 'POST')).toUpperCase();
  const json = asked.json === true || (asked.body !== undefined && typeof asked.body !== 'string');
  if (json && !headers.some(([name]) => name === 'content-type'))
    headers.push(['content-type', 'application/json']);
  const text = typeof asked.body === 'string' ? asked.body : JSON.stringify(asked.body);
  return {
    method,
    url: `http://localhost${asked.path}`,
    headers,
    body: asked.body === undefined ? null : encode(text),
    params: asked.params ?? {},
    route: `${method} ${asked.path.split('?', 1)[0]}`,
  };
}

/** A response as JSON: `{ status, headers, body }`; body as text, parsed where it is JSON, Base64 where it is neither. */
export function described(response: PlainResponse): unknown {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of response.headers) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  const answer = { status: response.status, headers };
  if (response.body === null) return { ...answer, body: null };
  const text = decode(response.body);
  if (text === undefined) return { ...answer, body: toBase64(response.body), isBase64Encoded: true };
  const type = response.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? null;
  return { ...answer, body: isJsonType(type) ? parsed(text) : text };
}

/** JSON where it is JSON; a handler that says so and sends something else is shown what it sent. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
