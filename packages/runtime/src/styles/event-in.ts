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
  const url = new URL(request.url);
  const headers = joined(request.headers.filter(([name]) => name.toLowerCase() !== 'cookie'));
  const cookies = request.headers
    .filter(([name]) => name.toLowerCase() === 'cookie')
    .flatMap(([, value]) => value.split(/;\s*/).filter((cookie) => cookie !== ''));
  const query = joined([...url.searchParams], (name) => name);
  return {
    version: '2.0',
    routeKey: request.route,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    ...(Object.keys(request.params).length > 0 && { pathParameters: { ...request.params } }),
    requestContext: {
      apiId: context.service,
      ...(request.authorizer !== undefined && { authorizer: request.authorizer }),
      domainName: url.hostname,
      http: {
        method: request.method,
        path: url.pathname,
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

function joined(
  pairs: readonly (readonly [string, string])[],
  key: (name: string) => string = (name) => name.toLowerCase(),
): Record<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of pairs) {
    const before = all.get(key(name));
    all.set(key(name), before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(all);
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

/** `12/Mar/2020:19:03:58 +0000` */
function logTime(now: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) (\S+)/.exec(new Date(now).toUTCString())!;
  return `${day}/${month}/${year}:${time} +0000`;
}
