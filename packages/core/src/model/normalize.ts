import type { HandlerUse } from '../config/handlers.js';
import { didYouMean } from '../config/nearest.js';
import { keySpan, type Node, nearestNode, nodeAt, pointerOf, toJson, valueSpan } from '../config/node.js';
import type { Problems } from '../config/problems.js';
import type { SecretCollector } from '../config/refs.js';
import { positionOf } from '../config/text.js';
import type { ErrorCode } from '../errors.js';
import { isObject, type JsonObject } from '../json.js';
import { normalizeChecks } from './checks.js';
import { type DraftEvent, finishEvents, sameRoutes } from './events.js';
import { draftFunction, type FunctionDefaults, type FunctionDraft } from './functions.js';
import { nameFault } from './names.js';
import { normalizeResources } from './resources.js';
import { normalizeRollout } from './rollout.js';
import type { Position, Service, ServiceFunction } from './service.js';

export interface NormalizeInput {
  /** Resolved. */
  readonly root: Node;
  /** Scalars whose variables could not be filled: nothing is said about them again. */
  readonly failed: ReadonlySet<Node>;
  readonly dir: string;
  readonly stage: string;
  /** Of `--provider`. */
  readonly provider: string | undefined;
  readonly problems: Problems;
  readonly secrets: SecretCollector;
}

/** What the parts of the normal form report and look up through. */
export interface Scope {
  readonly input: NormalizeInput;
  /** A problem with the value at a pointer, or with its key. */
  complain(pointer: string, code: ErrorCode, message: string, at?: 'key' | 'value'): void;
}

const NEUTRAL_PROVIDER_KEYS = ['name', 'stage', 'runtime', 'memorySize', 'memory', 'timeout', 'environment'];

/** The normal form of a resolved configuration. Its schema has been checked; whatever is still wrong goes to `problems`. */
export function normalize(input: NormalizeInput): { service: Service; handlers: readonly HandlerUse[] } {
  const scope = createScope(input);
  const value = (pointer: string): unknown => {
    const node = nodeAt(input.root, pointer);
    return node && !input.failed.has(node) ? toJson(node) : undefined;
  };
  const provider = providerOf(input, value('/provider'));
  const drafts = functionDrafts(scope, provider.keys);
  const handlers = drafts.flatMap((draft) => (draft.use ? [draft.use] : []));
  const functions = finishFunctions(scope, drafts, provider.keys);
  const names = functions.map((fn) => fn.name);
  const rolloutValue = value('/rollout');
  const checks = normalizeChecks(scope, value('/checks'), names);
  const rollout = normalizeRollout(rolloutValue, (below, message) =>
    scope.complain(`/rollout${below}`, 'SFX2202', message),
  );
  for (const [index, step] of rollout.steps.entries()) {
    if ('check' in step && !checks.some((check) => check.name === step.check)) {
      const near = didYouMean(
        step.check,
        checks.map((check) => check.name),
      );
      scope.complain(`/rollout/steps/${index}/check`, 'SFX2207', `there is no check ${step.check}${near}`);
    }
  }
  const keep =
    isObject(rolloutValue) && typeof rolloutValue['rollbackWindow'] === 'number'
      ? rolloutValue['rollbackWindow']
      : 5;
  const state = value('/state/path');
  const service: Service = {
    name: serviceName(scope, value('/service')),
    stage: input.stage,
    dir: input.dir,
    provider: {
      name: provider.name,
      options: provider.options,
      ...(provider.written === provider.name ? {} : { written: provider.written }),
    },
    ...(typeof state === 'string' ? { state: { path: state } } : {}),
    functions,
    resources: normalizeResources(nodeAt(input.root, '/resources'), input.secrets),
    rollout,
    checks,
    keep,
    at: (pointer) => positionAt(input.root, pointer),
  };
  return { service, handlers };
}

function createScope(input: NormalizeInput): Scope {
  return {
    input,
    complain(pointer, code, message, at = 'value') {
      const node = nearestNode(input.root, pointer);
      if (input.failed.has(node)) return;
      const span = at === 'key' || node.map || node.list ? keySpan(node) : valueSpan(node);
      input.problems.add({ code, message, at: span, note: message });
    },
  };
}

