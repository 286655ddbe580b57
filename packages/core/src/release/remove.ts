import { fail } from '../errors.js';
import type { Alias, Ir, Resource, Trigger, Unit, Version } from '../provider/contract.js';
import type { Release } from '../state/documents.js';
import { counted } from '../text.js';
import { type Context, step } from './context.js';
import {
  aliasesOf,
  infraOf,
  type Of,
  qualify,
  splitQualified,
  triggersOf,
  unitsOf,
  type VersionsByUnit,
} from './fleet.js';
import { readAlias } from './flip.js';
import { type Holding, orGiveBack } from './holding.js';
import { take } from './lease.js';
import { each } from './limits.js';
import { holdOpen } from './open.js';
import type { Outcome } from './outcome.js';
import { frame } from './outcomes.js';
import { progressOf } from './progress.js';
import { handlerOf, lookOf, readResource, resourceKey } from './resources.js';
import { sameTable } from './tables.js';
import { kept, versionKey } from './window.js';

/**
 * `sfx remove`: takes away everything of one stage, callers first: triggers, aliases, versions, infra; what holds data
 * stays and is named. Touches nothing of another stage. Safe to repeat: a second run finishes what the first left.
 */
export async function removeStage(ctx: Context, options: { readonly waitMs: number }): Promise<Outcome> {
  const began = ctx.run.now();
  const { head } = await ctx.state.readHead();
  if (head === undefined) throw fail('SFX4119', 'nothing is deployed to this stage');
  const holding = await take({
    state: ctx.state,
    run: ctx.run,
    patience: ctx.fleet.patience,
    command: 'remove',
    waitMs: options.waitMs,
  });
  const parts = await orGiveBack(ctx.run, holding, async () => {
    await holding.change((now) => ({ ...now, removing: true }));
    const all = await partsOfAll(ctx, holding);
    await step(ctx.run, 'remove', () => takeAllAway(ctx, holding, all));
    // Cut off among its documents, a removal that is run again must not ask for those that are gone already.
    await holding.change((head) => ({
      ...head,
      live: null,
      open: null,
      contract: null,
      tables: {},
      past: head.past.map((one) => ({ ...one, forgotten: true as const })),
    }));
    await ctx.state.removeAll();
    return all;
  });
  holding.end();
  const data = parts.infra.filter((of) => of.part.data);
  const leaves = data.map((of) => of.part.id);
  return {
    ...frame({ ctx, command: 'remove', began }),
    ending: 'removed',
    exit: 0,
    release: null,
    serving: [],
    sentence: `Nothing of ${ctx.scope.service} is left on ${ctx.scope.stage}${leaves.length > 0 ? ` but ${leaves.join(', ')}, which holds data` : ''}.`,
    waits: [],
    leaves,
    next: [],
    urls: {},
    warnings: [],
  };
}

interface Parts {
  readonly triggers: readonly Of<Trigger>[];
  readonly aliases: readonly Of<Alias>[];
  readonly units: readonly Of<Unit>[];
  readonly infra: readonly Of<Resource>[];
  /** Versions that state knows of. */
  readonly versions: readonly Owned[];
}

interface Owned {
  readonly provider: string;
  readonly version: Version;
}

async function takeAllAway(ctx: Context, holding: Holding, parts: Parts): Promise<string> {
  const stamp = { release: 0, fence: holding.fence };
  await each(parts.triggers, 8, (of) => removeResource(ctx, holding, of, stamp));
  await each(parts.aliases, 8, (of) => removeAlias(ctx, holding, of, stamp));
  const removed = new Set((await each(parts.units, 8, (of) => removeVersions(ctx, holding, of))).flat());
  // One that is half removed is not listed any more; one of a unit that is long gone is not looked for.
  const left = parts.versions.filter((one) => !removed.has(versionKey(one.provider, one.version)));
  await each(left, 8, (one) => removeVersion(ctx, holding, one));
  for (const of of parts.infra.filter((one) => !one.part.data).reverse())
    await removeResource(ctx, holding, of, stamp);
  const keepsData = new Set(parts.infra.filter((one) => one.part.data).map((of) => of.provider));
  for (const provider of ctx.fleet.providers.filter((name) => !keepsData.has(name))) {
    await ctx.fleet.write(provider, 'forget', provider, holding.guard, async (connection) =>
      connection.forget?.(),
    );
  }
  return `${counted(parts.units.length, 'function')}, ${counted(parts.triggers.length, 'trigger')}`;
}

