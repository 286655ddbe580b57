import { fail } from '../errors.js';
import { canonical } from '../json.js';
import { releaseDigest, unitDigests } from '../plan/digests.js';
import type { Intent } from '../plan/intent.js';
import { makePlan, stepsOf } from '../plan/make.js';
import type { Plan } from '../plan/plan.js';
import { refuse, refuseReplacing } from '../plan/refuse.js';
import { type Head, type Past, type Release, STATE_VERSION } from '../state/documents.js';
import { counted } from '../text.js';
import { append, type Context, type Held } from './context.js';
import { drive, giveUp } from './drive.js';
import { finishContract } from './finish.js';
import { type Holding, orGiveBack } from './holding.js';
import { take } from './lease.js';
import { type Observation, observe, refuseStrange, tablesRead } from './observe.js';
import { refuseRemoving } from './open.js';
import type { Outcome } from './outcome.js';
import { outcomeOf, unchanged, urlsOf } from './outcomes.js';
import { handlerOf } from './resources.js';
import { cutOff, goOn, type InTheWay, lookAtOpen, type OnInterrupted, openError } from './settle.js';

export interface ReleaseOptions {
  /** How long to wait for another holder. */
  readonly waitMs: number;
  readonly supersede?: boolean;
  readonly onInterrupted?: OnInterrupted;
  /** A plan made earlier: refused (SFX4201) when it is not this plan any more. */
  readonly saved?: Plan;
  readonly canaryAsked?: boolean;
  readonly command?: string;
  /** Called with the plan before the first write. */
  readonly planned?: (plan: Plan) => void;
}

/** Step 1, and all that may be refused before anything is touched. Reads only. */
export async function planRelease(
  ctx: Context,
  intent: Intent,
): Promise<{ readonly plan: Plan; readonly observation: Observation }> {
  const observation = await observe(ctx, intent.irs);
  refuseRemoving(ctx, observation.at.head);
  const can = (provider: string) => ctx.fleet.can(provider);
  const units = unitDigests(intent.irs, intent.artifacts);
  if (observation.at.head?.open == null) refuseStrange(observation);
  const plan = makePlan({
    scope: ctx.scope,
    kind: 'deploy',
    intent,
    observation,
    can,
    identities: ctx.fleet.providers.map((name) => {
      const { where, as } = ctx.fleet.of(name).identity;
      return { name, where, ...(as === undefined ? {} : { as }) };
    }),
  });
  if (!plan.empty || observation.at.head?.origin !== intent.origin)
    refuse(intent, observation, can, releaseDigest(intent.irs, units));
  refuseReplacing(intent, observation, (provider, kind, from, to) =>
    handlerOf(ctx, provider, kind).change(from as never, to as never),
  );
  return { plan, observation };
}

/** `sfx deploy`: the whole protocol, from observing to contract. */
export async function deployRelease(ctx: Context, intent: Intent, options: ReleaseOptions): Promise<Outcome> {
  const began = ctx.run.now();
  await clearTheWay(ctx, options);
  await finishContract(ctx, options.waitMs);
  const { plan, observation } = await planRelease(ctx, intent);
  if (options.saved !== undefined) refuseStale(options.saved, plan);
  options.planned?.(plan);
  const ended = { ctx, command: 'deploy' as const, began, plan, canaryAsked: options.canaryAsked };
  if (plan.empty && observation.at.head?.live != null)
    return unchanged(ended, observation.at.head, await urlsOf(ctx), observation.live);
  const holding = await take({
    state: ctx.state,
    run: ctx.run,
    patience: ctx.fleet.patience,
    command: options.command ?? 'deploy',
    waitMs: options.waitMs,
    expect: observation.at.tag,
    born: () => firstHead(intent.origin, ctx.fleet.providers),
  });
  const release = newRelease(ctx, intent, observation);
  const held = await begin(ctx, holding, release, observation);
  return outcomeOf(ended, await drive(ctx, held, { kept: observation.liveVersions }));
}

/** Nothing new starts while a release is open: it is refused, taken back, or gone on with, as was asked. */
async function clearTheWay(ctx: Context, options: ReleaseOptions): Promise<void> {
  const { head } = await ctx.state.readHead();
  if (head === undefined || (head.open === null && head.lease === null)) return;
  const way = await lookAtOpen(ctx, options.command ?? 'deploy', options.waitMs);
  if (way === undefined) return;
  await orGiveBack(ctx.run, way.held.holding, () => settleOther(ctx, way, options));
}

