import { counted } from '../text.js';
import { runNamedCheck } from './checks.js';
import { type Context, type Held, step } from './context.js';
import { unitsOf, type VersionsByUnit } from './fleet.js';
import { aliasesIn, foreign, moveAll, readAliases } from './flip.js';
import { percentAt, progressOf } from './progress.js';
import { type OutputsByProvider, widenInfra } from './resources.js';
import { journalStaged, stageAll, unmark, warmAndCheck } from './stage.js';
import { sameTable, type Tables, tablesAt, tablesOfNewUnits, withoutEmpty } from './tables.js';
import { triggersAfter, triggersBefore, waitingTriggers } from './triggers.js';

/** Where `forward` came to: every alias at 100 % and read back, or a pause that the rollout asks for. */
export type Reached =
  | { readonly at: 'live'; readonly tables: Tables }
  | {
      readonly at: 'pause';
      readonly step: number;
      readonly ms: number | null;
      readonly percent: number;
      readonly tables: Tables;
    };

export interface ForwardOptions {
  /** Versions that units keep. */
  readonly kept: VersionsByUnit;
  /** First step to do; steps before it are done. */
  readonly from?: number;
  /** Do not stop at pauses: `promote --full`. */
  readonly through?: boolean;
}

/**
 * Takes a release forward, from wherever its journal says it is. Everything here may be done again: what is true is read
 * before it is written. Throws on the first failure; the caller decides about going back.
 */
export async function forward(ctx: Context, held: Held, options: ForwardOptions): Promise<Reached> {
  const versions = await prepare(ctx, held, options.kept);
  const { steps } = held.release.rollout;
  const begun = progressOf(held.entries).step;
  let percent = percentAt(steps, options.from ?? begun);
  for (let index = options.from ?? Math.max(begun, 0); index < steps.length; index++) {
    const next = steps[index]!;
    if ('weight' in next) {
      percent = next.weight;
      await shift(ctx, held, versions, index, percent);
      if (percent === 100) await triggersAfter(ctx, held);
    } else if ('check' in next) {
      await runNamedCheck(ctx, held, next.check, versions);
    } else if (!options.through) {
      return {
        at: 'pause',
        step: index,
        ms: next.pause,
        percent,
        tables: withoutEmpty(tablesAt(held.release, versions, percent)),
      };
    }
  }
  return { at: 'live', tables: await verified(ctx, held, versions) };
}

/** Infra, versions, warm, checks, triggers that may come early, aliases of new units: nothing of it moves traffic. */
async function prepare(ctx: Context, held: Held, kept: VersionsByUnit): Promise<VersionsByUnit> {
  const progress = progressOf(held.entries);
  if (progress.staged !== undefined && progress.step >= 0) {
    await unmark(held, digestsOf(progress.staged));
    return progress.staged;
  }
  let infra: OutputsByProvider = {};
  await step(ctx.run, 'infra', async () => {
    const done = await widenInfra(ctx, held);
    infra = done.outputs;
    if (done.wrote === 0 && done.deferred.length === 0) return undefined;
    const waits = done.deferred.length > 0 ? `, ${done.deferred.join(', ')} narrowed after the release` : '';
    return `${done.wrote} made or widened${waits}`;
  });
  let versions = progress.staged;
  if (versions === undefined) {
    versions = await stageAll(ctx, held, kept, infra);
  } else {
    await unmark(held, digestsOf(versions));
  }
  await warmAndCheck(ctx, held, versions);
  if (progress.staged === undefined) await journalStaged(held, versions);
  await triggersBefore(ctx, held, infra);
  await bornAliases(ctx, held, versions);
  return versions;
}

function digestsOf(versions: VersionsByUnit): ReadonlySet<string> {
  return new Set(Object.values(versions).map((version) => version.digest));
}

/** Step 8: a unit that stable does not have gets its alias at 100 %; nothing calls it yet. */
async function bornAliases(ctx: Context, held: Held, versions: VersionsByUnit): Promise<void> {
  const known = new Set(unitsOf(held.base?.irs ?? {}).map((of) => of.key));
  if (unitsOf(held.release.irs).every((of) => known.has(of.key))) return;
  const targets = tablesOfNewUnits(held.release, versions);
  const fresh = Object.fromEntries(
    Object.entries(targets).filter(([key, table]) => !sameTable(table, held.release.undo[key] ?? {})),
  );
  await moveAll(ctx, held, fresh, { dir: 'forward', step: -1 });
}

/** Step 10: every alias to the step's weight, written down first, read back after. */
async function shift(
  ctx: Context,
  held: Held,
  versions: VersionsByUnit,
  index: number,
  percent: number,
): Promise<void> {
  const waits = percent < 100 ? waitingTriggers(held) : [];
  if (waits.length > 0) {
    ctx.run.emit({
      code: 'note',
      text: `${waits.join(', ')} ${waits.length === 1 ? 'waits' : 'wait'} for promote`,
    });
  }
  await step(ctx.run, 'flip', async () => {
    const targets = tablesAt(held.release, versions, percent);
    const moved = await moveAll(ctx, held, targets, { dir: 'forward', step: index, mark: true });
    ctx.run.emit({
      code: 'moved',
      release: held.release.number,
      percent,
      aliases: moved.aliases,
      confirmed: moved.confirmed,
    });
    return `${counted(aliasesIn(held).length, 'alias', 'aliases')} at ${percent} %, ${readBack(moved.confirmed)}`;
  });
}

export function readBack(confirmed: boolean | 'unknown'): string {
  return confirmed === true
    ? 'read back and served'
    : 'read back; whether all of it is served cannot be told here';
}

/** Step 12: re-read every alias; a release is live only when all are as they should be. */
async function verified(ctx: Context, held: Held, versions: VersionsByUnit): Promise<Tables> {
  const wanted = tablesAt(held.release, versions, 100);
  const aliases = aliasesIn(held);
  const states = await readAliases(ctx, aliases);
  for (const of of aliases) {
    const now = states[of.key]!;
    if (!sameTable(now.table, wanted[of.key] ?? {})) throw foreign(of.key, now.table);
  }
  return withoutEmpty(wanted);
}
