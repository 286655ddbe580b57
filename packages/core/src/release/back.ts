import { asSfxError, isSfxError } from '../errors.js';
import type { Table, Version } from '../provider/contract.js';
import type { Head, Past, Qualified } from '../state/documents.js';
import { counted } from '../text.js';
import { append, type Context, type Held, step } from './context.js';
import { aliasesIn, moveAll, readAlias } from './flip.js';
import { each } from './limits.js';
import { progressOf } from './progress.js';
import { changedUnits } from './stage.js';
import { sameTable, tablesBefore, withoutEmpty } from './tables.js';
import { triggersBackAfter, triggersBackBefore } from './triggers.js';

export interface WentBack {
  /** `back` after traffic had moved, `failed` when none had, `partial` when aliases are not all back. */
  readonly as: 'back' | 'failed' | 'partial';
  readonly tables: Readonly<Record<Qualified, Table | 'unknown'>>;
  /** Why it is partial. */
  readonly error?: unknown;
}

/**
 * Takes a release back to what was before it: triggers, aliases, what it added. Written down before each act, safe to
 * repeat, and ended in the journal; the lease is given back in the last write. An alias that cannot be brought back, or
 * that somebody else moved, makes it `partial`, with every alias named.
 */
export async function goBack(ctx: Context, held: Held, why: string): Promise<WentBack> {
  const { touched, staged, stagedSeq } = progressOf(held.entries);
  let failure: unknown;
  try {
    await append(held, { kind: 'triggers', phase: 'before', dir: 'back' });
    await triggersBackBefore(ctx, held);
    await step(ctx.run, 'flip', async () => {
      const moved = await moveAll(ctx, held, tablesBefore(held.release), { dir: 'back', step: -1 });
      return moved.aliases === 0
        ? undefined
        : `${counted(moved.aliases, 'alias', 'aliases')} back, read back`;
    });
    await triggersBackAfter(ctx, held);
  } catch (error) {
    if (stops(error)) throw error;
    failure = error;
  }
  const tables = await tablesNow(ctx, held);
  const wanted = tablesBefore(held.release);
  const all = Object.entries(tables).every(
    ([key, table]) => table !== 'unknown' && sameTable(table, wanted[key] ?? {}),
  );
  const as = !all || failure !== undefined ? 'partial' : touched ? 'back' : 'failed';
  await append(held, { kind: 'ended', as, tables, why });
  if (as === 'partial') {
    await held.holding.release((head) => ({
      ...head,
      past: withStatus(head, held.release.number, 'partial', why),
    }));
    return { as, tables, error: failure };
  }
  const orphans = staged === undefined ? await stagedOrphans(ctx, held) : ownVersions(held);
  await held.holding.release((head) => ({
    ...head,
    open: null,
    tables: withoutEmpty(tables as Record<string, Table>),
    past: withStatus(head, held.release.number, as === 'back' ? 'rolled back' : 'failed', why, stagedSeq),
    retiring: touched ? head.retiring : mark(head, orphans, held.holding.fence),
  }));
  return { as, tables };
}

/** Failures after which this process must not act any more, or cannot. */
export function stops(error: unknown): boolean {
  return isSfxError(error) && (error.code === 'SFX4102' || error.code === 'SFX4120');
}

export async function tablesNow(
  ctx: Context,
  held: Pick<Held, 'release' | 'base'>,
): Promise<Record<Qualified, Table | 'unknown'>> {
  const pairs = await each(aliasesIn(held), 16, async (of) => {
    try {
      return [of.key, (await readAlias(ctx, of)).table] as const;
    } catch (error) {
      if (stops(error)) throw error;
      ctx.run.emit({
        code: 'warning',
        error: asSfxError(error).code,
        message: `alias ${of.key} cannot be read: ${asSfxError(error).message}`,
      });
      return [of.key, 'unknown'] as const;
    }
  });
  return Object.fromEntries(pairs);
}

export function withStatus(
  head: Head,
  number: number,
  status: Past['status'],
  why?: string,
  staged?: number,
): readonly Past[] {
  const told = { status, ...(why === undefined ? {} : { why }), ...(staged === undefined ? {} : { staged }) };
  return head.past.map((one) => (one.number === number ? { ...one, ...told } : one));
}

type Owned = { readonly provider: string; readonly version: Version };

function ownVersions(held: Held): Owned[] {
  const { staged = {} } = progressOf(held.entries);
  return changedUnits(held).flatMap((of) => {
    const version = staged[of.key];
    return version === undefined ? [] : [{ provider: of.provider, version }];
  });
}

/** Versions that a release published before it could journal them; found by digest. */
async function stagedOrphans(ctx: Context, held: Held): Promise<Owned[]> {
  try {
    const lists = await each(changedUnits(held), 8, async (of) => {
      const versions = await ctx.fleet.read(of.provider, 'versions.list', of.part.id, (connection) =>
        connection.versions.list(of.part.id),
      );
      return versions
        .filter(
          (version) =>
            version.digest === held.release.units[of.key] && version.release === held.release.number,
        )
        .map((version) => ({ provider: of.provider, version }));
    });
    return lists.flat();
  } catch (error) {
    if (stops(error)) throw error;
    ctx.run.emit({
      code: 'warning',
      error: asSfxError(error).code,
      message: 'versions that were staged in vain could not be listed; they stay',
    });
    return [];
  }
}

export function mark(head: Head, owned: readonly Owned[], fence: number): Head['retiring'] {
  const known = new Set(head.retiring.map((one) => `${one.provider}/${one.version.unit}@${one.version.id}`));
  const fresh = owned.filter((one) => !known.has(`${one.provider}/${one.version.unit}@${one.version.id}`));
  return [...head.retiring, ...fresh.map((one) => ({ ...one, fence }))];
}