async function settleOther(ctx: Context, { held, state }: InTheWay, options: ReleaseOptions): Promise<void> {
  if (state === 'paused') {
    if (!options.supersede) throw openError(held.holding.head(), held);
    return mustSettle(await giveUp(ctx, held, fail('SFX5003', 'superseded by a new deploy')));
  }
  switch (options.onInterrupted ?? 'fail') {
    case 'fail':
      throw await cutOff(ctx, held);
    case 'back':
      return mustSettle(await giveUp(ctx, held, fail('SFX5003', 'cut off, taken back by the next deploy')));
    case 'forward':
      return mustSettle(await goOn(ctx, held, {}));
  }
}

async function mustSettle(driven: Awaited<ReturnType<typeof giveUp>>): Promise<void> {
  if (driven.as === 'live' || driven.as === 'back' || driven.as === 'failed') return;
  throw fail('SFX4103', `release ${driven.held.release.number} could not be settled first`, {
    cause: driven.error,
  });
}

function refuseStale(saved: Plan, now: Plan): void {
  const moved: string[] = [];
  if (saved.service !== now.service || saved.stage !== now.stage)
    moved.push(`it is for ${saved.service} ${saved.stage}`);
  if (saved.bound.live !== now.bound.live)
    moved.push(`release ${now.bound.live ?? 'none'} is live, it was ${saved.bound.live ?? 'none'}`);
  if (saved.bound.next !== now.bound.next)
    moved.push(`${counted(now.bound.next - saved.bound.next, 'release')} made since`);
  if (saved.bound.config !== now.bound.config) moved.push('the configuration is another');
  if (canonical(saved.bound.units) !== canonical(now.bound.units))
    moved.push('the code or its configuration is another');
  if (saved.bound.tables !== now.bound.tables) moved.push('aliases were moved');
  if (canonical(saved.steps) !== canonical(now.steps)) moved.push('the rollout is another');
  if (moved.length > 0) throw fail('SFX4201', `the plan was made for another situation: ${moved.join('; ')}`);
}

export function firstHead(origin: string, providers: readonly string[]): Head {
  return {
    version: STATE_VERSION,
    origin,
    providers,
    next: 1,
    live: null,
    open: null,
    contract: null,
    tables: {},
    fence: 0,
    lease: null,
    retiring: [],
    tags: {},
    past: [],
  };
}

function newRelease(ctx: Context, intent: Intent, observation: Observation): Release {
  const units = unitDigests(intent.irs, intent.artifacts);
  return {
    version: STATE_VERSION,
    number: observation.at.head?.next ?? 1,
    digest: releaseDigest(intent.irs, units),
    kind: 'deploy',
    base: observation.at.head?.live ?? null,
    irs: intent.irs,
    artifacts: intent.artifacts,
    units,
    undo: tablesRead(observation),
    rollout: { ...intent.rollout, steps: stepsOf(intent, observation.live !== undefined) },
    checks: intent.checks,
    keep: intent.keep,
    ...(intent.tag === undefined ? {} : { tag: intent.tag }),
    by: { ...intent.by, at: new Date(ctx.run.now()).toISOString() },
  };
}

/** Step 3: head says that the release is open, then its record with the undo tables, then the journal begins. */
export async function begin(
  ctx: Context,
  holding: Holding,
  release: Release,
  observation: Pick<Observation, 'live'>,
): Promise<Held> {
  const line = (began: number): Past => ({
    number: release.number,
    digest: release.digest,
    kind: release.kind,
    ...(release.of === undefined ? {} : { of: release.of }),
    status: 'open',
    by: release.by,
    ...(release.tag === undefined ? {} : { tag: release.tag }),
    began,
  });
  return orGiveBack(ctx.run, holding, () => record(ctx, holding, release, observation, line));
}

async function record(
  ctx: Context,
  holding: Holding,
  release: Release,
  observation: Pick<Observation, 'live'>,
  line: (began: number) => Past,
): Promise<Held> {
  const began = (await holding.lastSeq()) + 1;
  await holding.change((head) => ({
    ...head,
    next: release.number + 1,
    open: release.number,
    providers: [...new Set([...head.providers, ...Object.keys(release.irs)])].sort(),
    tags: release.tag === undefined ? head.tags : { ...head.tags, [release.tag]: release.number },
    past: [...head.past, line(began)],
  }));
  const held: Held = { release, base: observation.live, entries: [], holding };
  await ctx.state.createRelease(release);
  await append(held, { kind: 'taken', by: ctx.run.holder.name, command: release.kind });
  return held;
}
