import { type AskedRequest, described, isAsked, requestOf } from '../asked.js';
import { type HandlerContext, handlerContext } from '../context.js';
import { cloudEventRequest } from '../deliveries/cloud-events.js';
import type { PlainContext, PlainRequest, PlainResponse } from '../plain.js';
import { bodyOfStream } from '../streams.js';
import { requestMaker } from './lazy-request.js';
import type { Style } from './style.js';

/** Second parameter of a fetch handler. */
export interface FetchContext extends HandlerContext {
  /** Path parameters of the route. */
  readonly params: Readonly<Record<string, string>>;
  readonly route: string;
  /** What an authorizer function said of the caller; absent on a route without one. */
  readonly authorizer?: Readonly<Record<string, unknown>>;
}

type Fetch = (request: Request, context: FetchContext) => unknown;

/** `export default { fetch(request, context) { return new Response() } }`, or an exported function named `fetch`. */
export const fetchStyle: Style = {
  name: 'fetch',
  adapt(exported, exportName) {
    const handler = findFetch(exported, exportName);
    if (handler === undefined) return undefined;
    let make: ((request: PlainRequest) => Request) | undefined;
    const toRequest = (request: PlainRequest) => {
      // With the first call: what it needs is loaded then.
      make ??= requestMaker();
      return make(request);
    };
    const answer = async (request: PlainRequest, context: PlainContext): Promise<Response> =>
      checked(
        await handler(toRequest(request), {
          ...handlerContext(context),
          params: request.params,
          route: request.route,
          ...(request.authorizer !== undefined && { authorizer: request.authorizer }),
        }),
      );
    return {
      http: async (request, context) =>
        fromResponse(await answer(request, context), context.streams === true),
      invoke: async (payload, context) =>
        described(await fromResponse(await answer(requestOf(asRequest(payload)), context), false)),
      deliver: async (delivery, context) =>
        delivered(await fromResponse(await answer(cloudEventRequest(delivery, context), context), false)),
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

async function fromResponse(response: Response, streams: boolean): Promise<PlainResponse> {
  const { status, body } = response;
  const headers: [string, string][] = [];
  response.headers.forEach((value, name) => {
    headers.push([name, value]);
  });
  if (body === null) return { status, headers, body };
  // A `Response` of a handler's own may have no web stream for a body.
  if (streams && typeof body.getReader === 'function')
    return { status, headers, ...(await bodyOfStream(body)) };
  return { status, headers, body: new Uint8Array(await response.arrayBuffer()) };
}

/**
 * What a handler's answer says of a delivery: a 2xx that it was taken, and its body, if it is JSON, which messages were
 * not; any other that all of it failed.
 */
function delivered(response: PlainResponse): unknown {
  if (response.status < 200 || response.status > 299)
    throw new Error(`The handler answered ${response.status} to what was delivered.`);
  return (described(response) as { readonly body: unknown }).body;
}

/** A payload `{ method?, path, headers?, body? }` says what to ask; any other is the JSON body of `POST /`. */
function asRequest(payload: unknown): AskedRequest {
  return isAsked(payload)
    ? payload
    : { path: '/', method: 'POST', body: JSON.stringify(payload ?? null), json: true };
}
