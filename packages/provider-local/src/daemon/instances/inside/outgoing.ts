import http, { type ClientRequest } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { RunningCalls } from './running.js';

const OWN = ['SFX_URL', 'SFX_EVENTS_URL'];
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);

/**
 * Calls that a handler makes back to the engine say how deep they are, so that a function that calls itself comes to an
 * end, and of which trace. What goes anywhere else is not touched.
 */
export function markOutgoing(environment: Readonly<Record<string, string>>, calls: RunningCalls): void {
  const ports = new Set(OWN.flatMap((name) => portOf(environment[name])));
  if (ports.size === 0) return;
  const marks = (): Marks => {
    const origin = calls.origin();
    const of = origin ?? (calls.size() === 1 ? calls.mine() : undefined);
    return { depth: String((origin?.depth ?? calls.deepest()) + 1), trace: of?.trace ?? '' };
  };
  const isOurs = (host: string, port: string) => LOOPBACK.has(host) && ports.has(port);
  markFetch(isOurs, marks);
  markRequests(isOurs, marks);
}

type Ours = (host: string, port: string) => boolean;
/** A depth that the handler hands on from its own request would be one too low; a trace is its to choose. */
interface Marks {
  readonly depth: string;
  readonly trace: string;
}

function portOf(url: string | undefined): string[] {
  if (url === undefined || !URL.canParse(url)) return [];
  const { hostname, port } = new URL(url);
  return LOOPBACK.has(hostname) ? [port] : [];
}

function markFetch(isOurs: Ours, marks: () => Marks): void {
  const plain = globalThis.fetch;
  globalThis.fetch = function fetch(input, init) {
    const text = input instanceof Request ? input.url : String(input);
    if (!URL.canParse(text)) return plain(input, init);
    const { hostname, port } = new URL(text);
    if (!isOurs(hostname, port)) return plain(input, init);
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    const { depth, trace } = marks();
    headers.set('x-sfx-depth', depth);
    if (trace !== '' && !headers.has('traceparent')) headers.set('traceparent', trace);
    return plain(input, { ...init, headers });
  };
}

function markRequests(isOurs: Ours, marks: () => Marks): void {
  const mark = (request: ClientRequest): ClientRequest => {
    const host = String(request.getHeader('host') ?? '');
    const cut = host.lastIndexOf(':');
    if (request.headersSent || !isOurs(host.slice(0, cut), host.slice(cut + 1))) return request;
    const { depth, trace } = marks();
    request.setHeader('x-sfx-depth', depth);
    if (trace !== '' && !request.hasHeader('traceparent')) request.setHeader('traceparent', trace);
    return request;
  };
  const { request, get } = http;
  http.request = ((...args: Parameters<typeof http.request>) =>
    mark(request(...args))) as typeof http.request;
  // `get` sends its headers at once: it is made of `request`, which does not.
  http.get = ((...args: Parameters<typeof get>) => {
    const made = http.request(...args);
    made.end();
    return made;
  }) as typeof http.get;
  syncBuiltinESMExports();
}
