import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Scope } from '@sfx-deploy/plugin';
import { readDocument, writeDocument } from '../disk.js';
import { LOOPBACK, listen, listenFrom } from '../ports.js';
import { refusal } from '../refusal.js';

/** `stage.json` */
interface StageDocument extends Scope {
  readonly port: number | null;
}

/** The port of one service and stage. It keeps it over restarts. */
export interface StagePort {
  /** Its address, also before it is open; null while it has none. */
  address(): string | null;
  /** The same while it listens. */
  url(): string | null;
  /** Said to people when it is not the one from before. */
  note(): string | undefined;
  /** Opens its own from before, or the next free one. Throws SFX6002. */
  open(server: Server, from: number, reserved: ReadonlySet<number>): Promise<void>;
  /** Answers that are being written are written; then nothing is left open. `closed`: the server took its last call. */
  close(server: Server, closed: Promise<void>): Promise<void>;
}

export async function createStagePort(dir: string, scope: Scope): Promise<StagePort> {
  const path = join(dir, 'stage.json');
  let port = (await readDocument<StageDocument>(path))?.port ?? null;
  /** The port that it had before another program took it. */
  let before: number | undefined;
  let listening = false;
  const address = () => (port === null ? null : `http://${LOOPBACK}:${port}`);
  return {
    address,
    url: () => (listening ? address() : null),
    note: () => (before === undefined ? undefined : `port ${before} was taken; it has ${port} now`),
    async open(server, from, reserved) {
      if (listening) return;
      const had = port;
      if (had === null || !(await listen(server, had))) {
        const next = await listenFrom(server, from, reserved);
        if (next === undefined) throw refusal(503, 'SFX6002', 'no free port is left');
        if (had !== null) before = had;
        port = next;
        await writeDocument(path, { ...scope, port } satisfies StageDocument);
      }
      listening = true;
    },
    async close(server, closed) {
      const idle = setInterval(() => server.closeIdleConnections(), 10);
      const all = setTimeout(() => server.closeAllConnections(), 500);
      await closed;
      clearInterval(idle);
      clearTimeout(all);
      listening = false;
    },
  };
}
