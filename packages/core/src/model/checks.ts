import { didYouMean } from '../config/nearest.js';
import { isTainted, nodeAt } from '../config/node.js';
import { isObject, type Json } from '../json.js';
import type { CallCheck, Check } from '../release/rollout.js';
import { parseDuration } from './duration.js';
import type { Scope } from './normalize.js';

/** How long a command may take that says nothing else. */
const COMMAND_MS = 5 * 60_000;

/** `checks:` in their normal form. Its schema has been checked. */
export function normalizeChecks(
  scope: Scope,
  value: unknown,
  functions: readonly string[],
): readonly Check[] {
  if (!Array.isArray(value)) return [];
  const names = new Set<string>();
  return value.filter(isObject).flatMap((check, index): readonly Check[] => {
    const pointer = `/checks/${index}`;
    const { name } = check;
    if (typeof name !== 'string') return [];
    if (names.has(name)) scope.complain(`${pointer}/name`, 'SFX2206', `there are two checks ${name}`);
    names.add(name);
    keepsNothing(scope, pointer, name);
    return check['command'] === undefined
      ? callCheck(scope, pointer, name, check, functions)
      : commandCheck(scope, pointer, name, check);
  });
}

function callCheck(
  scope: Scope,
  pointer: string,
  name: string,
  check: Record<string, unknown>,
  functions: readonly string[],
): readonly Check[] {
  const fn = check['function'];
  if (typeof fn !== 'string') {
    scope.complain(pointer, 'SFX2202', `check ${name} needs a function to call, or a command to run`);
    return [];
  }
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
  if (check['timeout'] !== undefined)
    scope.complain(
      `${pointer}/timeout`,
      'SFX2202',
      `${name} calls a function, which has a timeout of its own`,
    );
  return [{ name, function: fn, payload: payloadOf(check), expect: expectOf(check) }];
}

function commandCheck(
  scope: Scope,
  pointer: string,
  name: string,
  check: Record<string, unknown>,
): readonly Check[] {
  for (const key of ['function', 'payload', 'http', 'expect']) {
    if (check[key] === undefined) continue;
    scope.complain(
      `${pointer}/${key}`,
      'SFX2202',
      `check ${name} runs a command; ${key} means nothing beside it`,
      'key',
    );
  }
  const { command, timeout } = check;
  if (typeof command !== 'string' || command.trim() === '') {
    scope.complain(`${pointer}/command`, 'SFX2202', `the command of check ${name} is empty`);
    return [];
  }
  const timeoutMs = timeout === undefined ? COMMAND_MS : parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs < 1 || timeoutMs > 2 ** 31 - 1) {
    scope.complain(`${pointer}/timeout`, 'SFX2202', `timeout of check ${name} is 1ms to 24d`);
    return [];
  }
  return [{ name, command, timeoutMs }];
}

/** Checks are written into the record of a release, so no value from outside may be in them. */
function keepsNothing(scope: Scope, pointer: string, name: string): void {
  for (const key of ['payload', 'http', 'expect', 'command']) {
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

function expectOf(check: Record<string, unknown>): CallCheck['expect'] {
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
