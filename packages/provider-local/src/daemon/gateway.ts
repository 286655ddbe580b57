import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ErrorCode } from '@sfx-deploy/plugin';
import { corsHeaders, preflightHeaders } from './cors.js';
import type { Failure, Outcome } from './outcomes.js';
import { textOf } from './refusal.js';
import type { Match, Router } from './router.js';
import type { Chosen, Serving } from './versions.js';

/** What a gateway asks of its service and stage. */
export interface GatewayHost {
  router(): Router;
  /** The version that takes this call; one draw per call. */
  choose(alias: string, unit: string, candidate: boolean): Chosen | 'nothing live' | 'no candidate';
}

/** Bytes of a request's body. */
export const BODY_LIMIT = 10 * 1024 * 1024;

/** A body up to this size goes out with its headers in one write, which Node does for text only: latin1 keeps every byte. */
const ONE_WRITE_BYTES = 16 * 1024;

const FAILED: Readonly<Record<Failure, readonly [status: number, code: ErrorCode, text: string]>> = {
  threw: [500, 'SFX6106', 'the handler threw'],
  crashed: [502, 'SFX6107', 'the instance stopped during the call'],
  timeout: [504, 'SFX6108', 'the function took longer than its timeout'],
  unloadable: [502, 'SFX6111', 'the handler did not load'],
  busy: [503, 'SFX6110', 'too many calls wait for this function'],
};

/** Headers that are the connection's own, or the gateway's to say. */
const NOT_HANDED_ON = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'content-length',
  'proxy-connection',
  'x-sfx-version',
  'x-sfx-release',
]);

const HOST = /^[A-Za-z0-9.:_[\]-]+$/;

/** The HTTP server of one service and stage: finds the route, chooses a version, hands the call over, answers. */
export function createGateway(host: GatewayHost): Server {
  const server = createServer({ keepAliveTimeout: 72_000 }, (req, res) => {
    serve(host, req, res).catch((error: unknown) => {
      // Only a defect of the gateway itself comes here; the caller is told, the next call is served.
      process.stderr.write(`gateway: ${error instanceof Error ? error.stack : textOf(error)}\n`);
      if (res.headersSent) res.destroy();
      else problem(res, 500, 'SFX9001', 'the gateway failed', []);
    });
  });
  return server;
}

async function serve(host: GatewayHost, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const began = performance.now();
  const method = req.method ?? 'GET';
  const target = targetOf(req);
  const cut = target.indexOf('?');
  const path = cut < 0 ? target : target.slice(0, cut);
  const router = host.router();
  const match = router.match(method, path);
  const { origin } = req.headers;
  // A route for OPTIONS itself answers its preflights; ANY does not mean them.
  const own = match.kind === 'route' && match.route.method === 'OPTIONS';
  if (method === 'OPTIONS' && !own && preflight(router, req, res, path)) return;
  if (match.kind !== 'route') return unmatched(req, res, path, match);
  const { route, params } = match;
  const cors = route.cors === null ? [] : corsHeaders(route.cors, origin);
  const body = hasBody(req) ? await bodyOf(req) : null;
  if (body === 'too large') {
    req.resume();
    return problem(res, 413, 'SFX6103', `the body is larger than ${BODY_LIMIT} bytes`, [
      ...cors,
      'connection',
      'close',
    ]);
  }
  if (body === 'gone') return;
  const chosen = host.choose(route.alias, route.function, req.headers['x-sfx-candidate'] === '1');
  if (chosen === 'no candidate')
    return problem(res, 409, 'SFX6104', `${route.function} has no candidate`, cors);
  if (chosen === 'nothing live')
    return problem(res, 503, 'SFX6105', `nothing is live for ${route.function}`, cors);
  const { serving, release } = chosen;
  const outcome = await serving.pool.call({
    kind: 'http',
    requestId: randomUUID(),
    method,
    url: `http://${hostOf(req)}${target}`,
    headers: lowered(req.rawHeaders),
    body,
    params,
    route: `${route.method} ${route.path}`,
  });
  const ours = ['x-sfx-version', serving.shown, 'x-sfx-release', String(release), ...cors];
  const status = answer(res, outcome, serving, method, ours, route.cors !== null);
  serving.metrics.record(performance.now() - began, status >= 500);
}

