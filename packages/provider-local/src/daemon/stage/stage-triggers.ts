import { join } from 'node:path';
import type { TriggerDocument } from '../../wire.js';
import { readDocument, writeDocument } from '../disk.js';
import { createRouter, type Router, type RouteSource } from '../http/router.js';

/** The triggers of one service and stage, in `triggers.json`, and the router that its routes make. */
export interface StageTriggers {
  get(kind: string, id: string): TriggerDocument | undefined;
  all(): TriggerDocument[];
  set(trigger: TriggerDocument): Promise<void>;
  remove(kind: string, id: string): Promise<void>;
  router(): Router;
}

export async function openTriggers(dir: string): Promise<StageTriggers> {
  const path = join(dir, 'triggers.json');
  const saved = (await readDocument<TriggerDocument[]>(path)) ?? [];
  let triggers = new Map(saved.map((trigger) => [keyOf(trigger.kind, trigger.id), trigger]));
  let router = routerOf(triggers);
  const change = async (act: (all: Map<string, TriggerDocument>) => unknown) => {
    const next = new Map(triggers);
    act(next);
    await writeDocument(path, [...next.values()]);
    triggers = next;
    router = routerOf(next);
  };
  return {
    get: (kind, id) => triggers.get(keyOf(kind, id)),
    all: () => [...triggers.values()],
    set: (trigger) => change((all) => all.set(keyOf(trigger.kind, trigger.id), trigger)),
    remove: (kind, id) => change((all) => all.delete(keyOf(kind, id))),
    router: () => router,
  };
}

function keyOf(kind: string, id: string): string {
  return `${kind}\n${id}`;
}

function routerOf(triggers: ReadonlyMap<string, TriggerDocument>): Router {
  const http = [...triggers.values()].filter((trigger) => trigger.kind === 'http' && trigger.enabled);
  return createRouter(
    http.map((trigger) => {
      const props = trigger.props as unknown as Pick<RouteSource, 'method' | 'path' | 'cors' | 'authorizer'>;
      return {
        method: props.method,
        path: props.path,
        cors: props.cors,
        authorizer: props.authorizer ?? null,
        function: trigger.function,
        alias: trigger.alias,
      };
    }),
  );
}
