import { digestOf, type Json } from '../json.js';
import type { Capabilities, Resource, Trigger, Unit } from '../provider/contract.js';
import { infraOf, type Of, titleOf, unitsOf } from '../release/fleet.js';
import { type Observation, tablesRead } from '../release/observe.js';
import { isAsSent, resourceDigest, resourceKey, triggerDiff } from '../release/resources.js';
import type { RolloutStep } from '../release/rollout.js';
import { releaseDigest, unitDigests } from './digests.js';
import type { Intent } from './intent.js';
import { type Change, PLAN_VERSION, type Plan } from './plan.js';

export interface PlanInputs {
  readonly scope: { readonly service: string; readonly stage: string };
  readonly kind: Plan['kind'];
  readonly of?: number;
  readonly intent: Intent;
  readonly observation: Observation;
  readonly identities: Plan['providers'];
  readonly can: (provider: string) => Capabilities;
}

/** Makes the plan: a pure function of what is wanted and what was read. */
export function makePlan(inputs: PlanInputs): Plan {
  const { intent, observation, can } = inputs;
  const { head } = observation.at;
  const units = unitDigests(intent.irs, intent.artifacts);
  const steps = stepsOf(intent, observation.live !== undefined);
  const changes = [
    ...functionChanges(intent, observation, units),
    ...triggerChanges(inputs, steps),
    ...infraChanges(inputs),
  ];
  const acting = changes.filter((change) => change.action !== 'keep');
  const staged = unitsOf(intent.irs).filter(
    (of) => observation.liveVersions[of.key]?.digest !== units[of.key],
  );
  const waits = gradual(steps) ? waitingSources(inputs) : [];
  const flips = aliasWrites(inputs, staged);
  const writes =
    staged.length * 2 +
    flips * steps.filter((step) => 'weight' in step).length +
    (acting.length - staged.length);
  return {
    version: PLAN_VERSION,
    kind: inputs.kind,
    service: inputs.scope.service,
    stage: inputs.scope.stage,
    providers: inputs.identities,
    ...(inputs.of === undefined ? {} : { of: inputs.of }),
    number: head?.next ?? 1,
    base: head?.live ?? null,
    digest: releaseDigest(intent.irs, units),
    bound: {
      config: digestOf(intent.irs),
      units,
      live: head?.live ?? null,
      open: head?.open ?? null,
      next: head?.next ?? 1,
      tables: digestOf(tablesRead(observation)),
    },
    asked: intent.asked ?? {},
    empty: acting.length === 0,
    changes,
    staged: staged.map((of) => of.part.id),
    steps,
    waits,
    effort: { writes: Math.max(writes, acting.length) },
    undo: {
      writes: flips,
      takesBack: triggerDiff(observation.live?.irs ?? {}, intent.irs).added.map(titleOf),
    },
    kept: infraOf(intent.irs)
      .filter((of) => of.part.data)
      .map((of) => of.part.id),
    warnings: warningsOf(intent, can),
  };
}

/** Rollout steps of this release: they end with 100 %, and a first release has nothing to shift from. */
export function stepsOf(intent: Intent, hasStable: boolean): readonly RolloutStep[] {
  if (!hasStable) return [{ weight: 100 }];
  const { steps } = intent.rollout;
  return steps.some((step) => 'weight' in step && step.weight === 100) ? steps : [...steps, { weight: 100 }];
}

function gradual(steps: readonly RolloutStep[]): boolean {
  return steps.some((step) => 'weight' in step && step.weight < 100);
}

function waitingSources({ intent, observation }: PlanInputs): string[] {
  const diff = triggerDiff(observation.live?.irs ?? {}, intent.irs);
  const early = intent.rollout.expand === 'early';
  const added = diff.added.filter((of) => !early || of.part.delivers === 'pulls');
  return [...added, ...diff.changed.map((change) => change.after)].map(titleOf).sort();
}

function aliasWrites({ intent, can }: PlanInputs, staged: readonly Of<Unit>[]): number {
  let writes = 0;
  for (const provider of Object.keys(intent.irs)) {
    const mine = staged.filter((of) => of.provider === provider).length;
    writes += can(provider).alias === 'unit' ? mine : Math.min(mine, 1);
  }
  return writes;
}

function functionChanges(
  intent: Intent,
  observation: Observation,
  units: Readonly<Record<string, string>>,
): Change[] {
  const before = new Map(unitsOf(observation.live?.irs ?? {}).map((of) => [of.key, of]));
  const changes: Change[] = [];
  for (const of of unitsOf(intent.irs)) {
    const old = before.get(of.key);
    before.delete(of.key);
    if (observation.liveVersions[of.key]?.digest === units[of.key]) {
      changes.push({ area: 'function', action: 'keep', name: of.part.id, why: 'unchanged' });
    } else if (old === undefined) {
      changes.push({ area: 'function', action: 'add', name: of.part.id, why: 'new' });
    } else {
      changes.push({
        area: 'function',
        action: 'change',
        name: of.part.id,
        why: whyChanged(old.part, of.part, observation.live?.artifacts[of.key] !== intent.artifacts[of.key]),
      });
    }
  }
  for (const of of before.values()) {
    changes.push({
      area: 'function',
      action: 'remove',
      name: of.part.id,
      why: 'not in the file any more',
      when: 'kept for a rollback',
      destroys: true,
    });
  }
  return changes;
}

