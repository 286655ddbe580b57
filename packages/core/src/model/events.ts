import type { ErrorCode } from '../errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { normalizeAuthorizer } from './authorizer.js';
import { normalizeCors, normalizeRoute, routeKey, splitRoute } from './http.js';
import type { ServiceEvent } from './service.js';
import { isNeutral, normalizeTrigger } from './triggers.js';

/** The key that a trigger's short form stands for: `sqs: <arn>` is `sqs: { arn }`. */
const shortForms: Readonly<Record<string, string>> = {
  sqs: 'arn',
  stream: 'arn',
  sns: 'arn',
  s3: 'bucket',
  websocket: 'route',
  cloudwatchLog: 'logGroup',
  cognitoUserPool: 'pool',
  alexaSkill: 'appId',
  alexaSmartHome: 'appId',
  iot: 'sql',
  eventBridge: 'schedule',
};

/** An event before its CORS is known: that needs all routes of its path. */
export interface DraftEvent {
  readonly kind: string;
  readonly pointer: string;
  readonly function: string;
  readonly route?: { readonly method: string; readonly path: string };
  /** Props beside the route's. */
  readonly props: JsonObject;
  readonly cors?: unknown;
  /** The function that is asked before the route's own. */
  readonly authorizer?: string;
}

export interface EventFault {
  readonly pointer: string;
  readonly message: string;
  readonly code: ErrorCode;
}

export function isHttp(kind: string): boolean {
  return kind === 'http' || kind === 'httpApi';
}

/**
 * One item of `events:`, which can be several triggers, and what is wrong with it. Its schema has been checked.
 * `authorizers` are those of the provider's `httpApi`, by name.
 */
export function draftEvents(
  value: unknown,
  pointer: string,
  fn: string,
  authorizers: unknown,
): readonly (DraftEvent | EventFault)[] {
  if (!isObject(value)) return [];
  const [kind, props] = Object.entries(value)[0] ?? [];
  if (kind === undefined) return [];
  const below = `${pointer}/${kind}`;
  if (isHttp(kind)) return draftHttp(kind, props, below, fn, authorizers);
  if (isNeutral(kind)) return draftNeutral(kind, props, below, fn);
  return [
    {
      kind,
      pointer: below,
      function: fn,
      props: isPlain(props) ? (props as JsonObject) : { [shortForms[kind] ?? 'value']: props as Json },
    },
  ];
}

function draftNeutral(
  kind: string,
  value: unknown,
  pointer: string,
  fn: string,
): (DraftEvent | EventFault)[] {
  const { triggers, faults } = normalizeTrigger(kind, value);
  return [
    ...triggers.map(({ below, props }) => ({ kind, pointer: `${pointer}${below}`, function: fn, props })),
    ...faults.map(({ below, message, code = 'SFX2202' }) => ({
      pointer: `${pointer}${below}`,
      message,
      code,
    })),
  ];
}

/** A mapping of the trigger's own keys, and not a value that CloudFormation fills. */
function isPlain(props: unknown): boolean {
  if (!isObject(props)) return false;
  const keys = Object.keys(props);
  return !(keys.length === 1 && (keys[0] === 'Ref' || keys[0]!.startsWith('Fn::') || keys[0] === '$secret'));
}

function draftHttp(
  kind: string,
  props: unknown,
  pointer: string,
  fn: string,
  authorizers: unknown,
): readonly (DraftEvent | EventFault)[] {
  const short = typeof props === 'string' ? splitRoute(props) : undefined;
  const own = isObject(props) ? props : {};
  const path = short ? short.path : own['path'];
  const method = short ? short.method : own['method'];
  if (typeof path !== 'string') return [];
  const route = normalizeRoute(typeof method === 'string' ? method : undefined, path);
  if ('fault' in route) return [{ pointer, message: route.fault, code: 'SFX2202' }];
  const { path: _path, method: _method, cors, authorizer, ...rest } = own;
  const asked = normalizeAuthorizer(kind, authorizer, authorizers);
  const draft: DraftEvent = {
    kind,
    pointer,
    function: fn,
    route,
    props: { ...(rest as JsonObject), ...(asked.value === undefined ? {} : { authorizer: asked.value }) },
    ...(cors === undefined ? {} : { cors }),
    ...(asked.function === undefined ? {} : { authorizer: asked.function }),
  };
  const { fault } = asked;
  if (fault === undefined) return [draft];
  return [draft, { pointer: `${pointer}/authorizer${fault.below}`, message: fault.message, code: 'SFX2202' }];
}

/** All events in their normal form, in order. `httpApiCors` is what the provider says for routes that say nothing. */
export function finishEvents(
  drafts: readonly DraftEvent[],
  httpApiCors: unknown,
): Map<DraftEvent, ServiceEvent> {
  const methods = new Map<string, string[]>();
  for (const { kind, route } of drafts) {
    if (!route) continue;
    const key = `${kind} ${routeKey(route.path)}`;
    const known = methods.get(key);
    if (known) known.push(route.method);
    else methods.set(key, [route.method]);
  }
  const finished = new Map<DraftEvent, ServiceEvent>();
  for (const draft of drafts) {
    const { kind, route, pointer } = draft;
    if (!route) {
      finished.set(draft, { kind, props: draft.props, pointer });
      continue;
    }
    const asked = draft.cors === undefined && kind === 'httpApi' ? httpApiCors : draft.cors;
    const cors = normalizeCors(asked, methods.get(`${kind} ${routeKey(route.path)}`) ?? []);
    finished.set(draft, {
      kind,
      props: { method: route.method, path: route.path, cors: cors as Json, ...draft.props },
      pointer,
    });
  }
  return finished;
}

/** Pairs of events that have the same source. */
export function sameRoutes(
  drafts: readonly DraftEvent[],
): { readonly first: DraftEvent; readonly again: DraftEvent }[] {
  const seen = new Map<string, DraftEvent>();
  const pairs: { first: DraftEvent; again: DraftEvent }[] = [];
  for (const draft of drafts) {
    if (!draft.route) continue;
    const key = `${draft.kind} ${draft.route.method} ${routeKey(draft.route.path)}`;
    const first = seen.get(key);
    if (first) pairs.push({ first, again: draft });
    else seen.set(key, draft);
  }
  return pairs;
}
