import { fail } from '../errors.js';
import type { Intent } from '../plan/intent.js';
import { makePlan } from '../plan/make.js';
import type { Plan } from '../plan/plan.js';
import { type By, type Head, type Past, type Release, STATE_VERSION } from '../state/documents.js';
import { append, type Context, type Held } from './context.js';
import { begin } from './deploy.js';
import { type Driven, drive, giveUp } from './drive.js';
import { finishContract } from './finish.js';
import { unitsOf } from './fleet.js';
import { orGiveBack } from './holding.js';
import { take } from './lease.js';
import { each } from './limits.js';
import { type Observation, observe, refuseStrange, tablesRead } from './observe.js';
import { refuseRemoving } from './open.js';
import type { Outcome } from './outcome.js';
import { frame, outcomeOf, urlsOf } from './outcomes.js';
import { defaultTarget, select } from './select.js';
import { lookAtOpen } from './settle.js';
import { type Kept, kept } from './window.js';

export interface RollbackOptions {
  readonly waitMs: number;
  /** Number, `~n`, tag, digest or git sha; without it the obvious one. */
  readonly to?: string;
  readonly by: By;
}

/**
 * `sfx rollback`: an interrupted release goes back to before it; an open canary goes to 0 % and is marked rolled back; else
 * an earlier good release comes back as a new one that says which it equals. Needs state and provider only.
 */
export async function rollbackRelease(ctx: Context, options: RollbackOptions): Promise<Outcome> {
  const began = ctx.run.now();
  const { head } = await ctx.state.readHead();
  if (head === undefined) throw fail('SFX4119', 'nothing is deployed to this stage');
  if (head.open !== null || head.lease !== null) {
    const way = await lookAtOpen(ctx, 'rollback', options.waitMs, true);
    if (way !== undefined)
      return orGiveBack(ctx.run, way.held.holding, () => closeOpen(ctx, way.held, began));
    const settled = await settledMeanwhile(ctx, head, began);
    if (settled !== undefined) return settled;
  }
  await finishContract(ctx, options.waitMs);
  const { plan, target, observation } = await planRollback(ctx, options.to);
  const holding = await take({
    state: ctx.state,
    run: ctx.run,
    patience: ctx.fleet.patience,
    command: 'rollback',
    waitMs: options.waitMs,
    expect: observation.at.tag,
  });
  const held = await begin(ctx, holding, rollbackOf(ctx, target, observation, options.by), observation);
  await orGiveBack(ctx.run, holding, () => append(held, { kind: 'staged', versions: target.versions }));
  return outcomeOf(
    { ctx, command: 'rollback', began, plan },
    await drive(ctx, held, { kept: target.versions }),
  );
}

/** What a rollback from a live release would do. Reads only; an open release is not looked at. */
export async function planRollback(
  ctx: Context,
  to: string | undefined,
): Promise<{ readonly plan: Plan; readonly target: Kept; readonly observation: Observation }> {
  const { head } = await ctx.state.readHead();
  if (head === undefined) throw fail('SFX4119', 'nothing is deployed to this stage');
  refuseRemoving(ctx, head);
  const past = to === undefined ? defaultTarget(head) : select(head, to);
  if (past.number === head.live) throw fail('SFX4112', `release ${past.number} is live already`);
  const target = await wholeTarget(ctx, head, past);
  const observation = await observe(ctx, target.release.irs);
  if (head.open === null) refuseStrange(observation);
  await refuseGone(ctx, head, target, observation);
  const { release } = target;
  const intent: Intent = {
    irs: release.irs,
    artifacts: release.artifacts,
    rollout: { ...release.rollout, steps: [{ weight: 100 }], bakeMs: 0 },
    checks: [],
    keep: release.keep,
    origin: head.origin,
    by: release.by,
  };
  const plan = makePlan({
    scope: ctx.scope,
    kind: 'rollback',
    of: past.number,
    intent,
    observation,
    can: (provider) => ctx.fleet.can(provider),
    identities: ctx.fleet.providers.map((name) => ({ name, where: ctx.fleet.of(name).identity.where })),
  });
  return { plan: { ...plan, digest: release.digest }, target, observation };
}

async function wholeTarget(ctx: Context, head: Head, past: Past): Promise<Kept> {
  const target = await kept(ctx.state, past);
  if (target !== undefined && past.staged !== undefined) return target;
  throw fail('SFX4112', `release ${past.number} is out of the rollback window: its versions are not kept`, {
    hint: nearest(head, past),
  });
}

