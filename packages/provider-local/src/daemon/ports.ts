import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { errnoOf } from './refusal.js';

export const LOOPBACK = '127.0.0.1';

/** Opens a port on loopback; false when it is taken or not allowed. */
export function listen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown) => {
      const code = errnoOf(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false);
      else reject(error);
    };
    server.once('error', failed);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.off('error', failed);
      resolve(true);
    });
  });
}

/** The first port from `from` upward that opens and is not in `reserved`; undefined when there is none. */
export async function listenFrom(
  server: Server,
  from: number,
  reserved: ReadonlySet<number>,
): Promise<number | undefined> {
  for (let port = from; port <= 65535; port += 1) {
    if (!reserved.has(port) && (await listen(server, port))) return port;
  }
  return undefined;
}

/** Who listens on a port, as far as this user may know: `process 812 (nginx)`. Linux only. */
export function whoListens(port: number): string | undefined {
  const sockets = new Set([...socketsOf('/proc/net/tcp', port), ...socketsOf('/proc/net/tcp6', port)]);
  if (sockets.size === 0) return undefined;
  for (const pid of entries('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of entries(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`)))?.[1];
      if (inode === undefined || !sockets.has(inode)) continue;
      return `process ${pid} (${quietly(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim())})`;
    }
  }
  return undefined;
}

/** Inodes of sockets that listen (state 0A) on a port. */
function socketsOf(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return quietly(() => readFileSync(table, 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hex}`) && fields[3] === '0A')
    .map((fields) => fields[9] ?? '');
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What another user's process does not let us read is not known. */
function quietly(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
