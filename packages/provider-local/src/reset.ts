import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, fileStore, messageOf, type Run, type Scope } from '@sfx-deploy/plugin';
import { engineStatus, forgetStage, stopEngine } from './engine.js';
import { isName } from './names.js';
import { homeOf } from './options.js';
import type { EngineService } from './wire.js';

/** What `sfx local reset` took away, and what it left. */
export interface EngineReset {
  readonly home: string;
  /** Services and stages that are gone: their versions, queues, logs and state. */
  readonly gone: readonly Scope[];
  /** The engine ran and was stopped first; only when all was meant. */
  readonly stopped: boolean;
  /** Paths that stay. */
  readonly leaves: readonly string[];
}

/** All that the engine keeps of services, and nothing else that may lie in its folder. */
const KEPT = ['stages', 'state', 'tmp'] as const;

/** As much of `head` as is read here. */
interface Held {
  readonly lease?: {
    readonly holder: Run['holder'];
    readonly command: string;
    readonly beat: number;
    readonly ttlMs: number;
  } | null;
}

/**
 * What there is to take away: all of it, or of a service, or of one stage. Errors: SFX4101 (a command is at work there),
 * SFX6007 (not a name), SFX6011 (nothing is there by that name).
 */
export async function keptScopes(run: Run, named?: string): Promise<readonly Scope[]> {
  const home = homeOf(run.env);
  const [service, stage] = named?.split('/') ?? [];
  if (named !== undefined) checkName(named);
  const found = new Map<string, Scope>();
  for (const part of ['stages', 'state']) {
    for (const one of await names(join(home, part))) {
      for (const two of await names(join(home, part, one))) {
        if ((service ?? one) === one && (stage ?? two) === two)
          found.set(`${one}/${two}`, { service: one, stage: two });
      }
    }
  }
  if (named !== undefined && found.size === 0) throw fail('SFX6011', `the engine keeps nothing of ${named}`);
  const scopes = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, scope]) => scope);
  for (const scope of scopes) await refuseHeld(scope, home, run);
  return scopes;
}

/**
 * A command that is at work would go on where nothing is left of what it did. One whose process is gone, or that has not
 * renewed its lease in time, is no reason to keep anything, and neither is state that cannot be read.
 */
async function refuseHeld({ service, stage }: Scope, home: string, run: Run): Promise<void> {
  const head = await fileStore(join(home, 'state'))
    .get(`${service}/${stage}/head`)
    .catch(() => undefined);
  const lease = (head?.value as Held | undefined)?.lease;
  if (!lease || run.isGone(lease.holder) === true || Math.abs(run.now() - lease.beat) >= lease.ttlMs) return;
  throw fail('SFX4101', `${service} ${stage} is held by ${lease.holder.name} for \`${lease.command}\``);
}

/**
 * Takes away what the engine keeps of these services and stages. Without a name it stops the engine first and takes all.
 * Errors: SFX4101, SFX6001, SFX6005, SFX6007, SFX6011.
 */
export async function resetEngine(run: Run, named?: string): Promise<EngineReset> {
  const home = homeOf(run.env);
  const gone = await keptScopes(run, named);
  const { running, services } = await engineStatus(run);
  const leaves = [home, ...outside(home, services, gone)];
  if (named === undefined) {
    const { stopped } = await stopEngine(run);
    for (const name of KEPT) await takeAway(join(home, name));
    return { home, gone, stopped, leaves };
  }
  for (const scope of gone) {
    if (running) await forgetStage(scope, run);
    for (const part of ['stages', 'state']) await takeStage(join(home, part), scope);
  }
  return { home, gone, stopped: false, leaves };
}

function checkName(named: string): void {
  const parts = named.split('/');
  if (parts.length <= 2 && parts.every(isName)) return;
  throw fail('SFX6007', `\`${named}\` is neither a service nor a service and stage`, {
    hint: 'Name it as `shop`, or one of its stages as `shop/dev`.',
  });
}

/** Folders that buckets watch elsewhere belong to their owner. */
function outside(home: string, services: readonly EngineService[], gone: readonly Scope[]): string[] {
  const meant = services.filter((one) =>
    gone.some(({ service, stage }) => service === one.service && stage === one.stage),
  );
  return meant
    .flatMap((one) => one.buckets ?? [])
    .map((bucket) => bucket.folder)
    .filter((folder) => !folder.startsWith(join(home, 'stages')));
}

async function takeStage(folder: string, { service, stage }: Scope): Promise<void> {
  await takeAway(join(folder, service, stage));
  await rmdir(join(folder, service)).catch(unless('ENOENT', 'ENOTEMPTY', 'EEXIST'));
}

/** Out of the way in one step, so that nobody finds half of it; then removed. */
async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.gone`;
  try {
    const there = await rename(path, aside).then(() => true, unless('ENOENT'));
    if (there) await rm(aside, { recursive: true, force: true });
  } catch (error) {
    throw fail('SFX6005', `${path} cannot be removed: ${messageOf(error)}`, { cause: error });
  }
}

async function names(path: string): Promise<string[]> {
  const all = await readdir(path).catch(unless('ENOENT', 'ENOTDIR'));
  return (all ?? []).filter(isName);
}

function unless(...codes: readonly string[]) {
  return (error: NodeJS.ErrnoException): undefined => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}
