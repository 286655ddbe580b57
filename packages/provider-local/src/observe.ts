import type { InvokeTarget, Json, LogLine, Metrics, Run, Scope, Version } from '@sfx-deploy/plugin';
import type { Client } from './client.js';
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
    const json: InvokeWrite =
      'version' in target
        ? { function: target.function, version: target.version.id, payload }
        : { function: target.function, alias: target.alias, payload };
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

export function logReader(scope: Scope, client: Client, run: Run) {
  return async function* logs(version: Version, since: Date, follow: boolean): AsyncGenerator<LogLine> {
    const query = `since=${since.getTime()}${follow ? '&follow=1' : ''}`;
    const lines = client.lines<Pick<LogLine, 'at' | 'stream' | 'text'>>({
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