/** A scalar's value, a container's key; the nearest place above what is not written. */
function positionAt(root: Node, pointer: string): Position | undefined {
  const short = pointer.endsWith('/memory') ? nodeAt(root, `${pointer}Size`) : undefined;
  const node = short ?? nearestNode(root, pointer);
  if (node === root) return undefined;
  return positionOf(node.map || node.list ? keySpan(node) : valueSpan(node));
}

function providerOf(
  input: NormalizeInput,
  value: unknown,
): { name: string; written: string; keys: JsonObject; options: JsonObject } {
  const keys = (isObject(value) ? value : {}) as JsonObject;
  const written = typeof value === 'string' ? value : typeof keys['name'] === 'string' ? keys['name'] : '';
  const name = input.provider ?? written;
  // The keys of another provider say nothing to the one that was asked for instead.
  const own =
    name === written ? Object.entries(keys).filter(([key]) => !NEUTRAL_PROVIDER_KEYS.includes(key)) : [];
  return {
    name,
    written,
    keys,
    options: Object.fromEntries(own.filter(([key, inner]) => !isNeutralHttpApi(key, inner))),
  };
}

/** `httpApi: { cors }` is in the routes' own normal form already. */
function isNeutralHttpApi(key: string, value: unknown): boolean {
  return key === 'httpApi' && (!isObject(value) || Object.keys(value).every((inner) => inner === 'cors'));
}

function serviceName(scope: Scope, value: unknown): string {
  const { root } = scope.input;
  const pointer = isObject(value) ? '/service/name' : '/service';
  const name = isObject(value) ? value['name'] : value;
  if (typeof name !== 'string') return '';
  const shown = nodeAt(root, pointer)?.taint ?? null;
  const fault = nameFault('service', name, shown === null);
  if (fault) scope.complain(pointer, 'SFX2206', `the service name ${shown ?? name} ${fault}`);
  return name;
}

function functionDrafts(scope: Scope, provider: JsonObject): FunctionDraft[] {
  const { root } = scope.input;
  const rootPackage = nodeAt(root, '/package');
  const environment = nodeAt(root, '/provider/environment');
  const defaults: FunctionDefaults = {
    provider,
    package: rootPackage ? toJson(rootPackage) : undefined,
    environment,
  };
  const drafts: FunctionDraft[] = [];
  for (const [name, node] of nodeAt(root, '/functions')?.map ?? []) {
    const pointer = pointerOf('functions', name);
    const fault = nameFault('function', name);
    if (fault) scope.complain(pointer, 'SFX2206', `the function name ${name} ${fault}`, 'key');
    drafts.push(draftFunction(scope, name, pointer, node, defaults));
  }
  return drafts;
}

function finishFunctions(
  scope: Scope,
  drafts: readonly FunctionDraft[],
  provider: JsonObject,
): ServiceFunction[] {
  const events: DraftEvent[] = drafts.flatMap((draft) => draft.events);
  for (const { first, again } of sameRoutes(events)) {
    const { method, path } = again.route!;
    const message =
      first.function === again.function
        ? `${method} ${path} is there twice`
        : `${method} ${path} is also a route of ${first.function}`;
    scope.complain(again.pointer, 'SFX2205', message);
  }
  const names = drafts.map((draft) => draft.fn.name);
  for (const { authorizer, pointer } of events) {
    if (authorizer === undefined || names.includes(authorizer)) continue;
    const message = `there is no function ${authorizer}${didYouMean(authorizer, names)}`;
    scope.complain(`${pointer}/authorizer/name`, 'SFX2207', message);
  }
  const httpApi = provider['httpApi'];
  const finished = finishEvents(events, isObject(httpApi) ? httpApi['cors'] : undefined);
  return drafts.map((draft) => ({ ...draft.fn, events: draft.events.map((event) => finished.get(event)!) }));
}
