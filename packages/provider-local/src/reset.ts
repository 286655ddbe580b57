import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, messageOf, type Run, type Scope } from '@sfx-deploy/plugin';
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

/** What there is to take away: all of it, or of a service, or of one stage. SFX6011 when nothing is there by that name. */
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
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, scope]) => scope);
}

/**
 * Takes away what the engine keeps of these services and stages. Without a name it stops the engine first and takes all.
 * Errors: SFX6001, SFX6005, SFX6007, SFX6011.
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
