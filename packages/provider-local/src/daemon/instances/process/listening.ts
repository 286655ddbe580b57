import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where a program listens. */
export interface Listening {
  readonly host: '127.0.0.1' | '::1';
  /** It takes calls from other machines too. */
  readonly wide: boolean;
}

const LOOK_MS = 5;
const SLOW_LOOK_MS = 50;

/** A port of loopback that nobody has now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/**
 * Waits until somebody listens on a port of this machine. Where the system tells (Linux), it is asked, so that a program
 * that counts its connections meets none that says nothing; elsewhere a connection is tried.
 */
export async function listening(port: number, signal: AbortSignal): Promise<Listening | undefined> {
  for (let looks = 0; !signal.aborted; looks += 1) {
    const found = process.platform === 'linux' ? inTables(port) : ('ask' as const);
    if (found !== undefined) {
      const at = await reachable(port, found);
      if (at !== undefined) return at;
    }
    await sleep(looks < 100 ? LOOK_MS : SLOW_LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function reachable(port: number, found: Listening | 'both' | 'ask'): Promise<Listening | undefined> {
  if (typeof found === 'object') return found;
  const wide = found === 'both';
  if (await accepts(port, '127.0.0.1')) return { host: '127.0.0.1', wide };
  return (await accepts(port, '::1')) ? { host: '::1', wide } : undefined;
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

const LOOPBACK_4 = '0100007F';
const LOOPBACK_6 = '00000000000000000000000001000000';
const LOOPBACK_MAPPED = '0000000000000000FFFF00000100007F';

/** `both`: on every address of IPv6, which may mean those of IPv4 as well. */
function inTables(port: number): Listening | 'both' | undefined {
  const four = addresses('/proc/net/tcp', port);
  if (four.some((address) => /^0+$/.test(address))) return { host: '127.0.0.1', wide: true };
  if (four.includes(LOOPBACK_4)) return { host: '127.0.0.1', wide: false };
  const six = addresses('/proc/net/tcp6', port);
  if (six.includes(LOOPBACK_MAPPED)) return { host: '127.0.0.1', wide: false };
  if (six.some((address) => /^0+$/.test(address))) return 'both';
  return six.includes(LOOPBACK_6) ? { host: '::1', wide: false } : undefined;
}

/** Addresses, in hexadecimal, of sockets that listen (state 0A) on a port. */
function addresses(table: string, port: number): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found: string[] = [];
  for (const line of text(table).split('\n')) {
    const [, local = '', , state] = line.trim().split(/\s+/, 4);
    if (state === '0A' && local.endsWith(end)) found.push(local.slice(0, -end.length));
  }
  return found;
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A machine without IPv6 has no such table.
    return '';
  }
}
