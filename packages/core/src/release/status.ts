import type { Alias, Connection, Metrics, Version } from '../provider/contract.js';
import type { Head, Lease, Release } from '../state/documents.js';
import type { Context, Work } from './context.js';
import { aliasesOf, type Of, unitsOf } from './fleet.js';
import { readAliases, type States } from './flip.js';
import { each } from './limits.js';
import { livePast } from './observe.js';
import { openPast, openPercent, openState, openWork } from './open.js';
import type { AliasReport, Next, ReleasesReport, Status, UnitStatus } from './outcome.js';
import { urlsOf } from './outcomes.js';
import { progressOf } from './progress.js';
import { reachable } from './select.js';
import { sameTable, tablesMeant } from './tables.js';
import { pullsOf } from './triggers.js';
import { type Kept, kept } from './window.js';

/** How far back status looks for metrics when nothing is open. */
const METRICS_MS = 15 * 60 * 1000;

/** `sfx status`: who gets traffic now, read from the provider, and what state says about it. Reads only, takes no lease. */
export async function statusOf(ctx: Context): Promise<Status> {
  const { head } = await ctx.state.readHead();
  const provider = ctx.fleet.providers.join(', ');
  const identity = ctx.fleet.of(ctx.fleet.providers[0]!).identity;
  const base = {
    version: 1 as const,
    ...ctx.scope,
    provider,
    where: identity.where,
    ...(identity.as === undefined ? {} : { as: identity.as }),
    metricsByVersion: ctx.fleet.providers.every((name) => ctx.fleet.can(name).metricsByVersion),
    readAt: new Date(ctx.run.now()).toISOString(),
  };
  if (head === undefined) {
    return { ...base, release: null, state: 'empty', units: [], urls: {}, drift: [], lease: null, next: [] };
  }
  const seen = await look(ctx, head);
  const { work } = seen;
  const past = livePast(head);
  const state = stateOf(ctx, head, work);
  const candidate = work === undefined ? undefined : candidateOf(head, work, state);
  return {
    ...base,
    release:
      past === undefined
        ? null
        : { number: past.number, digest: past.digest, status: past.status, by: past.by },
    ...(candidate === undefined ? {} : { candidate }),
    state,
    units: await unitStatuses(ctx, seen),
    urls: await urlsOf(ctx),
    ...pullsOf(seen.live?.release),
    drift: driftOf(head, seen),
    lease: leaseOf(head.lease),
    next: head.removing
      ? [{ label: 'forward', command: `sfx remove --stage ${ctx.scope.stage}` }]
      : nextOf(ctx, state),
  };
}

function stateOf(ctx: Context, head: Head, work: Work | undefined): Status['state'] {
  if (head.removing) return 'interrupted';
  if (work !== undefined) {
    if (head.lease !== null)
      return ctx.run.isGone(head.lease.holder) === true || expired(ctx, head.lease)
        ? 'interrupted'
        : 'shifting';
    const partial = head.past.find((one) => one.number === head.open)?.status === 'partial';
    const open = openState(work);
    if (open === 'paused') return progressOf(work.entries).paused?.why === 'gate' ? 'canary' : 'paused';
    return partial ? 'partial' : 'interrupted';
  }
  if (head.live === null) return 'empty';
  return head.contract === null ? 'settled' : 'contract';
}

/** For showing only: clocks of two machines are never compared to take a lease over. */
function expired(ctx: Context, lease: Lease): boolean {
  return ctx.run.now() - lease.beat > lease.ttlMs;
}

function candidateOf(head: Head, work: Work, state: Status['state']): Status['candidate'] {
  const past = openPast(head)!;
  const shown =
    state === 'canary'
      ? 'open'
      : state === 'paused'
        ? 'paused'
        : state === 'shifting'
          ? 'shifting'
          : 'interrupted';
  return { release: past.number, percent: openPercent(work), by: past.by, state: shown };
}

/** What is read once for all parts of a status. */
interface Seen {
  readonly live: Kept | undefined;
  readonly work: Work | undefined;
  readonly aliases: readonly Of<Alias>[];
  readonly states: States;
}

