import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Scope } from '@sfx-deploy/plugin';
import type { Caller } from '../calls/caller.js';
import { MOST_DEPTH } from '../calls/failures.js';
import { textOf } from '../refusal.js';
import { answer, problem } from './answer.js';
import { challengeOf, createAuthorizers } from './authorizer.js';
import type { Asking } from './authorizer-event.js';
import { corsHeaders, preflightHeaders } from './cors.js';
import {
  BODY_LIMIT,
  bodyOf,
  depthOf,
  discard,
  hasBody,
  headersOf,
  hostOf,
  isHere,
  targetOf,
} from './request.js';
import type { Match, Route, Router } from './router.js';
import { unreadable } from './unreadable.js';

/** What a gateway asks of its service and stage. */
export interface GatewayHost {
  readonly scope: Scope;
  readonly caller: Pick<Caller, 'begin' | 'end'>;
  router(): Router;
  /** Another one for every state of an alias; undefined while there is none. */
  token(alias: string): string | undefined;
}

export interface GatewayOptions {
  /** Names of this machine besides the loopback ones, in lower case; `*`: any Host is taken. Default none. */
  readonly hosts?: readonly string[];
  /** Milliseconds in which the headers, and the whole request, must have come; default 15 s, and 60 s. */
  readonly headersMs?: number;
  readonly requestMs?: number;
  /** How often that is looked after; default 5 s. */
  readonly checkMs?: number;
}

/** The HTTP server of one service and stage: finds the route, asks who may call, hands the call over, answers. */
export function createGateway(host: GatewayHost, options: GatewayOptions = {}): Server {
  const { check } = createAuthorizers(host);
  const gateway: Gateway = { host, check, hosts: options.hosts ?? [] };
  const take = (req: IncomingMessage, res: ServerResponse) => {
    serve(gateway, req, res).catch((error: unknown) => {
      // Only a defect of the gateway itself comes here; the caller is told, the next call is served.
      process.stderr.write(`gateway: ${error instanceof Error ? error.stack : textOf(error)}\n`);
      if (res.headersSent) res.destroy();
      else problem(res, 500, 'SFX9001', 'the gateway failed', []);
    });
  };
  const server = createServer(
    {
      keepAliveTimeout: 72_000,
      headersTimeout: options.headersMs ?? 15_000,
      requestTimeout: options.requestMs ?? 60_000,
      connectionsCheckingInterval: options.checkMs ?? 5_000,
    },
    take,
  );
  // Node would leave out what is beyond it; their size is limited anyway.
  server.maxHeadersCount = 0;
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    if (Number(req.headers['content-length'] ?? 0) <= BODY_LIMIT) res.writeContinue();
    take(req, res);
  });
  server.on('clientError', unreadable);
  return server;
}

interface Gateway {
  readonly host: GatewayHost;
  readonly check: ReturnType<typeof createAuthorizers>['check'];
  readonly hosts: readonly string[];
}

/** A call on its way through. */
interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  readonly path: string;
  readonly target: string;
  readonly route: Route;
  readonly params: readonly string[];
  readonly cors: readonly string[];
  readonly depth: number;
}

async function serve(gateway: Gateway, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { headers } = req;
  if (!isHere(headers.host, gateway.hosts)) {
    discard(req);
    return problem(res, 403, 'SFX6116', `the Host ${JSON.stringify(headers.host)} is not this machine`, []);
  }
  const method = req.method ?? 'GET';
  const target = targetOf(req);
  const cut = target.indexOf('?');
  const path = cut < 0 ? target : target.slice(0, cut);
  const router = gateway.host.router();
  const match = router.match(method, path);
  // A route for OPTIONS itself answers its preflights; ANY does not mean them.
  const own = match.kind === 'route' && match.route.method === 'OPTIONS';
  if (method === 'OPTIONS' && !own && preflight(router, req, res, path)) return;
  if (match.kind !== 'route') return unmatched(req, res, path, match);
  const { route, params } = match;
  const cors = route.cors === null ? NONE : corsHeaders(route.cors, headers.origin);
  const depth = headers['x-sfx-depth'] === undefined ? 0 : depthOf(headers['x-sfx-depth']);
  const exchange: Exchange = { req, res, method, path, target, route, params, cors, depth };
  if (depth > MOST_DEPTH)
    return refuse(exchange, 508, 'SFX6112', `${depth} functions called one another; ${MOST_DEPTH} may`);
  if (headers.upgrade !== undefined && headers.upgrade.toLowerCase() === 'websocket')
    return refuse(exchange, 501, 'SFX6118', 'the engine takes no WebSocket');
  let authorizer = '';
  if (route.authorizer) {
    const verdict = await gateway.check(route.authorizer, asked(exchange));
    if (verdict.kind === 'refused')
      return refuse(exchange, verdict.status, verdict.code, verdict.message, challengeOf(route, verdict));
    authorizer = verdict.authorizer;
  }
  const body = hasBody(req) ? await bodyOf(req) : null;
  if (body === 'too large')
    return refuse(exchange, 413, 'SFX6103', `the body is larger than ${BODY_LIMIT} bytes`);
  if (body === 'gone') return;
  await call(gateway.host.caller, exchange, body, authorizer);
}

