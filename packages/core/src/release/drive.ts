import { asSfxError, fail, isSfxError } from '../errors.js';
import type { Table } from '../provider/contract.js';
import type { Past, Qualified } from '../state/documents.js';
import { goBack, stops, tablesNow } from './back.js';
import { append, type Context, type Held, type Work } from './context.js';
import { bakeAndContract, endLive } from './finish.js';
import type { VersionsByUnit } from './fleet.js';
import { forward, type Reached } from './forward.js';
import { type Holding, orGiveBack } from './holding.js';
import { take } from './lease.js';
import { holdOpen } from './open.js';
import { atSamePause, progressOf } from './progress.js';
import { type Watched, watch } from './watch.js';

/** How driving a release ended. */
export interface Driven {
  readonly held: Work;
  readonly as:
    | 'live'
    | 'paused'
    | 'inconclusive'
    | 'stable fails'
    | 'back'
    | 'failed'
    | 'partial'
    | 'interrupted'
    | 'lost';
  readonly percent: number;
  readonly error?: unknown;
  readonly tables?: Readonly<Record<Qualified, Table | 'unknown'>>;
  readonly reasons?: readonly string[];
  /** Live, but its contract is not finished. */
  readonly pending?: string;
}

export interface DriveOptions {
  readonly kept: VersionsByUnit;
  readonly from?: number;
  readonly through?: boolean;
}

/**
 * Takes a release as far as its rollout allows in one run: forward, through timed pauses with the lease given back, until
 * it is live, waits for a person, or went back. The lease is given back whatever the end, unless the process dies.
 */
export async function drive(ctx: Context, first: Held, options: DriveOptions): Promise<Driven> {
  let held = first;
  let { from } = options;
  for (;;) {
    let reached: Reached;
    try {
      reached = await forward(ctx, held, { ...options, from });
      if (reached.at === 'live') await endLive(held, reached.tables);
    } catch (error) {
      return giveUp(ctx, held, error);
    }
    if (reached.at === 'live') {
      const pending = await bakeAndContract(ctx, held);
      return { held, as: 'live', percent: 100, ...(pending === undefined ? {} : { pending }) };
    }
    try {
      const next = await pause(ctx, held, reached);
      if ('as' in next) return next;
      held = next.held;
      from = reached.step + 1;
    } catch (error) {
      return giveUp(ctx, held, error);
    }
  }
}

type Pause = Extract<Reached, { at: 'pause' }>;

async function pause(ctx: Context, held: Held, at: Pause): Promise<Driven | { readonly held: Held }> {
  const until = at.ms === null ? undefined : ctx.run.now() + at.ms;
  await append(held, {
    kind: 'paused',
    step: at.step,
    why: until === undefined ? 'gate' : 'time',
    ...(until === undefined ? {} : { until }),
  });
  await held.holding.release((head) => ({ ...head, tables: at.tables, past: withStaged(head.past, held) }));
  if (until === undefined) return { held, as: 'paused', percent: at.percent };
  const over = await waitOut(ctx, held, { percent: at.percent, until });
  if ('as' in over) return over;
  const { again, seen } = over;
  try {
    return await goOnAfter(ctx, again, at, seen);
  } catch (error) {
    return giveUp(ctx, again, error);
  }
}

/** Waits without the lease, then takes it again. Without it nothing may be taken back: what fails here leaves the pause. */
async function waitOut(
  ctx: Context,
  held: Held,
  pause: { readonly percent: number; readonly until: number },
): Promise<Driven | { readonly again: Held; readonly seen: Watched }> {
  const { percent } = pause;
  try {
    const seen = await watch(ctx, held, pause);
    if (!seen.elsewhere) return { again: await retake(ctx, held), seen };
    const error = fail('SFX4122', 'another command took this release over');
    return { held, as: 'lost', percent, error };
  } catch (error) {
    const lost = isSfxError(error) && error.code === 'SFX4102';
    return { held, as: lost ? 'lost' : 'interrupted', percent, error };
  }
}

