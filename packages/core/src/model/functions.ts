import type { HandlerUse } from '../config/handlers.js';
import { type Node, toJson } from '../config/node.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { parseDuration } from './duration.js';
import { type DraftEvent, draftEvent } from './events.js';
import type { Scope } from './normalize.js';
import type { ServiceFunction } from './service.js';

export interface FunctionDefaults {
  /** Keys of `provider:`. */
  readonly provider: JsonObject;
  /** `package:` of the service. */
  readonly package: Json | undefined;
  readonly environment: Node | undefined;
}

export interface FunctionDraft {
  readonly fn: Omit<ServiceFunction, 'events'>;
  readonly events: readonly DraftEvent[];
  readonly use?: HandlerUse;
}

const RUNTIME = 'nodejs20.x';
const MEMORY_MB = 256;
const TIMEOUT_MS = 6000;

const NEUTRAL_KEYS: ReadonlySet<string> = new Set([
  'handler',
  'runtime',
  'memorySize',
  'memory',
  'timeout',
  'environment',
  'events',
  'package',
  'description',
]);

/** One function, apart from what needs all the others. */
export function draftFunction(
  scope: Scope,
  name: string,
  pointer: string,
  node: Node,
  defaults: FunctionDefaults,
): FunctionDraft {
  const at = (key: string): Node | undefined => node.map?.get(key);
  const scalar = (key: string): unknown => {
    const found = at(key);
    return found && !scope.input.failed.has(found) ? found.scalar : undefined;
  };
  const handler = handlerOf(scope, name, pointer, node);
  const { provider } = defaults;
  const runtime = scalar('runtime') ?? provider['runtime'];
  const description = scalar('description');
  const packaging = packageOf(defaults.package, at('package'));
  const fn = {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    handler: handler?.text ?? '',
    runtime: typeof runtime === 'string' ? runtime : RUNTIME,
    memory: memoryOf(scalar('memory'), scalar('memorySize'), provider['memory'], provider['memorySize']),
    timeout: parseDuration(scalar('timeout')) ?? parseDuration(provider['timeout']) ?? TIMEOUT_MS,
    environment: environmentOf(scope, pointer, defaults.environment, at('environment')),
    native: { ...nativeOf(node), ...packaging.native },
    bundle: packaging.bundle,
    include: packaging.include,
    pointer,
  };
  const use = handler && { handler: handler.text, runtime: fn.runtime, node: handler.node };
  return { fn, events: eventsOf(scope, name, pointer, at('events')), ...(use ? { use } : {}) };
}

function handlerOf(
  scope: Scope,
  name: string,
  pointer: string,
  node: Node,
): { text: string; node: Node } | undefined {
  const found = node.map?.get('handler');
  if (found && scope.input.failed.has(found)) return undefined;
  if (typeof found?.scalar === 'string' && found.scalar !== '') return { text: found.scalar, node: found };
  const wrong = found !== undefined && found.scalar !== null && found.scalar !== '';
  if (!wrong && !node.map?.has('image') && !scope.input.failed.has(node)) {
    scope.complain(pointer, 'SFX2203', `${name} has no handler`, 'key');
  }
  return undefined;
}

function memoryOf(...values: readonly unknown[]): number {
  for (const value of values) {
    const megabytes = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof megabytes === 'number' && megabytes > 0) return megabytes;
  }
  return MEMORY_MB;
}

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The provider's variables, then the function's own; `null` takes one away. Values are texts or refs. */
function environmentOf(
  scope: Scope,
  pointer: string,
  shared: Node | undefined,
  own: Node | undefined,
): Readonly<Record<string, Json>> {
  const result: Record<string, Json> = {};
  for (const [from, where] of [
    [shared, '/provider'],
    [own, pointer],
  ] as const) {
    if (!from?.map) continue;
    for (const [key, node] of from.map) {
      if (!VARIABLE_NAME.test(key)) {
        const message = `${key} cannot be the name of an environment variable: letters, digits and underscores`;
        scope.complain(
          `${where}/environment/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`,
          'SFX2206',
          message,
          'key',
        );
      } else if (scope.input.failed.has(node)) continue;
      else if (node.kind === 'scalar' && node.scalar === null) delete result[key];
      else if (node.kind === 'scalar' && node.taint === null) result[key] = String(node.scalar);
      else result[key] = scope.input.secrets.refs(node);
    }
  }
  return result;
}

function eventsOf(scope: Scope, name: string, pointer: string, node: Node | undefined): DraftEvent[] {
  const drafts: DraftEvent[] = [];
  for (const [index, item] of (node?.list ?? []).entries()) {
    if (item.map && [...item.map.values()].some((inner) => scope.input.failed.has(inner))) continue;
    const draft = draftEvent(toJson(item), `${pointer}/events/${index}`, name);
    if (!draft) continue;
    if ('message' in draft) scope.complain(draft.pointer, 'SFX2202', draft.message);
    else drafts.push(draft);
  }
  return drafts;
}

function nativeOf(node: Node): Record<string, Json> {
  const native: Record<string, Json> = {};
  for (const [key, value] of node.map ?? []) if (!NEUTRAL_KEYS.has(key)) native[key] = toJson(value);
  return native;
}

interface Packaging {
  readonly bundle: boolean;
  readonly include: readonly string[];
  readonly native: JsonObject;
}

function patterns(value: unknown): string[] {
  if (!isObject(value)) return [];
  const list = (key: string): string[] =>
    Array.isArray(value[key]) ? (value[key] as unknown[]).map(String) : [];
  return [...list('exclude').map((pattern) => `!${pattern}`), ...list('include'), ...list('patterns')];
}

function packageOf(shared: Json | undefined, own: Node | undefined): Packaging {
  const value = own ? toJson(own) : undefined;
  const bundle =
    (isObject(value) ? value['bundle'] : undefined) ?? (isObject(shared) ? shared['bundle'] : undefined);
  const artifact = isObject(value) ? value['artifact'] : undefined;
  return {
    bundle: bundle !== false,
    include: [...patterns(shared), ...patterns(value)],
    native: artifact === undefined ? {} : { package: { artifact: artifact as Json } },
  };
}
