import type { HandlerUse } from '../config/handlers.js';
import { isTainted, type Node, toJson } from '../config/node.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { parseDuration } from './duration.js';
import { type DraftEvent, draftEvents } from './events.js';
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
  'command',
  'concurrency',
  'isolation',
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
  const command = commandOf(scope, name, pointer, node);
  const concurrency = concurrencyOf(at('concurrency'));
  const isolation = isolationOf(scalar('isolation'));
  const packaging = packageOf(defaults.package, at('package'));
  const fn = {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    handler: handler?.text ?? '',
    ...(command === undefined ? {} : { command }),
    runtime: typeof runtime === 'string' ? runtime : RUNTIME,
    memory: memoryOf(scalar('memory'), scalar('memorySize'), provider['memory'], provider['memorySize']),
    timeout: parseDuration(scalar('timeout')) ?? parseDuration(provider['timeout']) ?? TIMEOUT_MS,
    environment: environmentOf(scope, pointer, defaults.environment, at('environment')),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(isolation === undefined ? {} : { isolation }),
    native: { ...nativeOf(node), ...packaging.native },
    bundle: packaging.bundle,
    include: packaging.include,
    pointer,
  };
  const use = handler && { handler: handler.text, runtime: fn.runtime, node: handler.node };
  const httpApi = provider['httpApi'];
  const authorizers = isObject(httpApi) ? httpApi['authorizers'] : undefined;
  const events = eventsOf(scope, name, pointer, at('events'), authorizers);
  return { fn, events, ...(use ? { use } : {}) };
}

function handlerOf(
  scope: Scope,
  name: string,
  pointer: string,
  node: Node,
): { text: string; node: Node } | undefined {
  const found = node.map?.get('handler');
  if (found && scope.input.failed.has(found)) return undefined;
  if (node.map?.has('command')) {
    if (found) {
      scope.complain(
        `${pointer}/handler`,
        'SFX2202',
        `${name} has a command; a handler beside it is a second one`,
      );
    }
    return undefined;
  }
  if (typeof found?.scalar === 'string' && found.scalar !== '') return { text: found.scalar, node: found };
  const wrong = found !== undefined && found.scalar !== null && found.scalar !== '';
  if (!wrong && !node.map?.has('image') && !scope.input.failed.has(node)) {
    scope.complain(pointer, 'SFX2203', `${name} has no handler`, 'key');
  }
  return undefined;
}

/** The program and its arguments; a text is a line for the shell. Commands are kept in releases, so nothing from outside. */
function commandOf(scope: Scope, name: string, pointer: string, node: Node): readonly string[] | undefined {
  const found = node.map?.get('command');
  if (!found || scope.input.failed.has(found)) return undefined;
  const parts = found.list?.map((item) => (item.scalar === null ? '' : String(item.scalar)));
  const text = typeof found.scalar === 'string' ? found.scalar.trim() : '';
  if (parts ? parts.length === 0 || parts[0] === '' : text === '') {
    scope.complain(`${pointer}/command`, 'SFX2202', `the command of ${name} names no program`);
  } else if (isTainted(found)) {
    const message = `the command of ${name} takes a value from outside; put it into environment, and read it there`;
    scope.complain(`${pointer}/command`, 'SFX2208', message, 'key');
  }
  return parts ?? ['/bin/sh', '-c', text];
}

function concurrencyOf(node: Node | undefined): ServiceFunction['concurrency'] {
  const value = node && toJson(node);
  const number = (found: unknown) => (found === undefined || found === null ? undefined : Number(found));
  const instances = number(isObject(value) ? value['instances'] : value);
  const calls = number(isObject(value) ? value['calls'] : undefined);
  if (instances === undefined && calls === undefined) return undefined;
  return { ...(instances === undefined ? {} : { instances }), ...(calls === undefined ? {} : { calls }) };
}

function isolationOf(value: unknown): ServiceFunction['isolation'] {
  return value === 'thread' || value === 'process' ? value : undefined;
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

function eventsOf(
  scope: Scope,
  name: string,
  pointer: string,
  node: Node | undefined,
  authorizers: unknown,
): DraftEvent[] {
  const drafts: DraftEvent[] = [];
  for (const [index, item] of (node?.list ?? []).entries()) {
    if (item.map && [...item.map.values()].some((inner) => scope.input.failed.has(inner))) continue;
    const at = `${pointer}/events/${index}`;
    keepsNothing(scope, name, at, item);
    for (const draft of draftEvents(toJson(item), at, name, authorizers)) {
      if ('message' in draft) scope.complain(draft.pointer, draft.code, draft.message);
      else drafts.push(draft);
    }
  }
  return drafts;
}

/** Releases keep what their triggers send, and come back without the environment of whoever deployed them. */
function keepsNothing(scope: Scope, name: string, pointer: string, item: Node): void {
  for (const [kind, props] of item.map ?? []) {
    const input = props.map?.get('input');
    if (!input || !isTainted(input)) continue;
    const message = `input of a ${kind} of ${name} takes a value from outside; releases keep their triggers`;
    scope.complain(`${pointer}/${kind}/input`, 'SFX2208', message, 'key');
  }
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
