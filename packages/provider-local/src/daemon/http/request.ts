import type { IncomingMessage } from 'node:http';

/** Bytes of a request's body. */
export const BODY_LIMIT = 10 * 1024 * 1024;

/** What is read on of a body that nobody wants, so that who still sends it gets the answer. */
const DISCARD_BYTES = 16 * 1024 * 1024;
const DISCARD_MS = 2_000;

const HOST = /^[A-Za-z0-9.:_[\]-]+$/;
const LOOPBACK = /^(127(\.\d{1,3}){3}|\[::1\]|([a-z0-9-]+\.)*localhost)$/i;

/** The connection's own: the body is whole when it is handed over. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'expect',
  'te',
  'trailer',
]);

/** Path and query; a proxy's absolute form is cut to them. */
export function targetOf(req: IncomingMessage): string {
  const url = req.url ?? '/';
  if (url.startsWith('/')) return url;
  const path = /^https?:\/\/[^/?]*(.*)$/i.exec(url)?.[1] ?? '/';
  return path.startsWith('/') ? path : `/${path}`;
}

/** What the caller named, if a URL can be made of it. */
export function hostOf(req: IncomingMessage): string {
  const { host } = req.headers;
  return host !== undefined && HOST.test(host) ? host : `127.0.0.1:${req.socket.localPort}`;
}

/**
 * Whether a Host means this machine. A page of another origin whose name was pointed here (DNS rebinding) says its own
 * name; a caller without a Host is no browser. `named`: further names, in lower case; `*` is any.
 */
export function isHere(host: string | undefined, named: readonly string[]): boolean {
  if (host === undefined) return true;
  const name = host.replace(/:\d+$/, '');
  return LOOPBACK.test(name) || named.includes('*') || named.includes(name.toLowerCase());
}

/** The names in a text with commas, as SFX_LOCAL_HOSTS has them. */
export function namedHosts(text: string | undefined): string[] {
  return (text ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Flat, names in lower case, without those of the connection. */
export function headersOf(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let n = 0; n < raw.length; n += 2) {
    const name = raw[n]!.toLowerCase();
    if (!OF_THE_CONNECTION.has(name)) headers.push(name, raw[n + 1]!);
  }
  return headers;
}

/** How many calls of functions led to this one: the most that a header says; what is no such number means none. */
export function depthOf(header: string | string[] | undefined): number {
  const said = String(header).split(',');
  return Math.max(...said.map((one) => (/^\s*\d{1,6}\s*$/.test(one) ? Number(one) : 0)));
}

export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** The whole body. Once it is too large no more of it is kept. */
export function bodyOf(req: IncomingMessage): Promise<Uint8Array | 'too large' | 'gone'> {
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) return Promise.resolve('too large');
  if (req.destroyed) return Promise.resolve('gone');
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_LIMIT) {
        chunks.push(chunk);
        return;
      }
      chunks = [];
      req.off('data', take);
      resolve('too large');
    };
    req.on('data', take);
    req.on('end', () => resolve(joined(chunks, size)));
    req.on('close', () => resolve('gone'));
    req.on('error', () => resolve('gone'));
  });
}

/** A buffer of its own: a small Buffer is a view on a pool that would be sent whole. */
function joined(chunks: readonly Buffer[], size: number): Uint8Array {
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** Reads on what nobody wants, but not all of it: who sends without end is cut off. */
export function discard(req: IncomingMessage): void {
  if (!hasBody(req) || req.complete || req.destroyed) return;
  let left = DISCARD_BYTES;
  const late = setTimeout(() => req.destroy(), DISCARD_MS);
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) req.destroy();
  });
  req.on('close', () => clearTimeout(late));
  req.on('end', () => clearTimeout(late));
  req.on('error', () => clearTimeout(late));
}
