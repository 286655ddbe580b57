import { fail } from '../errors.js';
import type { Alias, Ir, Observed, Resource } from '../provider/contract.js';
import type { Head, Past, Qualified, Release } from '../state/documents.js';
import type { HeadAt } from '../state/stage-state.js';
import type { Context } from './context.js';
import { aliasesOf, infraOf, type Of, triggersOf, type VersionsByUnit } from './fleet.js';
import { describe, readAliases, type States } from './flip.js';
import { each } from './limits.js';
import { readResource, resourceKey } from './resources.js';
import { sameTable, type Tables } from './tables.js';
import { kept } from './window.js';

/** Everything that a plan is made from: state, and the aliases as they are, of state and of the new IR. */
export interface Observation {
  readonly at: HeadAt;
  readonly live: Release | undefined;
  readonly liveVersions: VersionsByUnit;
  readonly aliases: readonly Of<Alias>[];
  readonly states: States;
  /** By `resourceKey`, of the live and of the new IR. */
  readonly resources: ReadonlyMap<string, Observed | undefined>;
}

type Irs = Readonly<Record<string, Ir>>;

/** Step 1. Reads only. */
export async function observe(ctx: Context, irs: Irs): Promise<Observation> {
  const at = await ctx.state.readHead();
  const past = livePast(at.head);
  const live = past === undefined ? undefined : await kept(ctx.state, past);
  const aliases = aliasesOf(live?.release.irs ?? {}, irs);
  return {
    at,
    live: live?.release,
    liveVersions: live?.versions ?? {},
    aliases,
    states: await readAliases(ctx, aliases),
    resources: await readResources(ctx, [...resourcesOf(live?.release.irs ?? {}), ...resourcesOf(irs)]),
  };
}

function resourcesOf(irs: Irs): Of<Resource>[] {
  return [...infraOf(irs), ...triggersOf(irs)];
}

async function readResources(
  ctx: Context,
  parts: readonly Of<Resource>[],
): Promise<ReadonlyMap<string, Observed | undefined>> {
  const byKey = new Map(parts.map((of) => [resourceKey(of), of]));
  const pairs = await each([...byKey], 16, async ([key, of]) => [key, await readResource(ctx, of)] as const);
  return new Map(pairs);
}

export function livePast(head: Head | undefined): Past | undefined {
  return head?.live == null ? undefined : head.past.find((one) => one.number === head.live);
}

export function tablesRead(observation: Pick<Observation, 'states'>): Tables {
  return Object.fromEntries(Object.entries(observation.states).map(([key, state]) => [key, state.table]));
}

/**
 * Refuses, before the first write, what sfx would not know how to undo: lost state (SFX4106), state older than what is
 * live (SFX4107), an alias that somebody else moved (SFX4105).
 */
export function refuseStrange(observation: Observation): void {
  const { head } = observation.at;
  const strange = Object.entries(observation.states);
  if (head === undefined) {
    const alive = strange.filter(([, state]) => Object.keys(state.table).length > 0);
    if (alive.length > 0) {
      throw fail(
        'SFX4106',
        `there is no state for this stage, yet ${list(alive.map(([key]) => key))} ${alive.length === 1 ? 'is' : 'are'} live`,
      );
    }
    return;
  }
  for (const [key, state] of strange) {
    if (state.stamp !== undefined && (state.stamp.fence > head.fence || state.stamp.release >= head.next)) {
      throw fail(
        'SFX4107',
        `alias ${key} was written by release ${state.stamp.release}; the state knows none after ${head.next - 1}`,
      );
    }
  }
  for (const [key, state] of strange) {
    const left = head.tables[key] ?? {};
    if (!sameTable(state.table, left)) {
      throw fail('SFX4105', `alias ${key} holds ${describe(state.table)}; sfx left it at ${describe(left)}`, {
        resource: key,
        facts: { alias: key, now: describe(state.table), left: describe(left) },
      });
    }
  }
}

function list(keys: readonly Qualified[]): string {
  return keys.length <= 3 ? keys.join(', ') : `${keys.slice(0, 3).join(', ')} and ${keys.length - 3} more`;
}
