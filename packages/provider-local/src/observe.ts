import type {
  Activation,
  ActivationQuery,
  InvokeTarget,
  Json,
  LogLine,
  Metrics,
  Run,
  Scope,
  Version,
} from '@sfx-deploy/plugin';
import type { Client } from './client.js';
import { isName } from './names.js';
import { stagePath, versionPath } from './versions.js';
import type { EngineService, InvokeWrite } from './wire.js';

/** Longer than the longest function may run. */
const INVOKE_MS = 16 * 60_000;
const FOLLOW_MS = 24 * 60 * 60_000;

export function invoker(
  scope: Scope,
  client: Client,
  run: Run,
): (target: InvokeTarget, payload: Json) => Promise<Json> {
  return async (target, payload) => {
    const json = writeOf(target, payload);
    const path = `${stagePath(scope)}/invoke`;
    const answer = await client.ask<{ result: Json }>({
      op: 'invoke',
      on: target.function,
      writes: false,
      method: 'POST',
      path,
      json,
      timeoutMs: INVOKE_MS,
      signal: run.signal,
      repeatable: false,
    });
    return answer.result;
  };
}

function writeOf(target: InvokeTarget, payload: Json): InvokeWrite {
  return 'version' in target
    ? { function: target.function, version: target.version.id, payload }
    : { function: target.function, alias: target.alias, payload };
}

/** The id of the activation, once the call is on the engine's disk. Asked once: twice would be two calls. */
export function laterInvoker(
  scope: Scope,
  client: Client,
): (target: InvokeTarget, payload: Json) => Promise<string> {
  return async (target, payload) => {
    const answer = await client.ask<{ activation: string }>({
      op: 'invoke.later',
      on: target.function,
      method: 'POST',
      path: `${stagePath(scope)}/invoke`,
      json: { ...writeOf(target, payload), later: true } satisfies InvokeWrite,
      repeatable: false,
    });
    return answer.activation;
  };
}

export function activationLister(scope: Scope, client: Client) {
  return (query: ActivationQuery): Promise<readonly Activation[]> => {
    const asked = new URLSearchParams();
    if (query.function !== undefined) asked.set('function', query.function);
    if (query.status !== undefined) asked.set('status', query.status);
    if (query.since !== undefined) asked.set('since', String(query.since.getTime()));
    if (query.limit !== undefined) asked.set('limit', String(query.limit));
    return client.ask<Activation[]>({
      op: 'activations',
      on: scope.stage,
      method: 'GET',
      path: `${stagePath(scope)}/activations?${asked}`,
    });
  };
}

export function activationReader(scope: Scope, client: Client) {
  return async (id: string): Promise<Activation | undefined> => {
    // What cannot be an id is none that is known, not a request that is wrong.
    if (!isName(id)) return undefined;
    return client.find<Activation>({
      op: 'activation',
      on: id,
      method: 'GET',
      path: `${stagePath(scope)}/activations/${id}`,
    });
  };
}

export function logReader(scope: Scope, client: Client, run: Run) {
  return async function* logs(version: Version, since: Date, follow: boolean): AsyncGenerator<LogLine> {
    const query = `since=${since.getTime()}${follow ? '&follow=1' : ''}`;
    const lines = client.lines<Pick<LogLine, 'at' | 'stream' | 'text' | 'activation'>>({
      op: 'logs',
      on: version.unit,
      method: 'GET',
      path: `${versionPath(scope, version)}/logs?${query}`,
      timeoutMs: follow ? FOLLOW_MS : 30_000,
      signal: run.signal,
    });
    for await (const line of lines) yield { ...line, function: version.unit, version: version.id };
  };
}

export function metricsReader(scope: Scope, client: Client) {
  return (version: Version, from: Date, to: Date): Promise<Metrics | undefined> =>
    client.find<Metrics>({
      op: 'metrics',
      on: version.unit,
      method: 'GET',
      path: `${versionPath(scope, version)}/metrics?from=${from.getTime()}&to=${to.getTime()}`,
    });
}

/** `{ http: "http://127.0.0.1:4101" }`; empty before anything of the stage is there. */
export async function urlsOf(scope: Scope, client: Client): Promise<Readonly<Record<string, string>>> {
  const stage = await client.find<EngineService>({
    op: 'urls',
    on: scope.stage,
    method: 'GET',
    path: stagePath(scope),
  });
  return stage === undefined || stage.url === null ? {} : { http: stage.url };
}
