import {
  fail,
  type HttpProps,
  type Preview,
  type Scope,
  type Trigger,
  type Version,
} from '@sfx-deploy/plugin';
import type { Client } from './client.js';
import { stagePath } from './versions.js';
import type { PreviewWrite } from './wire.js';

/** Longer than any test. */
const OPEN_MS = 24 * 60 * 60_000;

/** Versions at an address of their own: open as long as the connection that asked for it. */
export function previewer(scope: Scope, client: Client) {
  return async (versions: readonly Version[], triggers: readonly Trigger[]): Promise<Preview> => {
    const json: PreviewWrite = {
      versions: Object.fromEntries(versions.map(({ unit, id }) => [unit, id])),
      routes: triggers.filter(({ kind }) => kind === 'http').map(routeOf),
    };
    const over = new AbortController();
    const lines = client
      .lines<{ readonly url: string }>({
        op: 'preview',
        on: scope.stage,
        method: 'POST',
        path: `${stagePath(scope)}/preview`,
        json,
        writes: false,
        repeatable: false,
        timeoutMs: OPEN_MS,
        signal: over.signal,
      })
      [Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw fail('SFX3101', 'the engine opened no address for the candidates');
    return {
      urls: { http: first.value.url },
      async [Symbol.asyncDispose]() {
        over.abort();
        await lines.return?.();
      },
    };
  };
}

function routeOf({ props, function: name }: Trigger): PreviewWrite['routes'][number] {
  return { ...(props as unknown as HttpProps), function: name };
}
