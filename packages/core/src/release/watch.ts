import { messageOf } from '../errors.js';
import type { Metrics } from '../provider/contract.js';
import type { Release } from '../state/documents.js';
import { stops } from './back.js';
import type { Context, Held, Work } from './context.js';
import { judge, type Observation, type Verdict } from './judge.js';
import { each } from './limits.js';
import { openPast } from './open.js';
import { atSamePause, progressOf } from './progress.js';
import type { Analysis } from './rollout.js';
import { changedUnits } from './stage.js';

export interface Watched {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly reasons: readonly string[];
  readonly stableFails: boolean;
  /** Another command took the release over meanwhile. */
  readonly elsewhere: boolean;
}

/**
 * Waits out a timed pause, judging meanwhile where the rollout asks for analysis. Reads only, without a lease. Ends early
 * when the failure limit is reached. A last judgement that fails is a failure; too little traffic is never a pass.
 */
export async function watch(
  ctx: Context,
  held: Held,
  pause: { readonly percent: number; readonly until: number },
): Promise<Watched> {
  const { analysis } = held.release.rollout;
  const since = new Date(progressOf(held.entries).movedAt ?? held.release.by.at);
  if (analysis === undefined) {
    ctx.run.emit({
      code: 'wait',
      why: `the rollout pauses at ${pause.percent} %`,
      ms: pause.until - ctx.run.now(),
    });
    await ctx.run.sleep(Math.max(0, pause.until - ctx.run.now()));
    return { verdict: 'pass', reasons: [], stableFails: false, elsewhere: await takenOver(ctx, held) };
  }
  let failures = 0;
  let wait = Math.max(analysis.initialDelayMs, analysis.intervalMs);
  for (;;) {
    await ctx.run.sleep(Math.max(0, Math.min(wait, pause.until - ctx.run.now())));
    wait = analysis.intervalMs;
    if (await takenOver(ctx, held))
      return { verdict: 'inconclusive', reasons: [], stableFails: false, elsewhere: true };
    const verdict = await judged(ctx, held, analysis, since);
    ctx.run.emit({
      code: 'judged',
      release: held.release.number,
      percent: pause.percent,
      verdict: verdict.verdict,
      reasons: verdict.reasons,
    });
    failures = verdict.verdict === 'fail' ? failures + 1 : 0;
    if (failures >= analysis.failureLimit || ctx.run.now() >= pause.until)
      return { ...verdict, elsewhere: false };
  }
}

/** Numbers that cannot be read are not a pass and not a failure. */
async function judged(ctx: Context, held: Work, analysis: Analysis, since: Date): Promise<Verdict> {
  try {
    return judge(analysis, await observations(ctx, held, since));
  } catch (error) {
    if (stops(error)) throw error;
    return {
      verdict: 'inconclusive',
      reasons: [`metrics cannot be read: ${messageOf(error)}`],
      stableFails: false,
    };
  }
}

/** A command that was refused held the lease too, and changed nothing: what counts is the journal. */
async function takenOver(ctx: Context, held: Held): Promise<boolean> {
  const { head } = await ctx.state.readHead();
  const past = head && openPast(head);
  if (head === undefined || past?.number !== held.release.number) return true;
  if (head.fence === held.holding.fence) return false;
  return !atSamePause(held.entries, await ctx.state.entriesOf(past.number, past.began));
}

async function observations(ctx: Context, held: Work, since: Date): Promise<Observation[]> {
  const { staged = {} } = progressOf(held.entries);
  const until = new Date(ctx.run.now());
  const units = changedUnits(held).filter((of) => stableOf(held, of.provider, of.part.id) !== undefined);
  return each(units, 8, async (of) => {
    const read = async (id: string | undefined, from: Release | undefined): Promise<Metrics | undefined> => {
      const digest = from?.units[of.key];
      if (id === undefined || digest === undefined) return undefined;
      const version = { unit: of.part.id, id, digest };
      return ctx.fleet.read(of.provider, 'metrics', of.part.id, async (connection) =>
        connection.metrics?.(version, since, until),
      );
    };
    return {
      unit: of.part.id,
      stable: await read(stableOf(held, of.provider, of.part.id), held.base),
      candidate: await read(staged[of.key]?.id, held.release),
    };
  });
}

function stableOf(held: Work, provider: string, unit: string): string | undefined {
  for (const [alias, table] of Object.entries(held.release.undo)) {
    if (alias.startsWith(`${provider}/`) && table[unit] !== undefined) return table[unit].stable;
  }
  return undefined;
}

/** What callers met of a candidate while it had traffic; undefined where that cannot be told. */
export async function hurtBy(
  ctx: Context,
  held: Work,
): Promise<{ readonly calls: number; readonly errors: number } | undefined> {
  const { movedAt } = progressOf(held.entries);
  if (movedAt === undefined || !ctx.fleet.providers.every((name) => ctx.fleet.can(name).metricsByVersion))
    return undefined;
  const all = await observations(ctx, held, new Date(movedAt));
  return {
    calls: all.reduce((sum, one) => sum + (one.candidate?.requests ?? 0), 0),
    errors: all.reduce((sum, one) => sum + (one.candidate?.errors ?? 0), 0),
  };
}
