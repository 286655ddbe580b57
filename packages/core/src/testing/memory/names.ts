import type { Scope } from '../../provider/contract.js';

/** `-` joins the parts of a name, so one inside a part is doubled: no two scopes ever share a name. */
const part = (text: string): string => text.replaceAll('-', '--');

/** The physical name of anything that a service and stage own: `shop-prod-unit-checkout`. */
export function physicalName(
  scope: Scope,
  kind: 'unit' | 'alias' | 'seats' | 'resource' | 'trigger',
  id: string,
): string {
  return [scope.service, scope.stage, kind, id].map(part).join('-');
}

export function versionName(scope: Scope, unit: string, id: string): string {
  return `${physicalName(scope, 'unit', unit)}@${id}`;
}
