import { fail } from '../errors.js';
import type { Context, Held } from './context.js';
import { giveUp } from './drive.js';
import { finishContract } from './finish.js';
import { orGiveBack } from './holding.js';
import { livePast } from './observe.js';
import { openPercent, refuseRemoving } from './open.js';
import type { Outcome } from './outcome.js';
import { frame, outcomeOf, unchanged, urlsOf } from './outcomes.js';
import { progressOf } from './progress.js';
import { secretsIn } from './refs.js';
import { goOn, type InTheWay, lookAtOpen } from './settle.js';
import { changedUnits } from './stage.js';
import { waitingTriggers } from './triggers.js';

/**
 * `sfx resume`: takes an interrupted release forward, on any machine. Before it was staged this needs the built code and
 * values at hand; without them it goes back, which loses nothing, for no traffic had moved. An open release that waits is
 * left as it is, a timed pause goes on; an unfinished contract is finished.
 */
export async function resumeRelease(ctx: Context, options: { readonly waitMs: number }): Promise<Outcome> {
  const began = ctx.run.now();
  const ended = { ctx, command: 'resume' as const, began };
  const { head } = await ctx.state.readHead();
  if (head === undefined) throw fail('SFX4119', 'nothing is deployed to this stage');
  const unsettled = head.open !== null || head.lease !== null;
  const way = unsettled ? await lookAtOpen(ctx, 'resume', options.waitMs) : undefined;
  if (way === undefined) return nothingOpen(ctx, ended, options.waitMs);
  return orGiveBack(ctx.run, way.held.holding, () => goOnOrBack(ctx, way, ended));
}

async function goOnOrBack(
  ctx: Context,
  { held, state }: InTheWay,
  ended: Parameters<typeof outcomeOf>[0],
): Promise<Outcome> {
  const { paused } = progressOf(held.entries);
  if (state === 'paused' && paused?.why !== 'time') {
    await held.holding.release((now) => now);
    return waiting(ended, held);
  }
  if (state === 'interrupted' && !(await canGoForward(ctx, held))) {
    const error = fail(
      'SFX5003',
      'it was cut off before everything was staged, and its code or values are not at hand here',
    );
    return outcomeOf(ended, await giveUp(ctx, held, error));
  }
  return outcomeOf(ended, await goOn(ctx, held, { pastPause: state === 'paused' }));
}

async function nothingOpen(
  ctx: Context,
  ended: Parameters<typeof outcomeOf>[0],
  waitMs: number,
): Promise<Outcome> {
  await finishContract(ctx, waitMs);
  const { head } = await ctx.state.readHead();
  refuseRemoving(ctx, head);
  if (head === undefined || livePast(head) === undefined)
    throw fail('SFX4113', 'no release is open, and none is live');
  return {
    ...unchanged(ended, head, await urlsOf(ctx)),
    sentence: `Nothing to resume. Release ${head.live} is live on ${ctx.scope.stage}.`,
  };
}

async function waiting(ended: Parameters<typeof outcomeOf>[0], held: Held): Promise<Outcome> {
  const { release } = held;
  const percent = openPercent(held);
  const stage = `--stage ${ended.ctx.scope.stage}`;
  return {
    ...frame(ended),
    ending: 'paused',
    exit: 5,
    release: { number: release.number, digest: release.digest, status: 'open' },
    serving: [
      { release: release.number, percent },
      { release: release.base, percent: 100 - percent },
    ],
    sentence: `Release ${release.number} takes ${percent} % and waits for a decision; nothing was interrupted.`,
    waits: waitingTriggers(held),
    leaves: [],
    next: [
      { label: 'promote', command: `sfx promote ${stage}` },
      { label: 'undo', command: `sfx rollback ${stage}` },
    ],
    urls: await urlsOf(ended.ctx),
    warnings: [],
  };
}

async function canGoForward(ctx: Context, held: Held): Promise<boolean> {
  if (progressOf(held.entries).staged !== undefined) return true;
  for (const of of changedUnits(held)) {
    if (secretsIn(of.part.config).some((secret) => !ctx.secrets?.has(secret))) return false;
    if ((await ctx.artifact?.(of.key, held.release.artifacts[of.key] ?? '')) === undefined) return false;
  }
  return true;
}
