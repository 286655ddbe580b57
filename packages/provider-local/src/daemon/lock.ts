import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, readdir, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, startOf } from '../processes.js';
import { readDocument, writeSynced } from './disk.js';
import { errnoOf } from './refusal.js';

/**
 * One daemon per home. The lock is the file `engine.lock.<n>` with the highest n whose process runs; who finds that process
 * gone makes n + 1, which only one can. Nothing is ever taken away from a running holder, so `kill -9` leaves nothing that
 * must be cleaned up by hand, and two who find the same dead holder cannot both win.
 */
export interface Lock {
  readonly kind: 'ours';
  /** Stops the beat; the file stays and names a process that is gone. */
  release(): void;
}

export interface Held {
  readonly kind: 'held';
  readonly pid: number;
}

interface Holder {
  readonly pid: number;
  readonly start: string | null;
  readonly host: string;
  readonly boot: string;
  readonly space: string;
}

const FILE = /^engine\.lock\.(\d+)$/;
const BEAT_MS = 4_000;
/** A holder in another container or on another host is known by its beat only. */
const SILENT_MS = 16_000;

export async function acquire(home: string): Promise<Lock | Held> {
  const self = whoAmI();
  for (;;) {
    const highest = (await numbers(home)).at(-1) ?? 0;
    if (highest > 0) {
      const state = await look(join(home, `engine.lock.${highest}`), self);
      if (state === 'changed') continue;
      if (state !== 'gone') return state;
    }
    const mine = highest + 1;
    if (!(await create(home, mine, self))) continue;
    const after = await numbers(home);
    // Somebody went past while we read an older list.
    if (after.at(-1) !== mine) {
      await rm(join(home, `engine.lock.${mine}`), { force: true });
      continue;
    }
    for (const old of after.slice(0, -1)) await rm(join(home, `engine.lock.${old}`), { force: true });
    return { kind: 'ours', release: beat(join(home, `engine.lock.${mine}`)) };
  }
}

async function numbers(home: string): Promise<number[]> {
  const found = (await readdir(home)).map((name) => Number(FILE.exec(name)?.[1] ?? 0));
  return found.filter((number) => number > 0).sort((a, b) => a - b);
}

async function create(home: string, number: number, self: Holder): Promise<boolean> {
  const aside = join(home, `.engine.lock.${randomBytes(6).toString('hex')}.tmp`);
  await writeSynced(aside, JSON.stringify(self), 0o600);
  try {
    // Linked when whole: no one can read half a lock.
    await link(aside, join(home, `engine.lock.${number}`));
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function look(path: string, self: Holder): Promise<Held | 'gone' | 'changed'> {
  const holder = await readDocument<Holder>(path);
  if (holder === undefined) return 'changed';
  if (holder.host === self.host && holder.boot !== self.boot) return 'gone';
  if (holder.host === self.host && holder.space === self.space) {
    return isRunning(holder.pid, holder.start) ? { kind: 'held', pid: holder.pid } : 'gone';
  }
  for (let waited = 0; waited <= SILENT_MS; waited += BEAT_MS) {
    const file = await stat(path).catch(() => undefined);
    if (file === undefined) return 'changed';
    if (Date.now() - file.mtimeMs > SILENT_MS) return 'gone';
    await sleep(BEAT_MS);
  }
  return { kind: 'held', pid: holder.pid };
}

function beat(path: string): () => void {
  const timer = setInterval(() => {
    const now = new Date();
    // A home that was deleted under a running daemon: the next command starts one for the new home.
    utimes(path, now, now).catch(() => process.kill(process.pid, 'SIGTERM'));
  }, BEAT_MS);
  return () => clearInterval(timer);
}

function whoAmI(): Holder {
  return {
    pid: process.pid,
    start: startOf(process.pid) ?? null,
    host: hostname(),
    boot: quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    space: quietly(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** What only Linux tells; elsewhere all are alike. */
function quietly(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
