import type { ServerResponse } from 'node:http';
import type { LiveSnapshot } from '../../wire.js';

/** Sends snapshots to those who watch, as server-sent events. Nothing is done while nobody does. */
export interface LiveFeed {
  /** False when too many watch already. */
  watch(res: ServerResponse): boolean;
  close(): void;
}

const EVERY_MS = 500;
const QUIET_MS = 15_000;
const MOST_WATCHERS = 32;
/** Bytes that a watcher may leave unread before it misses snapshots. */
const UNREAD = 4 * 1024 * 1024;

export function createLiveFeed(
  snapshot: () => Promise<LiveSnapshot>,
  problem: (error: unknown) => void,
): LiveFeed {
  /** With the text that each got last. */
  const watchers = new Map<ServerResponse, string>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;
  let sent = performance.now();

  const send = (text: string, at: number) => {
    const quiet = performance.now() - sent > QUIET_MS;
    if (quiet) sent = performance.now();
    for (const [res, last] of watchers) {
      if (res.writableLength > UNREAD) continue;
      if (last !== text) {
        watchers.set(res, text);
        res.write(`data: {"at":${at},${text}\n\n`);
      } else if (quiet) res.write(': still here\n\n');
    }
  };
  const look = async () => {
    if (looking) return;
    looking = true;
    try {
      const { at, ...rest } = await snapshot();
      send(JSON.stringify(rest).slice(1), at);
    } catch (error) {
      problem(error);
    } finally {
      looking = false;
    }
  };
  const leave = (res: ServerResponse) => {
    watchers.delete(res);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    watch(res) {
      if (watchers.size >= MOST_WATCHERS) return false;
      res.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      res.flushHeaders();
      watchers.set(res, '');
      res.on('close', () => leave(res));
      timer ??= setInterval(look, EVERY_MS);
      void look();
      return true;
    },
    close() {
      for (const res of watchers.keys()) res.end();
    },
  };
}
