import { fail, isSfxError } from '../errors.js';
import type { Digest } from '../json.js';
import { releaseDigest, unitDigests } from '../plan/digests.js';
import type { Intent } from '../plan/intent.js';
import type { Version } from '../provider/contract.js';
import { type Head, type Past, type Qualified, type Release, STATE_VERSION } from '../state/documents.js';
import { append, type Context, type Held } from './context.js';
import { firstHead } from './deploy.js';
import { qualify, unitsOf } from './fleet.js';
import { type Holding, orGiveBack } from './holding.js';
import { take } from './lease.js';
import { each } from './limits.js';
import { type Observation, observe, tablesRead } from './observe.js';
import { holdOpen } from './open.js';
import type { Outcome } from './outcome.js';
import { frame, urlsOf } from './outcomes.js';
import { withoutEmpty } from './tables.js';

/**
 * `sfx adopt`: takes what is live as it is for the truth, as a release of its own. For state that was lost or is older than
 * what is live, an alias that was moved by hand, a service that came from another origin. Moves no traffic.
 */
export async function adoptRelease(
  ctx: Context,
  intent: Intent,
  options: { readonly waitMs: number },
): Promise<Outcome> {
  const began = ctx.run.now();
  const seen = await observe(ctx, intent.irs);
  const stamps = Object.values(seen.states).flatMap((state) =>
    state.stamp === undefined ? [] : [state.stamp],
  );
  const fence = Math.max(0, ...stamps.map((stamp) => stamp.fence));
  const newest = Math.max(0, ...stamps.map((stamp) => stamp.release));
  const before = seen.at.head;
  if (
    before === undefined &&
    Object.values(seen.states).every((state) => Object.keys(state.table).length === 0)
  ) {
    throw fail('SFX4119', 'nothing is live here that could be adopted');
  }
  const holding = await take({
    state: ctx.state,
    run: ctx.run,
    patience: ctx.fleet.patience,
    command: 'adopt',
    waitMs: options.waitMs,
    born: () => ({ ...firstHead(intent.origin, ctx.fleet.providers), fence, next: newest + 1 }),
  });
  const release = await orGiveBack(ctx.run, holding, () =>
    adoptUnder(ctx, holding, intent, seen, { fence, newest }),
  );
  const { number } = release;
  return {
    ...frame({ ctx, command: 'adopt', began }),
    ending: 'adopted',
    exit: 0,
    release: { number, digest: release.digest, status: 'live' },
    serving: [{ release: number, percent: 100 }],
    sentence: `Release ${number} is what was live on ${ctx.scope.stage}. No traffic moved.`,
    waits: [],
    leaves: [],
    next: [{ label: 'forward', command: `sfx plan --stage ${ctx.scope.stage}` }],
    urls: await urlsOf(ctx),
    warnings: [],
  };
}

async function adoptUnder(
  ctx: Context,
  holding: Holding,
  intent: Intent,
  seen: Observation,
  { fence, newest }: { readonly fence: number; readonly newest: number },
): Promise<Release> {
  await closeOpen(ctx, holding);
  const found = await versionsLive(ctx, intent, seen);
  const release = await recorded(ctx, Math.max(holding.head().next, newest + 1), (free) =>
    adopted(ctx, intent, seen, free, holding.head(), found),
  );
  const { number } = release;
  const held: Held = { release, base: undefined, entries: [], holding };
  const line = await journalled(ctx, held, found);
  await holding.release(({ removing: _, ...head }) => ({
    ...head,
    origin: intent.origin,
    fence: Math.max(head.fence, fence),
    next: number + 1,
    live: number,
    open: null,
    contract: null,
    tables: withoutEmpty(tablesRead(seen)),
    past: [
      ...head.past.map((one) => (one.status === 'live' ? { ...one, status: 'superseded' as const } : one)),
      line,
    ],
  }));
  return release;
}

/** Records that may be left of a state that was lost in part. */
const LEFT_OVER = 1_000;