/** `code`, `config memory 256 -> 512`, or both. Values that are refs are shown as refs. */
function whyChanged(old: Unit, now: Unit, otherArtifact: boolean): string {
  const differences = configDifferences(old.config, now.config, '');
  const parts =
    differences.length > 0
      ? [`config ${differences.slice(0, 3).join(', ')}${differences.length > 3 ? ', …' : ''}`]
      : [];
  const code = otherArtifact || differences.length === 0;
  return [...(code ? ['code'] : []), ...parts].join(', ');
}

function configDifferences(old: Json, now: Json, path: string): string[] {
  if (digestOf(old) === digestOf(now)) return [];
  const branch = (value: Json) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !('$secret' in value) &&
    !('$out' in value);
  if (branch(old) && branch(now)) {
    const a = old as Record<string, Json>;
    const b = now as Record<string, Json>;
    return [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .sort()
      .flatMap((key) =>
        configDifferences(a[key] ?? null, b[key] ?? null, path === '' ? key : `${path}.${key}`),
      );
  }
  return [`${path} ${brief(old)} -> ${brief(now)}`];
}

function brief(value: Json): string {
  if (value === null) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}

function triggerChanges({ intent, observation }: PlanInputs, steps: readonly RolloutStep[]): Change[] {
  const diff = triggerDiff(observation.live?.irs ?? {}, intent.irs);
  const late = gradual(steps) ? 'waits for promote' : undefined;
  const line = (of: Of<Trigger>, action: Change['action'], when: string | undefined): Change => ({
    area: 'trigger',
    action,
    name: titleOf(of),
    why: `-> ${of.part.function}`,
    ...(when === undefined ? {} : { when }),
    ...(action === 'remove' ? { destroys: true as const } : {}),
  });
  const early = (of: Of<Trigger>) => intent.rollout.expand === 'early' && of.part.delivers === 'asked';
  return [
    ...diff.added.map((of) => line(of, 'add', early(of) ? undefined : late)),
    ...diff.changed.map(({ before, after }) =>
      line(after, before.part.function === after.part.function ? 'change' : 'move', late),
    ),
    ...diff.removed.map((of) => line(of, 'remove', late ?? 'after the flip')),
    ...diff.same.filter((of) => !asLeft(observation, of)).map((of) => line(of, 'change', undefined)),
    ...diff.same.filter((of) => asLeft(observation, of)).map((of) => line(of, 'keep', undefined)),
  ];
}

function asLeft(observation: Observation, of: Of<Resource>): boolean {
  return isAsSent(observation.resources.get(resourceKey(of)), resourceDigest(of.part), true);
}

function infraChanges({ intent, observation }: PlanInputs): Change[] {
  const before = new Map(infraOf(observation.live?.irs ?? {}).map((of) => [of.key, of]));
  const changes: Change[] = [];
  for (const of of infraOf(intent.irs)) {
    const old = before.get(of.key);
    before.delete(of.key);
    const data = of.part.data ? { when: 'kept by a rollback' } : {};
    const base = { area: 'resource' as const, name: of.part.id };
    if (old === undefined) changes.push({ ...base, action: 'add', why: of.part.kind, ...data });
    else if (resourceDigest(old.part) !== resourceDigest(of.part))
      changes.push({ ...base, action: 'change', why: of.part.kind, ...data });
    else if (!asLeft(observation, of))
      changes.push({ ...base, action: 'change', why: `${of.part.kind}, drifted` });
    else changes.push({ ...base, action: 'keep', why: of.part.kind });
  }
  for (const of of before.values()) {
    changes.push(
      of.part.data
        ? {
            area: 'resource',
            action: 'keep',
            name: of.part.id,
            why: 'not in the file any more; holds data, stays',
          }
        : {
            area: 'resource',
            action: 'remove',
            name: of.part.id,
            why: of.part.kind,
            when: 'when no release needs it',
            destroys: true,
          },
    );
  }
  return changes;
}

function warningsOf(intent: Intent, can: (provider: string) => Capabilities): string[] {
  const providers = Object.keys(intent.irs).sort();
  const warnings = providers
    .filter((name) => can(name).cas === 'check-then-write')
    .map(
      (name) =>
        `${name} has no compare-and-swap: somebody's change of an alias in the same moment can be lost`,
    );
  for (const name of providers.filter((one) => can(one).flip.downtime)) {
    warnings.push(`${name} may lose calls for a moment while it flips`);
  }
  if (providers.length > 1)
    warnings.push(
      `not atomic across providers: ${providers.join(' first, then ')}; if a later one fails, all go back`,
    );
  return warnings;
}
