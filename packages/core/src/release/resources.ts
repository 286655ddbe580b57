import { fail } from '../errors.js';
import { type Digest, digestOf } from '../json.js';
import type {
  Ir,
  Observed,
  Resource,
  ResourceHandler,
  Stamp,
  Target,
  Trigger,
} from '../provider/contract.js';
import type { Context, Held } from './context.js';
import { infraOf, type Of, triggersOf } from './fleet.js';
import { each } from './limits.js';
import { fill, type Outputs } from './refs.js';

/** Resource calls under way at once. */
const WIDTH = 8;

/** outputs by provider */
export type OutputsByProvider = Record<string, Record<string, Observed['outputs']>>;

export function handlerOf(ctx: Context, provider: string, kind: string): ResourceHandler {
  const handler = ctx.fleet.of(provider).resources[kind];
  if (handler === undefined)
    throw fail('SFX3005', `${provider} has no resources of kind ${kind}`, { resource: kind });
  return handler;
}

function isTrigger(part: Resource): part is Trigger {
  return 'source' in part;
}

/** Over what sfx sends of a resource, refs as written; of a trigger also what it points at. */
export function resourceDigest(part: Resource): Digest {
  return isTrigger(part)
    ? digestOf({ kind: part.kind, props: part.props, alias: part.alias, function: part.function })
    : digestOf({ kind: part.kind, props: part.props });
}

/** What a resource is known by from release to release: a trigger by its source, infra by its id. */
export function resourceKey(of: Of<Resource>): string {
  return isTrigger(of.part) ? `${of.provider}/${of.part.kind}/${of.part.source}` : of.key;
}

export function targetOf(
  ctx: Context,
  of: Of<Resource>,
  outputs: Outputs,
  stamp: Stamp,
  enabled = true,
): Target {
  const { part } = of;
  return {
    resource: part,
    ...(isTrigger(part) ? { to: { alias: part.alias, function: part.function } } : {}),
    props: fill(part.props, outputs, ctx.secrets),
    digest: resourceDigest(part),
    enabled,
    stamp,
  };
}

/** For reading and removing: refs stay as written, nothing needs their values. */
export function lookOf(of: Of<Resource>, stamp: Stamp): Target {
  const { part } = of;
  return {
    resource: part,
    ...(isTrigger(part) ? { to: { alias: part.alias, function: part.function } } : {}),
    props: part.props,
    digest: resourceDigest(part),
    enabled: true,
    stamp,
  };
}

const NO_STAMP: Stamp = { release: 0, fence: 0 };

export async function readResource(ctx: Context, of: Of<Resource>): Promise<Observed | undefined> {
  const handler = handlerOf(ctx, of.provider, of.part.kind);
  return ctx.fleet.read(of.provider, 'resources.read', of.part.id, () => handler.read(lookOf(of, NO_STAMP)));
}

function refuseForeign(of: Of<Resource>, now: Observed | undefined): void {
  if (now?.owner === 'foreign') {
    throw fail(
      'SFX3108',
      `${of.part.kind} ${of.part.id} exists on ${of.provider} and was not made by this service and stage`,
      {
        resource: of.part.id,
      },
    );
  }
}

export function isAsSent(now: Observed | undefined, digest: Digest, enabled: boolean): boolean {
  return now !== undefined && now.digest === digest && now.enabled === enabled && now.drift.length === 0;
}

/** Makes a resource so, if it is not. Answers what is there after it, and whether something was written. */
export async function ensure(
  ctx: Context,
  held: Held,
  of: Of<Resource>,
  options: { readonly enabled?: boolean; readonly outputs?: Outputs; readonly back?: boolean } = {},
): Promise<{ readonly observed: Observed; readonly wrote: boolean }> {
  const handler = handlerOf(ctx, of.provider, of.part.kind);
  const enabled = options.enabled ?? true;
  const now = await readResource(ctx, of);
  refuseForeign(of, now);
  if (now !== undefined && isAsSent(now, resourceDigest(of.part), enabled))
    return { observed: now, wrote: false };
  const target = targetOf(ctx, of, options.outputs ?? {}, stampOf(held), enabled);
  const guard = options.back ? held.holding.guardBack : held.holding.guard;
  const observed = await ctx.fleet.write(of.provider, 'resources.reconcile', of.part.id, guard, () =>
    handler.reconcile(target, now),
  );
  return { observed, wrote: true };
}

