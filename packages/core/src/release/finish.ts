import { asSfxError, isSfxError, messageOf } from '../errors.js';
import type { Head, Past } from '../state/documents.js';
import { append, type Context, type Held, step } from './context.js';
import { contract } from './contract.js';
import { type Holding, orGiveBack } from './holding.js';
import { take } from './lease.js';
import { progressOf } from './progress.js';
import type { Tables } from './tables.js';

/** Step 12's end: every alias was read back; the release is live, and what it replaced is said to be so. */
export async function endLive(held: Held, tables: Tables): Promise<void> {
  const { release, holding } = held;
  const progress = progressOf(held.entries);
  if (progress.ended?.as !== 'live') await append(held, { kind: 'ended', as: 'live', tables });
  await holding.change((head) => ({
    ...head,
    live: release.number,
    open: null,
    contract: release.number,
    tables,
    past: livePast(head, held, progress.stagedSeq),
  }));
}

function livePast(head: Head, held: Held, staged: number | undefined): readonly Past[] {
  const { release } = held;
  const target = head.past.find((one) => one.number === release.of);
  // Going back to an earlier release says that those after it were taken back; going forward again says no such thing.
  const taken = (one: Past) =>
    release.kind === 'rollback' &&
    target?.status !== 'rolled back' &&
    release.of !== undefined &&
    one.number > release.of &&
    one.number < release.number;
  return head.past.map((one) => {
    if (one.number === release.number)
      return { ...one, status: 'live' as const, ...(staged === undefined ? {} : { staged }) };
    if (one.status !== 'live') return one;
    const back = taken(one) && one.digest !== release.digest;
    return { ...one, status: back ? ('rolled back' as const) : ('superseded' as const) };
  });
}

/**
 * Bakes, if asked, with the lease given back, then contracts. A failure here leaves the release live and its contract
 * unfinished: the next command finishes it. Answers why, if so.
 */
export async function bakeAndContract(ctx: Context, held: Held): Promise<string | undefined> {
  const { bakeMs } = held.release.rollout;
  try {
    if (bakeMs === 0) {
      await contract(ctx, held);
      return undefined;
    }
    await held.holding.release((head) => head);
    await step(ctx.run, 'bake', async () => {
      ctx.run.emit({
        code: 'wait',
        why: `release ${held.release.number} bakes before what it replaced is removed`,
        ms: bakeMs,
      });
      await ctx.run.sleep(bakeMs);
      return 'nothing changed';
    });
    await finishContract(ctx, 0, { baked: true });
    return undefined;
  } catch (error) {
    const why = asSfxError(error);
    if (!isSfxError(error)) throw error;
    await giveBackQuietly(ctx, held);
    return `release ${held.release.number} is live, its contract is not finished (${why.message}); the next command finishes it`;
  }
}

async function giveBackQuietly(ctx: Context, held: Held): Promise<void> {
  try {
    await held.holding.release((head) => head);
  } catch (error) {
    held.holding.end();
    ctx.run.emit({ code: 'note', text: `the lease stays until it expires: ${messageOf(error)}` });
  }
}

/**
 * Finishes the contract of the live release, if it is pending: takes a lease of its own. While the release bakes only the
 * command that waits for it may (`baked`); any other leaves what was replaced where it is.
 */
export async function finishContract(
  ctx: Context,
  waitMs: number,
  { baked = false }: { readonly baked?: boolean } = {},
): Promise<void> {
  const { head } = await ctx.state.readHead();
  if (head?.contract == null || head.open !== null) return;
  if (!baked && (await bakes(ctx, head))) return;
  const holding = await take({
    state: ctx.state,
    run: ctx.run,
    patience: ctx.fleet.patience,
    command: 'contract',
    waitMs,
  });
  await orGiveBack(ctx.run, holding, () => contractUnder(ctx, holding));
}

/** Two clocks may differ here: it only decides when things are removed that nothing needs. */
async function bakes(ctx: Context, head: Head): Promise<boolean> {
  const past = head.past.find((one) => one.number === head.contract);
  if (past === undefined) return false;
  const { bakeMs } = (await ctx.state.readRelease(past.number)).rollout;
  if (bakeMs === 0) return false;
  const ended = (await ctx.state.entriesOf(past.number, past.began)).findLast((one) => one.kind === 'ended');
  return ended !== undefined && ctx.run.now() < Date.parse(ended.at) + bakeMs;
}

async function contractUnder(ctx: Context, holding: Holding): Promise<void> {
  const now = holding.head();
  if (now.contract === null || now.open !== null || now.contract !== now.live) {
    await holding.release((one) => (one.contract === one.live ? one : { ...one, contract: null }));
    return;
  }
  const past = now.past.find((one) => one.number === now.live)!;
  const release = await ctx.state.readRelease(past.number);
  const base =
    release.base === null ? undefined : await ctx.state.readRelease(release.base).catch(() => undefined);
  const entries = [...(await ctx.state.entriesOf(past.number, past.began))];
  await contract(ctx, { release, base, entries, holding });
}
