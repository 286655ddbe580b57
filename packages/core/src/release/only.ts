import { fail } from '../errors.js';
import type { Digest } from '../json.js';
import type { Capabilities, Ir, Resource, Unit } from '../provider/contract.js';
import type { Qualified } from '../state/documents.js';
import { UNKNOWN_CODE } from './adopt.js';
import type { Context } from './context.js';
import { qualify } from './fleet.js';
import { livePast } from './observe.js';
import { kept } from './window.js';

export interface Only {
  /** A whole release's IR, in which only the chosen units are new. */
  readonly ir: Ir;
  /** Units to build. */
  readonly build: readonly Unit[];
  /** Digests of the code that other units keep. */
  readonly artifacts: Readonly<Record<Qualified, Digest>>;
}

/**
 * `--function`: a full release in which other units keep their versions. Their part of the IR is the live release's, so
 * that rollback history stays whole.
 * Errors: SFX4117 (no such function), SFX3005 (the provider's unit holds more than the chosen functions), SFX4203 (what
 * the others are made of was adopted and is not known).
 */
export async function onlyFunctions(
  ctx: Context,
  provider: string,
  next: Ir,
  names: readonly string[],
  can: Capabilities,
): Promise<Only> {
  const known = next.units.flatMap((unit) => unit.functions);
  for (const name of names) {
    if (!known.includes(name))
      throw fail('SFX4117', `there is no function ${name}`, { hint: `There are: ${known.join(', ')}.` });
  }
  if (can.unit !== 'function') {
    throw fail(
      'SFX3005',
      `${provider} versions all functions of the ${can.unit} as one: one of them cannot be deployed alone`,
    );
  }
  const { head } = await ctx.state.readHead();
  const past = head && livePast(head);
  const live = past && (await kept(ctx.state, past));
  const base: Ir = live?.release.irs[provider] ?? { infra: [], units: [], aliases: [], triggers: [] };
  const chosen = (functions: readonly string[]) => functions.some((name) => names.includes(name));
  const build = next.units.filter((unit) => chosen(unit.functions));
  const rest = base.units.filter((unit) => !chosen(unit.functions));
  const artifacts = rest.map((unit) => {
    const key = qualify(provider, unit.id);
    return [key, live!.release.artifacts[key]!] as const;
  });
  const unknown = rest.filter((_unit, index) => artifacts[index]![1] === UNKNOWN_CODE);
  if (unknown.length > 0) {
    throw fail(
      'SFX4203',
      `the code of ${unknown.map((unit) => unit.id).join(', ')} was adopted and is not known`,
      {
        hint: 'Deploy the whole service once.',
      },
    );
  }
  const units = [...rest, ...build].sort(byId);
  const ids = new Set(units.map((unit) => unit.id));
  return {
    ir: {
      units,
      infra: mergeInfra(base.infra, next.infra, build),
      aliases: mergeAliases(base, next, ids),
      triggers: [
        ...base.triggers.filter(
          (trigger) => !names.includes(trigger.function) && !movedTo(next, trigger.source, names),
        ),
        ...next.triggers.filter((trigger) => names.includes(trigger.function)),
      ].sort(byId),
    },
    build,
    artifacts: Object.fromEntries(artifacts),
  };
}

const byId = (a: { readonly id: string }, b: { readonly id: string }) =>
  a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

function movedTo(next: Ir, source: string, names: readonly string[]): boolean {
  return next.triggers.some((trigger) => trigger.source === source && names.includes(trigger.function));
}

function mergeInfra(
  base: readonly Resource[],
  next: readonly Resource[],
  build: readonly Unit[],
): readonly Resource[] {
  const wanted = new Set(build.flatMap((unit) => unit.dependsOn));
  const merged = new Map(base.map((one) => [one.id, one]));
  for (const one of next) if (wanted.has(one.id) || !merged.has(one.id)) merged.set(one.id, one);
  return [...merged.values()];
}

function mergeAliases(base: Ir, next: Ir, ids: ReadonlySet<string>): Ir['aliases'] {
  const merged = new Map<string, Set<string>>();
  for (const alias of [...base.aliases, ...next.aliases]) {
    const units = merged.get(alias.id) ?? new Set<string>();
    for (const unit of alias.units) if (ids.has(unit)) units.add(unit);
    merged.set(alias.id, units);
  }
  return [...merged]
    .filter(([, units]) => units.size > 0)
    .map(([id, units]) => ({ id, units: [...units].sort() }))
    .sort(byId);
}