/** Everything that any release of this stage that is still known had. */
async function partsOfAll(ctx: Context, holding: Holding): Promise<Parts> {
  const open = await holdOpen(ctx, holding);
  const known = open === undefined ? [] : [releaseWith(open.release, progressOf(open.entries).staged)];
  for (const past of holding.head().past) {
    const one = past.number === open?.release.number ? undefined : await kept(ctx.state, past);
    if (one !== undefined) known.push(releaseWith(one.release, one.versions));
  }
  const irs = known.map((one) => one.irs);
  const unique = <T>(all: readonly T[], key: (one: T) => string) => [
    ...new Map(all.map((one) => [key(one), one])).values(),
  ];
  return {
    triggers: unique(irs.flatMap(triggersOf), resourceKey),
    aliases: aliasesOf(...irs, aliasesOfTables(holding)),
    units: unique(irs.flatMap(unitsOf), (of) => of.key),
    infra: unique(irs.flatMap(infraOf), (of) => of.key),
    versions: unique([...known.flatMap((one) => one.versions), ...holding.head().retiring], (one) =>
      versionKey(one.provider, one.version),
    ),
  };
}

function releaseWith({ irs }: Release, versions: VersionsByUnit = {}) {
  const owned = Object.entries(versions).map(([key, version]): Owned => {
    return { provider: splitQualified(key).provider, version };
  });
  return { irs, versions: owned };
}

function aliasesOfTables(holding: Holding): Readonly<Record<string, Ir>> {
  const irs: Record<string, Ir & { aliases: Alias[] }> = {};
  for (const [key, table] of Object.entries(holding.head().tables)) {
    const { provider, id } = splitQualified(key);
    irs[provider] ??= { infra: [], units: [], triggers: [], aliases: [] };
    irs[provider].aliases.push({
      id,
      units: Object.keys(table),
    });
  }
  return irs;
}

async function removeResource(
  ctx: Context,
  holding: Holding,
  of: Of<Resource>,
  stamp: { release: number; fence: number },
): Promise<void> {
  const now = await readResource(ctx, of);
  if (now === undefined || now.owner === 'foreign') return;
  const handler = handlerOf(ctx, of.provider, of.part.kind);
  await ctx.fleet.write(of.provider, 'resources.remove', of.part.id, holding.guard, () =>
    handler.remove(lookOf(of, stamp), now),
  );
}

async function removeAlias(
  ctx: Context,
  holding: Holding,
  of: Of<Alias>,
  stamp: { release: number; fence: number },
): Promise<void> {
  const { table } = await readAlias(ctx, of);
  if (sameTable(table, {})) return;
  const result = await ctx.fleet.write(of.provider, 'traffic.set', of.part.id, holding.guard, (connection) =>
    connection.traffic.set(of.part, { from: table, to: {}, stamp }),
  );
  if (result === 'conflict')
    throw fail('SFX4105', `alias ${qualify(of.provider, of.part.id)} was moved while it was being removed`);
}

/** Answers what it removed, by `versionKey`. */
async function removeVersions(ctx: Context, holding: Holding, of: Of<Unit>): Promise<string[]> {
  const versions = await ctx.fleet.read(of.provider, 'versions.list', of.part.id, (connection) =>
    connection.versions.list(of.part.id),
  );
  for (const version of versions) await removeVersion(ctx, holding, { provider: of.provider, version });
  return versions.map((version) => versionKey(of.provider, version));
}

async function removeVersion(ctx: Context, holding: Holding, { provider, version }: Owned): Promise<void> {
  await ctx.fleet.write(provider, 'versions.remove', version.unit, holding.guard, (connection) =>
    connection.versions.remove(version),
  );
}