async function goOnAfter(
  ctx: Context,
  again: Held,
  at: Pause,
  seen: Watched,
): Promise<Driven | { readonly held: Held }> {
  await append(again, { kind: 'judged', step: at.step, verdict: seen.verdict, reasons: seen.reasons });
  if (pastDeadline(ctx, again))
    return giveUp(ctx, again, fail('SFX5003', 'the rollout did not end within its deadline'));
  if (seen.verdict === 'pass') return { held: again };
  const { rollout } = again.release;
  if (seen.verdict === 'inconclusive' && rollout.analysis?.inconclusive === 'pass') return { held: again };
  const failing = seen.verdict === 'fail' || rollout.analysis?.inconclusive === 'fail';
  if (failing && !seen.stableFails && rollout.onFailure === 'rollback') {
    return giveUp(
      ctx,
      again,
      fail('SFX5001', `release ${again.release.number} failed its canary: ${seen.reasons.join('; ')}`),
    );
  }
  await append(again, { kind: 'paused', step: at.step, why: 'inconclusive' });
  await again.holding.release((head) => head);
  return { held: again, percent: at.percent, reasons: seen.reasons, ...waitsBecause(again, seen, failing) };
}

/** Why a rollout that was judged goes neither on nor back. */
function waitsBecause({ release }: Held, seen: Watched, failing: boolean): Pick<Driven, 'as' | 'error'> {
  const why = seen.reasons.join('; ');
  if (seen.stableFails) {
    return {
      as: 'stable fails',
      error: fail('SFX5005', `stable fails like release ${release.number}: ${why}`),
    };
  }
  if (failing) return { as: 'paused', error: fail('SFX5006', `release ${release.number} fails: ${why}`) };
  return {
    as: 'inconclusive',
    error: fail('SFX5004', `release ${release.number} cannot be judged yet: ${why}`),
  };
}

function withStaged(past: readonly Past[], held: Held): readonly Past[] {
  const { stagedSeq } = progressOf(held.entries);
  return past.map((one) =>
    one.number === held.release.number && stagedSeq !== undefined ? { ...one, staged: stagedSeq } : one,
  );
}

async function retake(ctx: Context, held: Held): Promise<Held> {
  const holding = await take({
    state: ctx.state,
    run: ctx.run,
    patience: ctx.fleet.patience,
    command: 'rollout',
    waitMs: ctx.fleet.patience.leaseMs,
  });
  return orGiveBack(ctx.run, holding, () => stillOurs(ctx, holding, held));
}

async function stillOurs(ctx: Context, holding: Holding, held: Held): Promise<Held> {
  const again = holding.head().open === held.release.number ? await holdOpen(ctx, holding) : undefined;
  if (again === undefined || !atSamePause(held.entries, again.entries)) {
    throw fail('SFX4102', `release ${held.release.number} was taken further by another command`);
  }
  return again;
}

function pastDeadline(ctx: Context, held: Held): boolean {
  const { deadlineMs } = held.release.rollout;
  return deadlineMs !== undefined && ctx.run.now() - Date.parse(held.release.by.at) > deadlineMs;
}

/** After a failure: back to what was before; after an interrupt: nothing but giving the lease back. */
export async function giveUp(ctx: Context, held: Held, error: unknown): Promise<Driven> {
  const percent = 0;
  if (isSfxError(error) && error.code === 'SFX4102') {
    held.holding.end();
    return { held, as: 'lost', percent, error };
  }
  if (stops(error)) return interrupted(ctx, held, error);
  try {
    const back = await goBack(ctx, held, asSfxError(error).message);
    return { held, as: back.as, percent, error, tables: back.tables };
  } catch (second) {
    return isSfxError(second) && second.code === 'SFX4102'
      ? { held, as: 'lost', percent, error: second }
      : interrupted(ctx, held, second);
  }
}

async function interrupted(ctx: Context, held: Held, error: unknown): Promise<Driven> {
  try {
    await held.holding.release((head) => ({ ...head, past: withStaged(head.past, held) }));
  } catch (second) {
    held.holding.end();
    ctx.run.emit({ code: 'note', text: `the lease could not be given back: ${asSfxError(second).message}` });
  }
  const tables = await tablesNow(ctx, held).catch(() => undefined);
  return { held, as: 'interrupted', percent: 0, error, ...(tables === undefined ? {} : { tables }) };
}
