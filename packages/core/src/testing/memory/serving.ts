import type { Scope } from '../../provider/contract.js';
import { findAlias, findVersion } from './context.js';
import { physicalName } from './names.js';
import { type ShapeName, shapes, warmth } from './shapes.js';
import type { StoredObject, StoredVersion, WorldDocument } from './world.js';

/** Who answers one call, or why nobody does. */
export type Answer =
  | { readonly version: StoredVersion }
  | { readonly failed: string; readonly version?: StoredVersion; readonly planned?: true };

export interface Asked {
  readonly document: WorldDocument;
  readonly shape: ShapeName;
  readonly scope: Scope;
  readonly now: number;
}

/** Whether a version can answer a call of one of its functions. */
export function answerOf(asked: Asked, unit: string, id: string, name: string): Answer {
  const { document, scope, now } = asked;
  const version = findVersion(document, scope, unit, id);
  if (version === undefined) return { failed: `version ${id} of ${unit} is gone` };
  if (!version.functions.includes(name))
    return { version, failed: `version ${id} of ${unit} has no ${name}` };
  if (!isUp(asked, version, now)) return { version, failed: `version ${id} of ${unit} is not up` };
  const behaviour = document.behaviours[version.digest] ?? document.behaviours[version.artifact];
  return behaviour?.invoke === undefined ? { version } : { version, failed: behaviour.invoke };
}

function isUp(asked: Asked, version: StoredVersion, now: number): boolean {
  switch (warmth[asked.shape]) {
    case 'nothing':
      return true;
    case 'time':
      return version.readyAt <= now;
    case 'scale':
      return version.scaled && version.readyAt <= now;
    case 'seat': {
      const seats = asked.document.seats[physicalName(asked.scope, 'seats', version.unit)];
      return seats?.production === version.id || (seats?.slot === version.id && seats.slotReadyAt <= now);
    }
  }
}

/** Every version that an alias may send calls of a function to, with its share in percent. */
export function sharesOf(
  asked: Asked,
  alias: string,
  name: string,
  scope: 'http' | 'all' = 'http',
): { readonly unit: string; readonly id: string; readonly percent: number }[] {
  const table = findAlias(asked.document, asked.scope, { id: alias })?.table ?? {};
  const rows = Object.entries(table).filter(([unit, split]) =>
    [split.stable, split.candidate?.version].some(
      (id) =>
        id !== undefined &&
        (findVersion(asked.document, asked.scope, unit, id)?.functions.includes(name) ?? unit === name),
    ),
  );
  return rows.flatMap(([unit, { stable, candidate }]) => {
    const split = candidate !== undefined && (scope === 'http' || shapes[asked.shape].split.scope === 'all');
    if (!split) return [{ unit, id: stable, percent: 100 }];
    return [
      { unit, id: stable, percent: 100 - candidate.percent },
      { unit, id: candidate.version, percent: candidate.percent },
    ];
  });
}

/** One call through an alias; `random` in [0, 1) decides between stable and candidate. */
export function callAlias(asked: Asked, alias: string, name: string, random: number, pulls = false): Answer {
  const stored = findAlias(asked.document, asked.scope, { id: alias });
  if (stored?.pending?.kind === 'redeploy') return { failed: `${alias} is being redeployed`, planned: true };
  let below = 0;
  for (const share of sharesOf(asked, alias, name, pulls ? 'all' : 'http')) {
    below += share.percent;
    if (random * 100 < below) return answerOf(asked, share.unit, share.id, name);
  }
  return { failed: `${alias} has no version of ${name}` };
}

/** Triggers of a stage, by name. */
export function triggersOf(document: WorldDocument, scope: Scope): [string, StoredObject][] {
  return Object.entries(document.objects)
    .filter(([, object]) => object.delivers !== undefined)
    .filter(([, object]) => object.scope?.service === scope.service && object.scope.stage === scope.stage)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
