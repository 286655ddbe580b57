import { decode, isTextType, toBase64 } from '../bodies.js';
import type { PlainContext, PlainRequest } from '../plain.js';

/** An event of an AWS HTTP API, payload format 2.0. Keys without content are absent, as they are there. */
export interface HttpEvent {
  readonly version: '2.0';
  readonly routeKey: string;
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly cookies?: readonly string[];
  /** Lower-case names, without `cookie`; several values of one name joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly queryStringParameters?: Readonly<Record<string, string>>;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly requestContext: {
    readonly apiId: string;
    /** What an authorizer function said of the caller. */
    readonly authorizer?: Readonly<Record<string, unknown>>;
    readonly domainName: string;
    readonly http: {
      readonly method: string;
      readonly path: string;
      readonly protocol: string;
      readonly sourceIp: string;
      readonly userAgent: string;
    };
    readonly requestId: string;
    readonly routeKey: string;
    readonly stage: string;
    readonly time: string;
    readonly timeEpoch: number;
  };
  readonly body?: string;
  readonly isBase64Encoded: boolean;
}

/** @param now Milliseconds since 1970 at which the call came in. */
export function httpEvent(request: PlainRequest, context: PlainContext, now: number): HttpEvent {
  const { hostname, pathname, search } = partsOf(request.url);
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase();
    if (key === 'cookie') cookies.push(...value.split(/;\s*/).filter((cookie) => cookie !== ''));
    else join(headers, key, value);
  }
  const query: Record<string, string> = {};
  if (search !== '') for (const [name, value] of new URLSearchParams(search)) join(query, name, value);
  return {
    version: '2.0',
    routeKey: request.route,
    rawPath: pathname,
    rawQueryString: search.slice(1),
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    ...(Object.keys(request.params).length > 0 && { pathParameters: { ...request.params } }),
    requestContext: {
      apiId: context.service,
      ...(request.authorizer !== undefined && { authorizer: request.authorizer }),
      domainName: hostname,
      http: {
        method: request.method,
        path: pathname,
        protocol: 'HTTP/1.1',
        sourceIp: request.ip ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: context.requestId,
      routeKey: request.route,
      stage: context.stage,
      time: logTime(now),
      timeEpoch: now,
    },
    ...bodyOf(request.body, headers['content-type']),
  };
}

/** What needs no care to be read: this machine, and a path that a URL leaves as it is. */
const PLAIN = /^http:\/\/(127\.0\.0\.1|localhost)(?::\d+)?(\/[\w\-~@!$&'()*+,;=:/]*)$/;

/** As `URL` reads it, which takes several times as long. */
function partsOf(url: string): Pick<URL, 'hostname' | 'pathname' | 'search'> {
  const plain = PLAIN.exec(url);
  return plain === null ? new URL(url) : { hostname: plain[1]!, pathname: plain[2]!, search: '' };
}

/** Several values of one name are joined with a comma. */
function join(all: Record<string, string>, name: string, value: string): void {
  const joined = Object.hasOwn(all, name) ? `${all[name]},${value}` : value;
  // An assignment to this name would change what the object inherits.
  if (name === '__proto__')
    Object.defineProperty(all, name, { value: joined, enumerable: true, configurable: true, writable: true });
  else all[name] = joined;
}

function bodyOf(
  bytes: Uint8Array | null,
  contentType: string | undefined,
): Pick<HttpEvent, 'body' | 'isBase64Encoded'> {
  if (bytes === null || bytes.length === 0) return { isBase64Encoded: false };
  const text = isTextType(contentType) ? decode(bytes) : undefined;
  return text === undefined
    ? { body: toBase64(bytes), isBase64Encoded: true }
    : { body: text, isBase64Encoded: false };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000`; made once for all calls of one second. */
function logTimes(): (now: number) => string {
  let second = -1;
  let text = '';
  return (now) => {
    const at = Math.floor(now / 1000);
    if (at === second) return text;
    second = at;
    const iso = new Date(now).toISOString();
    text = `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
    return text;
  };
}

const logTime = logTimes();
