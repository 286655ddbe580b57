import { didYouMean } from '../config/nearest.js';
import { isTainted, nodeAt } from '../config/node.js';
import { isObject, type Json } from '../json.js';
import type { Check } from '../release/rollout.js';
import type { Scope } from './normalize.js';

/** `checks:` in their normal form. Its schema has been checked. */
export function normalizeChecks(
  scope: Scope,
  value: unknown,
  functions: readonly string[],
): readonly Check[] {
  if (!Array.isArray(value)) return [];
  const names = new Set<string>();
  return value.filter(isObject).flatMap((check, index) => {
    const pointer = `/checks/${index}`;
    const { name, function: fn } = check;
    if (typeof name !== 'string' || typeof fn !== 'string') return [];
    if (names.has(name)) scope.complain(`${pointer}/name`, 'SFX2206', `there are two checks ${name}`);
    names.add(name);
    if (!functions.includes(fn)) {
      scope.complain(
        `${pointer}/function`,
        'SFX2207',
        `there is no function ${fn}${didYouMean(fn, functions)}`,
      );
    }
    if (check['payload'] !== undefined && check['http'] !== undefined) {
      scope.complain(`${pointer}/http`, 'SFX2202', `${name} has a payload; http beside it is a second one`);
    }
    keepsNothing(scope, pointer, name);
    return [{ name, function: fn, payload: payloadOf(check), expect: expectOf(check) }];
  });
}

/** Checks are written into the record of a release, so no value from outside may be in them. */
function keepsNothing(scope: Scope, pointer: string, name: string): void {
  for (const key of ['payload', 'http', 'expect']) {
    const node = nodeAt(scope.input.root, `${pointer}/${key}`);
    if (!node || !isTainted(node)) continue;
    scope.complain(
      `${pointer}/${key}`,
      'SFX2208',
      `${key} of check ${name} takes a value from outside; releases keep their checks`,
      'key',
    );
  }
}

function expectOf(check: Record<string, unknown>): Check['expect'] {
  const expect = isObject(check['expect']) ? check['expect'] : {};
  const status =
    typeof expect['status'] === 'number' ? expect['status'] : check['http'] === undefined ? undefined : 200;
  return {
    ...(status === undefined ? {} : { status }),
    ...(expect['match'] === undefined ? {} : { match: expect['match'] as Json }),
  };
}

/** `http` is a call as over HTTP, in the form that every provider's `invoke` knows. */
function payloadOf(check: Record<string, unknown>): Json {
  const { http } = check;
  if (!isObject(http)) return (check['payload'] ?? null) as Json;
  const method = String(http['method'] ?? 'GET').toUpperCase();
  const body = http['body'];
  return {
    $http: { method, path: String(http['path']), ...(body === undefined ? {} : { body: body as Json }) },
  };
}
