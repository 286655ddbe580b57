import { Agent, type IncomingMessage, request } from 'node:http';
import type { Listening } from './listening.js';

/** One call of a program over HTTP. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Flat. Those of the connection are left out, and the length is added. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | null;
}

export interface Exchanges {
  /**
   * Resolves with its answer once the headers are there; rejects when it gives none. `signal` ends it.
   */
  ask(asked: Asked, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** What is the business of each connection alone, and what the engine says itself. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
]);

/** May be asked twice without harm. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * Connections are kept for calls that may be repeated: one that the program closed just then is replaced. Any other call
 * has a connection of its own, because it must not reach the program twice.
 */
export function exchanges(port: number, { host }: Listening): Exchanges {
  const kept = new Agent({ keepAlive: true });
  const once = (asked: Asked, repeatable: boolean, signal: AbortSignal) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const req = request({
        host,
        port,
        method: asked.method,
        path: asked.path,
        headers: headersOf(asked, `127.0.0.1:${port}`),
        agent: repeatable ? kept : false,
        signal,
      });
      req.once('response', resolve);
      req.once('error', (error) => reject(Object.assign(error, { reused: req.reusedSocket })));
      req.end(asked.body ?? undefined);
    });
  return {
    async ask(asked, signal) {
      const repeatable = REPEATABLE.has(asked.method);
      try {
        return await once(asked, repeatable, signal);
      } catch (error) {
        const { reused, code } = error as { reused?: boolean; code?: string };
        if (!repeatable || reused !== true || code !== 'ECONNRESET') throw error;
        return once(asked, false, signal);
      }
    },
    close: () => kept.destroy(),
  };
}

/** A list of names and values is sent by Node as it is, so all that it would add must stand in it. */
function headersOf({ headers, body, method }: Asked, host: string): string[] {
  const sent = withoutConnection(headers);
  if (!sent.some((name, n) => n % 2 === 0 && name.toLowerCase() === 'host')) sent.push('host', host);
  const bodiless = body === null && ['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(method);
  if (!bodiless) sent.push('content-length', String(body?.byteLength ?? 0));
  return sent;
}

/** Without what is the connection's own, and what `connection` names as such. */
export function withoutConnection(headers: readonly string[]): string[] {
  const named = new Set<string>();
  for (let n = 0; n < headers.length; n += 2) {
    if (headers[n]!.toLowerCase() === 'connection')
      for (const name of headers[n + 1]!.split(',')) named.add(name.trim().toLowerCase());
  }
  const left: string[] = [];
  for (let n = 0; n < headers.length; n += 2) {
    const name = headers[n]!.toLowerCase();
    if (!OF_CONNECTION.has(name) && !named.has(name)) left.push(headers[n]!, headers[n + 1]!);
  }
  return left;
}