/** Answers a preflight, if the route that it asks about has CORS. */
function preflight(router: Router, req: IncomingMessage, res: ServerResponse, path: string): boolean {
  const asked = req.headers['access-control-request-method'];
  const cors = asked === undefined ? undefined : router.preflight(asked.toUpperCase(), path)?.cors;
  if (!cors) return false;
  req.resume();
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
  req.resume();
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

/** Writes the answer; its status, for the count of errors. */
function answer(
  res: ServerResponse,
  outcome: Outcome,
  from: Serving,
  method: string,
  extra: readonly string[],
  hasCors: boolean,
): number {
  if (res.destroyed) return outcome.kind === 'http' ? outcome.status : 500;
  if (outcome.kind === 'failed') {
    const [status, code, text] = FAILED[outcome.why];
    problem(res, status, code, text, extra);
    return status;
  }
  const wrong =
    outcome.kind === 'json' ? 'it is not an HTTP answer' : write(res, outcome, method, extra, hasCors);
  if (wrong === undefined && outcome.kind === 'http') return outcome.status;
  from.log('engine', `an answer was not valid: ${wrong}`);
  problem(res, 502, 'SFX6109', "the handler's answer is not a valid one", extra);
  return 502;
}

/** What is wrong with the answer, when it cannot be written. */
function write(
  res: ServerResponse,
  outcome: Extract<Outcome, { kind: 'http' }>,
  method: string,
  extra: readonly string[],
  hasCors: boolean,
): string | undefined {
  const { status, body } = outcome;
  if (!Number.isInteger(status) || status < 200 || status > 599) return `status ${status}`;
  const headers = [...extra];
  for (let n = 0; n < outcome.headers.length; n += 2) {
    const name = outcome.headers[n]!.toLowerCase();
    if (NOT_HANDED_ON.has(name) || (hasCors && name.startsWith('access-control-allow-'))) continue;
    headers.push(outcome.headers[n]!, outcome.headers[n + 1]!);
  }
  const bare = status === 204 || status === 304;
  if (!bare) headers.push('content-length', String(body?.byteLength ?? 0));
  try {
    res.writeHead(status, headers);
  } catch (error) {
    return textOf(error);
  }
  if (bare || method === 'HEAD' || body === null) res.end();
  else if (body.byteLength <= ONE_WRITE_BYTES)
    res.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1');
  else res.end(body);
  return undefined;
}

function problem(
  res: ServerResponse,
  status: number,
  code: ErrorCode,
  message: string,
  headers: readonly string[],
): void {
  const body = Buffer.from(`${JSON.stringify({ error: { code, message } })}\n`);
  res.writeHead(status, [
    ...headers,
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
  ]);
  res.end(body);
}

/** Path and query; a proxy's absolute form is cut to them. */
function targetOf(req: IncomingMessage): string {
  const url = req.url ?? '/';
  if (url.startsWith('/')) return url;
  const path = /^https?:\/\/[^/?]*(.*)$/i.exec(url)?.[1] ?? '/';
  return path.startsWith('/') ? path : `/${path}`;
}

/** What the caller named, if a URL can be made of it. */
function hostOf(req: IncomingMessage): string {
  const { host } = req.headers;
  return host !== undefined && HOST.test(host) ? host : `127.0.0.1:${req.socket.localPort}`;
}

function lowered(raw: readonly string[]): string[] {
  return raw.map((text, n) => (n % 2 === 0 ? text.toLowerCase() : text));
}

function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function bodyOf(req: IncomingMessage): Promise<Uint8Array | 'too large' | 'gone'> {
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) return Promise.resolve('too large');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > BODY_LIMIT) resolve('too large');
      else chunks.push(chunk);
    });
    // A copy of its own: a small Buffer is a view on a pool that would be sent whole.
    req.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks))));
    req.on('close', () => resolve('gone'));
    req.on('error', () => resolve('gone'));
  });
}
