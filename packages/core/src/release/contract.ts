import { asSfxError, isSfxError } from '../errors.js';
import type { Resource, Table } from '../provider/contract.js';
import type { Head } from '../state/documents.js';
import { mark, stops } from './back.js';
import { append, type Context, type Held, step } from './context.js';
import { infraOf, type Of, triggersOf, unitsOf } from './fleet.js';
import { moveAll } from './flip.js';
import { ensure, type OutputsByProvider, readOutputs, resourceKey, takeAway } from './resources.js';
import { tablesAfterContract, withoutEmpty } from './tables.js';
import { type Kept, kept, rollbackWindow, versionKey } from './window.js';

/** Lines of the past that head shows, whatever the rollback window. */
const PAST_SHOWN = 50;

/**
 * Step 14, for a release that is live: takes away triggers and aliases that it no longer has, narrows infra, removes infra
 * and versions that no release in the rollback window needs. Versions are marked under one lease and removed under a later
 * one. Data is never removed. The lease is given back in the last write.
 */
export async function contract(ctx: Context, held: Held): Promise<void> {
  const { holding, release } = held;
  const window = new Set(rollbackWindow(holding.head().past, release.keep).map((one) => one.number));
  const all = await remembered(ctx, holding.head());
  const inWindow = all.filter((one) => window.has(one.past.number));
  let removed = 0;
  let due: Head['retiring'] = [];
  await step(ctx.run, 'contract', async () => {
    const outputs = await readOutputs(ctx, release.irs);
    removed += await dropTriggers(ctx, held, all);
    await dropRows(ctx, held);
    removed += await narrowInfra(ctx, held, all, inWindow, outputs);
    due = await removeMarked(ctx, held, inWindow);
    removed += due.length;
    return removed === 0 ? undefined : `${removed} removed that no release in the rollback window needs`;
  });
  await append(held, { kind: 'contracted' });
  await forgetOld(ctx, held, all, inWindow, due);
}

async function remembered(ctx: Context, head: Head): Promise<Kept[]> {
  const found: Kept[] = [];
  for (const past of head.past) {
    const one = await kept(ctx.state, past);
    if (one !== undefined) found.push(one);
  }
  return found;
}

async function dropTriggers(ctx: Context, held: Held, all: readonly Kept[]): Promise<number> {
  const wanted = new Set(triggersOf(held.release.irs).map(resourceKey));
  const old = new Map(
    [...all.map((one) => one.release), ...(held.base ? [held.base] : [])]
      .flatMap((one) => triggersOf(one.irs))
      .filter((of) => !wanted.has(resourceKey(of)))
      .map((of) => [resourceKey(of), of]),
  );
  return removeAllOf(ctx, held, [...old.values()]);
}

/** Journals what is about to go, then takes it away. */
async function removeAllOf(ctx: Context, held: Held, parts: readonly Of<Resource>[]): Promise<number> {
  if (parts.length === 0) return 0;
  await append(held, { kind: 'removing', versions: [], resources: parts.map((of) => of.key) });
  let removed = 0;
  for (const of of parts) if (await takeAway(ctx, held, of)) removed += 1;
  return removed;
}

/** Rows and aliases of units that the live release does not have. Nothing calls them any more. */
async function dropRows(ctx: Context, held: Held): Promise<void> {
  const now = held.holding.head().tables;
  const wanted = tablesAfterContract(held.release, now);
  const changed = Object.fromEntries(
    Object.entries(wanted).filter(
      ([key, table]) => Object.keys(table).length < Object.keys(now[key] ?? {}).length,
    ),
  );
  if (Object.keys(changed).length === 0) return;
  const last = held.release.rollout.steps.length - 1;
  await moveAll(ctx, held, changed, { dir: 'forward', step: last });
  await held.holding.change((head) => ({
    ...head,
    tables: withoutEmpty({ ...head.tables, ...changed } as Record<string, Table>),
  }));
}

