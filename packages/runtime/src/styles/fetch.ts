import { decode, encode, isJsonType, toBase64 } from '../bodies.js';
import { type HandlerContext, handlerContext } from '../context.js';
import type { PlainContext, PlainRequest, PlainResponse } from '../plain.js';
import type { Style } from './style.js';

/** Second parameter of a fetch handler. */
export interface FetchContext extends HandlerContext {
  /** Path parameters of the route. */
  readonly params: Readonly<Record<string, string>>;
  readonly route: string;
}

type Fetch = (request: Request, context: FetchContext) => unknown;

/** `export default { fetch(request, context) { return new Response() } }`, or an exported function named `fetch`. */
export const fetchStyle: Style = {
  name: 'fetch',
  adapt(exported, exportName) {
    const handler = findFetch(exported, exportName);
    if (handler === undefined) return undefined;
    const answer = async (request: PlainRequest, context: PlainContext): Promise<Response> =>
      checked(
        await handler(toRequest(request), {
          ...handlerContext(context),
          params: request.params,
          route: request.route,
        }),
      );
    return {
      http: async (request, context) => fromResponse(await answer(request, context)),
      invoke: async (payload, context) => describe(await answer(requestOf(payload), context)),
    };
  },
};

function findFetch(exported: unknown, exportName: string): Fetch | undefined {
  if (typeof exported === 'function' && exportName === 'fetch') return exported as Fetch;
  const holder = exported as { fetch?: unknown } | null | undefined;
  if ((typeof holder !== 'object' && typeof holder !== 'function') || holder === null) return undefined;
  const inner = holder.fetch;
  return typeof inner === 'function' ? (inner.bind(holder) as Fetch) : undefined;
}

function toRequest(request: PlainRequest): Request {
  const headers = new Headers();
  for (const [name, value] of request.headers) headers.append(name, value);
  const bodiless = request.method === 'GET' || request.method === 'HEAD' || request.body === null;
  return new Request(request.url, {
    method: request.method,
    headers,
    ...(bodiless ? {} : { body: request.body }),
  });
}

/** By shape and not by `instanceof`: a handler may bring a `Response` of its own. */
function checked(value: unknown): Response {
  const response = value as Partial<Response> | null | undefined;
  if (
    typeof response?.status === 'number' &&
    typeof response.arrayBuffer === 'function' &&
    response.headers !== undefined
  ) {
    return response as Response;
  }
  const got = value === null ? 'null' : typeof value === 'object' ? 'an object' : typeof value;
  throw new TypeError(`A fetch handler must return a Response; it returned ${got}.`);
}

async function fromResponse(response: Response): Promise<PlainResponse> {
  const headers: [string, string][] = [];
  response.headers.forEach((value, name) => {
    headers.push([name, value]);
  });
  const body = response.body === null ? null : new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers, body };
}

interface HttpPayload {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: unknown;
}

function isHttpPayload(payload: unknown): payload is HttpPayload {
  const path = (payload as { path?: unknown } | null | undefined)?.path;
  return typeof payload === 'object' && typeof path === 'string' && path.startsWith('/');
}

/** A payload `{ method?, path, headers?, body? }` says what to ask; any other is the JSON body of `POST /`. */
function requestOf(payload: unknown): PlainRequest {
  const asked = isHttpPayload(payload) ? payload : { path: '/', method: 'POST', body: payload ?? null };
  const headers = Object.entries(asked.headers ?? {}).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one): [string, string] => [name.toLowerCase(), one]),
  );
  const method = (asked.method ?? (asked.body === undefined ? 'GET' : 'POST')).toUpperCase();
  if (
    asked.body !== undefined &&
    typeof asked.body !== 'string' &&
    !headers.some(([name]) => name === 'content-type')
  ) {
    headers.push(['content-type', 'application/json']);
  }
  const text =
    typeof asked.body === 'string' && isHttpPayload(payload) ? asked.body : JSON.stringify(asked.body);
  return {
    method,
    url: `http://localhost${asked.path}`,
    headers,
    body: asked.body === undefined ? null : encode(text),
    params: {},
    route: `${method} ${asked.path.split('?', 1)[0]}`,
  };
}

/** A response as JSON: `{ status, headers, body }`; body as text, parsed where it is JSON, Base64 where it is neither. */
async function describe(response: Response): Promise<unknown> {
  const plain = await fromResponse(response);
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of plain.headers) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  const answer = { status: plain.status, headers };
  if (plain.body === null) return { ...answer, body: null };
  const text = decode(plain.body);
  if (text === undefined) return { ...answer, body: toBase64(plain.body), isBase64Encoded: true };
  return { ...answer, body: isJsonType(response.headers.get('content-type')) ? parsed(text) : text };
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
