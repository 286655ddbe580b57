import { encode, fromBase64 } from '../bodies.js';
import type { PlainResponse } from '../plain.js';
import { bytesOfParts, isParts } from '../streams.js';

interface HttpResult {
  readonly statusCode: unknown;
  readonly headers?: Readonly<Record<string, unknown>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly unknown[]>> | null;
  readonly cookies?: readonly string[] | null;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
}

/**
 * What an event handler returned, as a response. A value without `statusCode` is the body of a 200: text as it is, an async
 * generator or a stream as it comes, else JSON.
 */
export function httpResult(value: unknown): PlainResponse {
  if (isParts(value)) return httpResult({ statusCode: 200, body: value });
  if (!isHttpResult(value)) {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
    return { status: 200, headers: [['content-type', 'application/json']], body: encode(text) };
  }
  const headers = headersOf(value);
  const stream = isParts(value.body) ? bytesOfParts(value.body) : undefined;
  const body = stream === undefined ? bodyOf(value) : null;
  if ((body !== null || stream !== undefined) && !headers.some(([name]) => name === 'content-type')) {
    headers.unshift(['content-type', defaultType(value)]);
  }
  const status = statusOf(value.statusCode);
  return stream === undefined ? { status, headers, body } : { status, headers, body, stream };
}

function isHttpResult(value: unknown): value is HttpResult {
  return typeof value === 'object' && value !== null && (value as HttpResult).statusCode !== undefined;
}

function statusOf(code: unknown): number {
  const status = typeof code === 'string' ? Number(code) : code;
  if (typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599) return status;
  throw new TypeError(
    `The handler returned statusCode ${JSON.stringify(code)}; it must be a number from 200 to 599.`,
  );
}

/** A name in `multiValueHeaders` takes the place of the same name in `headers`. */
function headersOf(result: HttpResult): [string, string][] {
  if (!result.headers && !result.multiValueHeaders && !result.cookies) return [];
  const all = new Map<string, string[]>();
  for (const [name, value] of [
    ...Object.entries(result.headers ?? {}),
    ...Object.entries(result.multiValueHeaders ?? {}),
  ]) {
    if (value === undefined || value === null) continue;
    all.set(name.toLowerCase(), Array.isArray(value) ? value.map(String) : [String(value)]);
  }
  const headers = [...all].flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return [...headers, ...(result.cookies ?? []).map((cookie): [string, string] => ['set-cookie', cookie])];
}

function bodyOf(result: HttpResult): Uint8Array | null {
  const { body } = result;
  if (body === undefined || body === null) return null;
  if (body instanceof Uint8Array) return body;
  if (typeof body !== 'string') return encode(JSON.stringify(body));
  return result.isBase64Encoded === true ? fromBase64(body) : encode(body);
}

function defaultType(result: HttpResult): string {
  if (typeof result.body === 'string' && result.isBase64Encoded !== true) return 'text/plain; charset=utf-8';
  return typeof result.body === 'string' || result.body instanceof Uint8Array || isParts(result.body)
    ? 'application/octet-stream'
    : 'application/json';
}
