import type { Scope } from '@sfx-deploy/plugin';
import type { Route } from './router.js';

/** A call that an authorizer function decides on. */
export interface Asking {
  readonly route: Route;
  readonly method: string;
  /** As it came, without the query. */
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  readonly host: string;
  /** Flat, names in lower case. */
  readonly headers: readonly string[];
  readonly params: readonly string[];
  readonly ip: string;
  readonly candidate: boolean;
  readonly depth: number;
  /** `traceparent` that came with the call. */
  readonly trace?: string;
}

/** What a policy calls the route and path of a call. */
export function arnOf({ service, stage }: Scope, { method, path }: Asking): string {
  return `arn:aws:execute-api:local:000000000000:${service}/${stage}/${method}${path}`;
}

/** The event of a REST API's authorizer of type TOKEN. */
export function tokenEvent(scope: Scope, asking: Asking, token: string): unknown {
  return { type: 'TOKEN', methodArn: arnOf(scope, asking), authorizationToken: token };
}

/** The event of an HTTP API's authorizer, format 2.0. `identity`: the values by which the caller is known. */
export function requestEvent(
  scope: Scope,
  asking: Asking,
  identity: readonly string[],
  requestId: string,
  now: number,
): unknown {
  const { route, method, path, query, headers, params, host, ip } = asking;
  const all = joined(headers);
  const { cookie, ...shown } = all;
  const found = joined([...new URLSearchParams(query)].flat());
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn: arnOf(scope, asking),
    identitySource: identity,
    routeKey: route.key,
    rawPath: path,
    rawQueryString: query,
    cookies: cookie === undefined ? [] : cookie.split(/[;,]\s*/),
    headers: shown,
    queryStringParameters: found,
    pathParameters: joined(params),
    stageVariables: {},
    requestContext: {
      accountId: '000000000000',
      apiId: scope.service,
      domainName: host.replace(/:\d+$/, ''),
      domainPrefix: host.split(/[.:]/, 1)[0],
      http: {
        method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: ip,
        userAgent: all['user-agent'] ?? '',
      },
      requestId,
      routeKey: route.key,
      stage: scope.stage,
      time: new Date(now).toISOString(),
      timeEpoch: now,
    },
  };
}

/** By name; several values of one joined with a comma. */
function joined(flat: readonly string[]): Record<string, string> {
  const all = new Map<string, string>();
  for (let n = 0; n < flat.length; n += 2) {
    const before = all.get(flat[n]!);
    all.set(flat[n]!, before === undefined ? flat[n + 1]! : `${before},${flat[n + 1]!}`);
  }
  return Object.fromEntries(all);
}
