import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ErrorCode } from '@sfx-deploy/plugin';
import type { WireError } from '../../wire.js';
import { guarded } from '../disk.js';
import { drained } from '../http/answer.js';
import { isRefusal, refusal, textOf } from '../refusal.js';
import { EVENTS } from '../stage/stage-events.js';
import { findRoute } from './admin-routes.js';
import { serveEvents } from './door.js';
import { createOpenDoor, type OpenDoor } from './open-door.js';
import { type AdminRoute, type Engine, isAccepted } from './routes/route.js';
import { sameToken } from './token.js';

/**
 * The admin door. It is for the owner of the home only: the token is needed for everything but the page and what it shows.
 * What another web page could send is refused before that, whatever it carries (a Host that is not loopback is DNS
 * rebinding; an Origin is a page).
 */
export function createAdmin(engine: Engine, token: string): Server {
  const open = createOpenDoor(engine);
  return createServer({ keepAliveTimeout: 30_000 }, (req, res) => {
    serve(engine, token, open, req, res).catch((error: unknown) => {
      const { status, code } = isRefusal(error) ? error : { status: 500, code: 'SFX3101' as ErrorCode };
      if (!isRefusal(error))
        process.stderr.write(`admin: ${error instanceof Error ? error.stack : textOf(error)}\n`);
      if (res.headersSent) return res.destroy();
      req.resume();
      send(res, status, { error: { code, message: textOf(error) } } satisfies WireError);
    });
  });
}

const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

async function serve(
  engine: Engine,
  token: string,
  open: OpenDoor,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (!LOOPBACK_HOST.test(req.headers.host ?? ''))
    throw refusal(403, 'SFX6003', 'the Host is not this machine');
  if (req.headers.origin !== undefined) throw refusal(403, 'SFX6003', 'requests of web pages are refused');
  if (open.serve(req, res)) return;
  if (req.url?.startsWith(EVENTS)) return serveEvents(engine, req, res);
  const given = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '';
  if (!sameToken(given, token))
    throw refusal(401, 'SFX6003', given === '' ? 'the token is missing' : 'the token is wrong');
  const url = new URL(req.url ?? '/', 'http://127.0.0.1');
  const found = findRoute(req.method ?? 'GET', url.pathname);
  if (found === undefined) throw refusal(404, 'SFX6011', `the engine has no ${req.method} ${url.pathname}`);
  const body = await bodyOf(req, found.route);
  const gone = new AbortController();
  res.on('close', () => gone.abort());
  const answer = await guarded(() =>
    found.route.act({ engine, path: found.path, query: url.searchParams, body, signal: gone.signal }),
  );
  if (answer instanceof Function) await stream(res, answer());
  else send(res, isAccepted(answer) ? 202 : 200, answer ?? {});
}

function send(res: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  res.end(body);
}

async function stream(res: ServerResponse, lines: AsyncIterable<unknown>): Promise<void> {
  res.writeHead(200, { 'content-type': 'application/x-ndjson' });
  res.flushHeaders();
  for await (const line of lines) {
    if (res.destroyed) return;
    if (!res.write(`${JSON.stringify(line)}\n`)) await drained(res);
  }
  res.end();
}

function bodyOf(req: IncomingMessage, route: AdminRoute): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= route.limit) chunks.push(chunk);
      else reject(refusal(413, 'SFX6103', `the engine takes at most ${route.limit} bytes here`));
    });
    req.on('end', () => resolve(Buffer.concat(chunks)));
    req.on('close', () => reject(refusal(400, 'SFX6003', 'the request was cut off')));
    req.on('error', reject);
  });
}