async function narrowInfra(
  ctx: Context,
  held: Held,
  all: readonly Kept[],
  inWindow: readonly Kept[],
  outputs: OutputsByProvider,
): Promise<number> {
  for (const of of infraOf(held.release.irs)) await ensure(ctx, held, of, { outputs: outputs[of.provider] });
  const wanted = new Set(infraOf(held.release.irs).map((of) => of.key));
  const needed = new Set(
    inWindow.flatMap((one) =>
      unitsOf(one.release.irs).flatMap((of) => of.part.dependsOn.map((id) => `${of.provider}/${id}`)),
    ),
  );
  const gone = new Map(
    [...all.map((one) => one.release), ...(held.base ? [held.base] : [])]
      .flatMap((one) => infraOf(one.irs))
      .filter((of) => !wanted.has(of.key) && !needed.has(of.key) && of.part.data !== true)
      .map((of) => [of.key, of]),
  );
  return removeAllOf(ctx, held, [...gone.values()].reverse());
}

/** Phase two of GC: what was marked under an earlier lease and is still needed by nothing. */
async function removeMarked(ctx: Context, held: Held, inWindow: readonly Kept[]): Promise<Head['retiring']> {
  const head = held.holding.head();
  const needed = versionsNeeded(head, inWindow);
  const due = head.retiring.filter(
    (one) => one.fence < held.holding.fence && !needed.has(versionKey(one.provider, one.version)),
  );
  if (due.length === 0) return [];
  await append(held, { kind: 'removing', versions: due.map((one) => one.version), resources: [] });
  const removed: (typeof due)[number][] = [];
  for (const one of due) {
    try {
      await ctx.fleet.write(
        one.provider,
        'versions.remove',
        one.version.unit,
        held.holding.guardBack,
        (connection) => connection.versions.remove(one.version),
      );
      removed.push(one);
    } catch (error) {
      if (stops(error)) throw error;
      const failure = asSfxError(error);
      ctx.run.emit({
        code: 'warning',
        error: failure.code,
        message: `version ${one.version.id} of ${one.version.unit} stays: ${failure.message}`,
      });
      // Still named by an alias: it is not ours to remove. Anything else is tried again under the next lease.
      if (isSfxError(error) && error.code === 'SFX3107') removed.push(one);
    }
  }
  return removed;
}

/** Versions that an alias names, or that a release in the window has. */
function versionsNeeded(head: Head, inWindow: readonly Kept[]): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const one of inWindow) {
    for (const [key, version] of Object.entries(one.versions))
      needed.add(versionKey(key.slice(0, key.indexOf('/')), version));
  }
  for (const [key, table] of Object.entries(head.tables)) {
    const provider = key.slice(0, key.indexOf('/'));
    for (const [unit, split] of Object.entries(table)) {
      needed.add(versionKey(provider, { unit, id: split.stable }));
      if (split.candidate) needed.add(versionKey(provider, { unit, id: split.candidate.version }));
    }
  }
  return needed;
}

/** Phase one of GC and the end of contract: marks versions of releases that left the window, forgets their documents. */
async function forgetOld(
  ctx: Context,
  held: Held,
  all: readonly Kept[],
  inWindow: readonly Kept[],
  removed: Head['retiring'],
): Promise<void> {
  const { holding } = held;
  const needed = versionsNeeded(holding.head(), inWindow);
  const left = all.filter((one) => !inWindow.includes(one));
  const unneeded = left.flatMap((one) =>
    Object.entries(one.versions)
      .map(([key, version]) => ({ provider: key.slice(0, key.indexOf('/')), version }))
      .filter((owned) => !needed.has(versionKey(owned.provider, owned.version))),
  );
  const gone = new Set(removed.map((one) => versionKey(one.provider, one.version)));
  const forgotten = new Set(left.map((one) => one.past.number));
  const oldest = Math.min(...inWindow.map((one) => one.past.staged ?? Number.POSITIVE_INFINITY));
  await holding.change((head) => ({
    ...head,
    retiring: mark(
      { ...head, retiring: head.retiring.filter((one) => !gone.has(versionKey(one.provider, one.version))) },
      unneeded.filter((one) => !gone.has(versionKey(one.provider, one.version))),
      holding.fence,
    ),
    past: head.past
      .map((one) => (forgotten.has(one.number) ? { ...one, forgotten: true as const } : one))
      .sort((a, b) => a.number - b.number)
      .slice(-PAST_SHOWN),
    contract: null,
  }));
  for (const number of forgotten) await ctx.state.removeRelease(number);
  if (left.length > 0 && Number.isFinite(oldest)) await ctx.state.removeEntriesBelow(oldest);
  await holding.release((head) => head);
}