async function look(ctx: Context, head: Head): Promise<Seen> {
  const work = await openWork(ctx, head);
  const past = livePast(head);
  const live = past && (await kept(ctx.state, past));
  const aliases = aliasesOf(live?.release.irs ?? {}, work?.release.irs ?? {});
  return { live, work, aliases, states: await readAliases(ctx, aliases) };
}

async function unitStatuses(ctx: Context, { live, work, aliases, states }: Seen): Promise<UnitStatus[]> {
  const since = new Date(work === undefined ? ctx.run.now() - METRICS_MS : Date.parse(work.release.by.at));
  const units = unitsOf({ ...live?.release.irs, ...work?.release.irs });
  const all = await each(units, 8, async (of): Promise<UnitStatus | undefined> => {
    const row = aliases
      .filter((alias) => alias.provider === of.provider)
      .map((alias) => states[alias.key]?.table[of.part.id])
      .find((split) => split !== undefined);
    if (row === undefined) return undefined;
    const version = (id: string | undefined, release: Release | undefined): Version | undefined =>
      id === undefined ? undefined : { unit: of.part.id, id, digest: release?.units[of.key] ?? 'sha256:' };
    const connection = ctx.fleet.of(of.provider);
    const stable = await metricsOf(ctx, connection, version(row.stable, live?.release), since);
    const candidate = await metricsOf(ctx, connection, version(row.candidate?.version, work?.release), since);
    const metrics = { ...(stable ? { stable } : {}), ...(candidate ? { candidate } : {}) };
    return {
      name: of.part.id,
      functions: of.part.functions,
      stable: row.stable,
      ...(row.candidate === undefined ? {} : { candidate: row.candidate.version }),
      ...(stable || candidate ? { metrics } : {}),
    };
  });
  return all.filter((one) => one !== undefined);
}

async function metricsOf(
  ctx: Context,
  connection: Connection,
  version: Version | undefined,
  since: Date,
): Promise<Metrics | undefined> {
  if (version === undefined || !connection.capabilities.metricsByVersion) return undefined;
  return connection.metrics?.(version, since, new Date(ctx.run.now() + 1));
}

function driftOf(head: Head, { work, states }: Seen): AliasReport[] {
  return Object.entries(states)
    .filter(([key, state]) => {
      const meant = [
        head.tables[key] ?? {},
        ...(work === undefined ? [] : tablesMeant(work.release, work.entries, key)),
      ];
      return !meant.some((table) => sameTable(table, state.table));
    })
    .map(([alias, state]) => ({ alias, table: state.table }));
}

function leaseOf(lease: Lease | null): Status['lease'] {
  return lease === null
    ? null
    : { holder: lease.holder.name, command: lease.command, since: new Date(lease.beat).toISOString() };
}

function nextOf(ctx: Context, state: Status['state']): Next[] {
  const stage = `--stage ${ctx.scope.stage}`;
  if (state === 'canary' || state === 'paused') {
    return [
      { label: 'promote', command: `sfx promote ${stage}` },
      { label: 'undo', command: `sfx rollback ${stage}` },
    ];
  }
  if (state === 'interrupted' || state === 'partial') {
    return [
      { label: 'forward', command: `sfx resume ${stage}` },
      { label: 'back', command: `sfx rollback ${stage}` },
    ];
  }
  return [];
}

/** `sfx releases`: newest first. */
export async function releasesOf(ctx: Context): Promise<ReleasesReport> {
  const { head } = await ctx.state.readHead();
  const past = head && livePast(head);
  const keep = past === undefined ? 5 : ((await kept(ctx.state, past))?.release.keep ?? 5);
  return {
    version: 1,
    ...ctx.scope,
    live: head?.live ?? null,
    open: head?.open ?? null,
    keep,
    releases:
      head === undefined
        ? []
        : [...head.past].reverse().map((one) => ({ ...one, reachable: reachable(head, one, keep) })),
  };
}
