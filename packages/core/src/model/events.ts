import { isObject, type Json, type JsonObject } from '../json.js';
import { normalizeCors, normalizeRoute, routeKey, splitRoute } from './http.js';
import type { ServiceEvent } from './service.js';

/** The key that a trigger's short form stands for: `sqs: <arn>` is `sqs: { arn }`. */
const shortForms: Readonly<Record<string, string>> = {
  schedule: 'rate',
  sqs: 'arn',
  stream: 'arn',
  sns: 'arn',
  s3: 'bucket',
  websocket: 'route',
  queue: 'queue',
  topic: 'topic',
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
}

export type EventFault = { readonly pointer: string; readonly message: string };

export function isHttp(kind: string): boolean {
  return kind === 'http' || kind === 'httpApi';
}

/** One item of `events:`. Its schema has been checked; a route that cannot be read is a fault. */
export function draftEvent(value: unknown, pointer: string, fn: string): DraftEvent | EventFault | undefined {
  if (!isObject(value)) return undefined;
  const [kind, props] = Object.entries(value)[0] ?? [];
  if (kind === undefined) return undefined;
  const below = `${pointer}/${kind}`;
  if (isHttp(kind)) return draftHttp(kind, props, below, fn);
  return {
    kind,
    pointer: below,
    function: fn,
    props: isPlain(props) ? (props as JsonObject) : { [shortForms[kind] ?? 'value']: props as Json },
  };
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
): DraftEvent | EventFault | undefined {
  const short = typeof props === 'string' ? splitRoute(props) : undefined;
  const own = isObject(props) ? props : {};
  const path = short ? short.path : own['path'];
  const method = short ? short.method : own['method'];
  if (typeof path !== 'string') return undefined;
  const route = normalizeRoute(typeof method === 'string' ? method : undefined, path);
  if ('fault' in route) return { pointer, message: route.fault };
  const { path: _path, method: _method, cors, ...rest } = own;
  return {
    kind,
    pointer,
    function: fn,
    route,
    props: rest as JsonObject,
    ...(cors === undefined ? {} : { cors }),
  };
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