function nearest(head: Head, past: Past): string {
  const whole = head.past
    .filter(
      (one) =>
        one.staged !== undefined && !one.forgotten && one.number !== head.live && one.status !== 'failed',
    )
    .sort((a, b) => Math.abs(a.number - past.number) - Math.abs(b.number - past.number));
  return whole[0] === undefined
    ? 'No other release is kept.'
    : `The nearest release that is whole is ${whole[0].number}.`;
}

/** Refused before any write when a version that would take traffic is not there any more. */
async function refuseGone(ctx: Context, head: Head, target: Kept, observation: Observation): Promise<void> {
  const moving = unitsOf(target.release.irs).filter(
    (of) => observation.liveVersions[of.key]?.id !== target.versions[of.key]?.id,
  );
  const gone = await each(moving, 8, async (of) => {
    const wanted = target.versions[of.key]!;
    const there = await ctx.fleet.read(of.provider, 'versions.list', of.part.id, (connection) =>
      connection.versions.list(of.part.id),
    );
    return there.some((version) => version.id === wanted.id) ? undefined : `${wanted.id} of ${of.part.id}`;
  });
  const missing = gone.filter((one) => one !== undefined);
  if (missing.length > 0) {
    const others = { ...head, past: head.past.filter((one) => one.number !== target.past.number) };
    throw fail(
      'SFX3105',
      `release ${target.past.number} is not whole: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} gone`,
      {
        hint: nearest(others, target.past),
      },
    );
  }
}

function rollbackOf(ctx: Context, target: Kept, observation: Observation, by: By): Release {
  const { release, past } = target;
  return {
    version: STATE_VERSION,
    number: observation.at.head!.next,
    digest: release.digest,
    kind: 'rollback',
    of: release.of ?? past.number,
    base: observation.at.head!.live,
    irs: release.irs,
    artifacts: release.artifacts,
    units: release.units,
    undo: tablesRead(observation),
    rollout: { steps: [{ weight: 100 }], onFailure: 'rollback', bakeMs: 0, expand: 'late' },
    checks: [],
    keep: release.keep,
    by: { ...by, at: new Date(ctx.run.now()).toISOString() },
  };
}

async function closeOpen(ctx: Context, held: Held, began: number): Promise<Outcome> {
  const driven = await giveUp(ctx, held, fail('SFX5003', 'rolled back by hand'));
  return asked(await outcomeOf({ ctx, command: 'rollback', began }, driven), driven);
}

/** A rollback that was asked for and came through is a success. */
function asked(outcome: Outcome, driven: Driven): Outcome {
  if (driven.as !== 'back' && driven.as !== 'failed') return outcome;
  const { error: _, ...rest } = outcome;
  return { ...rest, exit: 0, ending: 'rolled back' };
}

/**
 * What the open release came to while this command waited: its holder went back because it was asked to, or it had died
 * before its release began. Then there is nothing left to take back, and the live release must not be taken for it.
 */
async function settledMeanwhile(ctx: Context, before: Head, began: number): Promise<Outcome | undefined> {
  const { head } = await ctx.state.readHead();
  if (head === undefined) return undefined;
  const ended = { ctx, command: 'rollback' as const, began };
  const past = head.past.find((one) => one.number === before.open);
  const neverBegan = before.open === null && before.contract === null && head.next === before.next;
  if (neverBegan || (past?.status === 'failed' && past.forgotten)) return nothingBegan(ended, head);
  if (past === undefined || (past.status !== 'rolled back' && past.status !== 'failed')) return undefined;
  const release = await ctx.state.readRelease(past.number);
  const base = release.base === null ? undefined : await ctx.state.readRelease(release.base);
  const held = { release, base, entries: [...(await ctx.state.entriesOf(past.number, past.began))] };
  return asked(await outcomeOf(ended, { held, as: 'back', percent: 0 }), { held, as: 'back', percent: 0 });
}

async function nothingBegan(ended: Parameters<typeof outcomeOf>[0], head: Head): Promise<Outcome> {
  const { stage } = ended.ctx.scope;
  const live = head.past.find((one) => one.number === head.live);
  const stays =
    live === undefined ? `Nothing is live on ${stage}.` : `Release ${live.number} takes 100 % of ${stage}.`;
  return {
    ...frame(ended),
    ending: 'unchanged',
    exit: 0,
    release: live === undefined ? null : { number: live.number, digest: live.digest, status: 'live' },
    serving: live === undefined ? [] : [{ release: live.number, percent: 100 }],
    sentence: `${stays} What was cut off had begun nothing, so there is nothing to take back.`,
    waits: [],
    leaves: [],
    next: [],
    urls: await urlsOf(ended.ctx),
    warnings: [],
  };
}
