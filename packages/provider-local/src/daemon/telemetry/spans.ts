import type { Scope } from '@sfx-deploy/plugin';
import type { Begun, Cause, Problem } from '../calls/caller.js';
import type { Outcome } from '../instances/outcomes.js';

/** A span as OTLP writes it in JSON: ids in hex digits, times in nanoseconds as text. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface Attribute {
  readonly key: string;
  readonly value: { stringValue: string } | { intValue: string } | { boolValue: boolean };
}

/** A span and whose it is. */
export interface KeptSpan {
  readonly scope: Scope;
  readonly span: OtlpSpan;
}

const SERVER = 2;
const CONSUMER = 5;
const ERROR = 2;

/** `faas.trigger`, as the semantic conventions have it. */
const TRIGGERS: Readonly<Record<Cause, string>> = {
  http: 'http',
  authorizer: 'http',
  invoke: 'other',
  async: 'pubsub',
  queue: 'pubsub',
  topic: 'pubsub',
  schedule: 'timer',
  bucket: 'datasource',
};

/** One call as a span. Neither payload nor result, headers or query are in it. */
export function spanOf(
  begun: Begun,
  outcome: Outcome,
  ms: number,
  problem: Problem | undefined,
  status: number | undefined,
): OtlpSpan {
  const { call, span, serving, release, started, input } = begun;
  const route = input.kind === 'http' ? input.route : undefined;
  const asked = TRIGGERS[call.cause] === 'http' || call.cause === 'invoke';
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === undefined ? {} : { parentSpanId: span.parentId }),
    flags: 1,
    name: route ?? `${call.cause} ${call.function}`,
    kind: asked ? SERVER : CONSUMER,
    startTimeUnixNano: `${started}000000`,
    endTimeUnixNano: `${Math.round((started + ms) * 1000)}000`,
    attributes: attributes({
      'faas.name': call.function,
      'faas.version': serving.version.id,
      'faas.trigger': TRIGGERS[call.cause],
      'faas.invocation_id': input.requestId,
      'faas.coldstart': outcome.cold === true,
      'http.request.method': input.kind === 'http' ? input.method : undefined,
      'http.route': route?.slice(route.indexOf(' ') + 1),
      'http.response.status_code': status,
      'url.path': input.kind === 'http' ? pathOf(input.url) : undefined,
      'error.type': problem?.code,
      'sfx.version': serving.shown,
      'sfx.release': release,
      'sfx.cause': call.cause,
      'sfx.trigger': call.trigger,
      'sfx.attempt': call.attempt,
    }),
    status: problem === undefined ? {} : { code: ERROR, message: problem.message },
  };
}

/** Of `http://host/path?query`; the query may hold what is nobody's business. */
function pathOf(url: string): string {
  return /^https?:\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? '';
}

/** The body of one export: spans by service and stage. */
export function exportOf(spans: readonly KeptSpan[], version: string): object {
  const groups = new Map<string, { scope: Scope; spans: OtlpSpan[] }>();
  for (const { scope, span } of spans) {
    const key = `${scope.service}/${scope.stage}`;
    const group = groups.get(key) ?? { scope, spans: [] };
    group.spans.push(span);
    groups.set(key, group);
  }
  return {
    resourceSpans: [...groups.values()].map(({ scope, spans: own }) => ({
      resource: {
        attributes: attributes({
          'service.name': scope.service,
          'deployment.environment.name': scope.stage,
          'telemetry.sdk.name': 'sfx',
          'telemetry.sdk.language': 'nodejs',
          'telemetry.sdk.version': version,
        }),
      },
      scopeSpans: [{ scope: { name: 'sfx.engine', version }, spans: own }],
    })),
  };
}

function attributes(values: Readonly<Record<string, string | number | boolean | undefined>>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]): Attribute[] => {
    if (value === undefined) return [];
    if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
    if (typeof value === 'number') return [{ key, value: { intValue: String(value) } }];
    return [{ key, value: { stringValue: value } }];
  });
}