/** Keeps the release under the first free number: an adoption that was cut off, or a lost head, leaves records behind. */
async function recorded(ctx: Context, from: number, make: (number: number) => Release): Promise<Release> {
  for (let number = from; ; number++) {
    const release = make(number);
    try {
      await ctx.state.createRelease(release);
      return release;
    } catch (error) {
      if (!isSfxError(error) || error.code !== 'SFX4122' || number > from + LEFT_OVER) throw error;
    }
  }
}

/** A release that cannot be settled because somebody moved its aliases ends as partial here. */
async function closeOpen(ctx: Context, holding: Holding): Promise<void> {
  const open = await holdOpen(ctx, holding);
  if (open === undefined) return;
  await append(open, { kind: 'ended', as: 'partial', tables: {}, why: 'adopted as it was' });
  await holding.change((head) => ({
    ...head,
    open: null,
    past: head.past.map((one) =>
      one.number === open.release.number ? { ...one, status: 'partial' as const } : one,
    ),
  }));
}

/** Of a unit whose version is not what the files would give: nobody knows what it was made of. */
export const UNKNOWN_CODE: Digest = 'sha256:unknown';

type Found = Readonly<Record<Qualified, Version>>;

/** The versions that take traffic now, by unit. A version that its provider does not list is told, not invented. */
async function versionsLive(ctx: Context, intent: Intent, seen: Observation): Promise<Found> {
  const found: Record<Qualified, Version> = {};
  await each(unitsOf({ ...seen.live?.irs, ...intent.irs }), 8, async (of) => {
    const stable = Object.entries(seen.states)
      .filter(([alias]) => alias.startsWith(`${of.provider}/`))
      .map(([, state]) => state.table[of.part.id]?.stable)
      .find((id) => id !== undefined);
    if (stable === undefined) return;
    const versions = await ctx.fleet.read(of.provider, 'versions.list', of.part.id, (connection) =>
      connection.versions.list(of.part.id),
    );
    const version = versions.find((one) => one.id === stable);
    if (version === undefined)
      throw fail('SFX3105', `version ${stable} of ${of.part.id} takes traffic, but is not one that sfx made`);
    found[qualify(of.provider, of.part.id)] = version;
  });
  return found;
}

function adopted(
  ctx: Context,
  intent: Intent,
  seen: Observation,
  number: number,
  head: Head,
  found: Found,
): Release {
  const units = Object.fromEntries(Object.entries(found).map(([key, version]) => [key, version.digest]));
  const wanted = unitDigests(intent.irs, intent.artifacts);
  return {
    version: STATE_VERSION,
    number,
    digest: releaseDigest(intent.irs, units),
    kind: 'adopt',
    base: head.live,
    irs: intent.irs,
    artifacts: Object.fromEntries(
      Object.entries(found).map(([key, version]) => [
        key,
        version.digest === wanted[key] ? intent.artifacts[key]! : UNKNOWN_CODE,
      ]),
    ),
    units,
    undo: tablesRead(seen),
    rollout: { steps: [{ weight: 100 }], onFailure: 'rollback', bakeMs: 0, expand: 'late' },
    checks: [],
    keep: intent.keep,
    by: { ...intent.by, at: new Date(ctx.run.now()).toISOString() },
  };
}

async function journalled(ctx: Context, held: Held, found: Found): Promise<Past> {
  const { release, holding } = held;
  const began = (await holding.lastSeq()) + 1;
  await append(held, { kind: 'taken', by: ctx.run.holder.name, command: 'adopt' });
  const staged = await holding.append(release.number, { kind: 'staged', versions: found });
  await append(held, { kind: 'ended', as: 'live', tables: withoutEmpty(release.undo) });
  return {
    number: release.number,
    digest: release.digest,
    kind: 'adopt',
    status: 'live',
    by: release.by,
    began,
    staged: staged.seq,
  };
}