/** Takes a resource away; gone and foreign ones are left alone. What holds data is never passed here. */
export async function takeAway(ctx: Context, held: Held, of: Of<Resource>): Promise<boolean> {
  const handler = handlerOf(ctx, of.provider, of.part.kind);
  const now = await readResource(ctx, of);
  if (now === undefined || now.owner === 'foreign') return false;
  await ctx.fleet.write(of.provider, 'resources.remove', of.part.id, held.holding.guardBack, () =>
    handler.remove(lookOf(of, stampOf(held)), now),
  );
  return true;
}

export function stampOf(held: Held): Stamp {
  return { release: held.release.number, fence: held.holding.fence };
}

/** Infra in an order in which each comes after what it depends on. */
function ordered(infra: readonly Of<Resource>[]): Of<Resource>[] {
  const byId = new Map(infra.map((of) => [of.part.id, of]));
  const done = new Set<string>();
  const result: Of<Resource>[] = [];
  const visit = (of: Of<Resource>, path: readonly string[]) => {
    if (done.has(of.part.id) || path.includes(of.part.id)) return;
    for (const id of of.part.dependsOn) {
      const next = byId.get(id);
      if (next) visit(next, [...path, of.part.id]);
    }
    done.add(of.part.id);
    result.push(of);
  };
  for (const of of infra) visit(of, []);
  return result;
}

type Irs = Readonly<Record<string, Ir>>;

/**
 * Step 4: makes infra that is missing and widens what changes harmlessly. What would break versions that run is left as
 * it is until contract. Answers the outputs of all of it.
 */
export async function widenInfra(
  ctx: Context,
  held: Held,
): Promise<{ outputs: OutputsByProvider; wrote: number; deferred: string[] }> {
  const outputs: OutputsByProvider = {};
  const deferred: string[] = [];
  let wrote = 0;
  const before = new Map(infraOf(held.base?.irs ?? {}).map((of) => [of.key, of.part]));
  for (const of of ordered(infraOf(held.release.irs))) {
    outputs[of.provider] ??= {};
    const mine = outputs[of.provider]!;
    const old = before.get(of.key);
    const change =
      old === undefined ? 'none' : handlerOf(ctx, of.provider, of.part.kind).change(old.props, of.part.props);
    if (change === 'breaks' || change === 'replaces') {
      const now = await readResource(ctx, of);
      refuseForeign(of, now);
      if (now !== undefined) {
        mine[of.part.id] = now.outputs;
        deferred.push(of.part.id);
        continue;
      }
    }
    const done = await ensure(ctx, held, of, { outputs: mine });
    mine[of.part.id] = done.observed.outputs;
    if (done.wrote) wrote += 1;
  }
  return { outputs, wrote, deferred };
}

/** Outputs of infra as it is, for filling refs when nothing is to be changed. */
export async function readOutputs(ctx: Context, irs: Irs): Promise<OutputsByProvider> {
  const outputs: OutputsByProvider = {};
  await each(infraOf(irs), WIDTH, async (of) => {
    const now = await readResource(ctx, of);
    if (now !== undefined) outputs[of.provider] = { ...outputs[of.provider], [of.part.id]: now.outputs };
  });
  return outputs;
}

/** How a release's triggers differ from its base's, by source. */
export interface TriggerDiff {
  readonly added: readonly Of<Trigger>[];
  /** In both, pointing elsewhere or with other props; `before` is the base's. */
  readonly changed: readonly { readonly before: Of<Trigger>; readonly after: Of<Trigger> }[];
  readonly removed: readonly Of<Trigger>[];
  readonly same: readonly Of<Trigger>[];
}

export function triggerDiff(base: Irs, next: Irs): TriggerDiff {
  const before = new Map(triggersOf(base).map((of) => [resourceKey(of), of]));
  const after = new Map(triggersOf(next).map((of) => [resourceKey(of), of]));
  const added: Of<Trigger>[] = [];
  const changed: { before: Of<Trigger>; after: Of<Trigger> }[] = [];
  const same: Of<Trigger>[] = [];
  for (const [source, of] of after) {
    const old = before.get(source);
    if (old === undefined) added.push(of);
    else if (resourceDigest(old.part) === resourceDigest(of.part)) same.push(of);
    else changed.push({ before: old, after: of });
  }
  return {
    added,
    changed,
    same,
    removed: [...before].filter(([source]) => !after.has(source)).map(([, of]) => of),
  };
}