const NONE: readonly string[] = [];

async function call(
  caller: GatewayHost['caller'],
  exchange: Exchange,
  body: Uint8Array | null,
  authorizer: string,
): Promise<void> {
  const { req, res, method, route, cors, depth, params } = exchange;
  const trace = req.headers['traceparent'];
  const requestId = randomUUID();
  const begun = caller.begin({
    cause: 'http',
    function: route.function,
    alias: route.alias,
    candidate: req.headers['x-sfx-candidate'] === '1',
    depth,
    trace: typeof trace === 'string' ? trace : undefined,
    input: {
      kind: 'http',
      requestId,
      method,
      url: `http://${hostOf(req)}${exchange.target}`,
      headers: headersOf(req.rawHeaders),
      body,
      params,
      route: route.key,
      ip: req.socket.remoteAddress ?? '',
      authorizer,
    },
  });
  if (begun === 'no candidate')
    return problem(res, 409, 'SFX6104', `${route.function} has no candidate`, cors);
  if (typeof begun === 'string')
    return problem(res, 503, 'SFX6105', `nothing is live for ${route.function}`, cors);
  const { serving, release, span } = begun;
  const outcome = await serving.pool.call(begun.input);
  const ours = [
    'x-sfx-version',
    serving.shown,
    'x-sfx-release',
    String(release),
    'x-sfx-activation',
    requestId,
    'traceparent',
    span.header,
    ...cors,
  ];
  const given = answer({ res, method, ours, cors: route.cors !== null }, outcome);
  const sent = given instanceof Promise ? await given : given;
  if (sent.error !== undefined) serving.log('engine', sent.error.message, requestId);
  caller.end(begun, outcome, sent);
}

function asked({ req, method, path, target, route, params, depth }: Exchange): Asking {
  const trace = req.headers['traceparent'];
  return {
    route,
    method,
    path,
    query: target.slice(path.length + 1),
    host: hostOf(req),
    headers: headersOf(req.rawHeaders),
    params,
    ip: req.socket.remoteAddress ?? '',
    candidate: req.headers['x-sfx-candidate'] === '1',
    depth,
    ...(typeof trace === 'string' && { trace }),
  };
}

/** Before the function was called. */
function refuse(
  { req, res, cors }: Exchange,
  status: number,
  code: Parameters<typeof problem>[2],
  message: string,
  more: readonly string[] = [],
): void {
  discard(req);
  problem(res, status, code, message, [...cors, ...more]);
}

/** Answers a preflight, if the route that it asks about has CORS. */
function preflight(router: Router, req: IncomingMessage, res: ServerResponse, path: string): boolean {
  const wanted = req.headers['access-control-request-method'];
  const cors = wanted === undefined ? undefined : router.preflight(wanted.toUpperCase(), path)?.cors;
  if (!cors) return false;
  discard(req);
  res
    .writeHead(204, preflightHeaders(cors, req.headers.origin, req.headers['access-control-request-headers']))
    .end();
  return true;
}

/** A path that no route has, or not with this method. */
function unmatched(
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  match: Exclude<Match, { kind: 'route' }>,
): void {
  discard(req);
  if (match.kind === 'none') {
    problem(res, 404, 'SFX6101', `no route for ${req.method} ${path}`, []);
    return;
  }
  const cors = match.cors === null ? [] : corsHeaders(match.cors, req.headers.origin);
  problem(res, 405, 'SFX6102', `${req.method} is not allowed for ${path}`, [
    ...cors,
    'allow',
    match.allow.join(', '),
  ]);
}
