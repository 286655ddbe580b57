import {
  type HttpProps,
  isObject,
  type Json,
  type Observed,
  type ResourceHandler,
  type Scope,
  sameJson,
  type Target,
} from '@sfx-deploy/plugin';
import type { Client } from '../client.js';
import { stagePath } from '../versions.js';
import type { EngineService, TriggerDocument } from '../wire.js';

/** HTTP routes of a service and stage: rows of the gateway's table, by their id. Others cannot be there. */
export function httpTriggers(scope: Scope, client: Client): ResourceHandler {
  const path = (id: string) => `${stagePath(scope)}/triggers/http?id=${encodeURIComponent(id)}`;
  const observed = async (trigger: TriggerDocument, target: Target): Promise<Observed> => {
    const { url } = await client.ask<EngineService>({
      op: 'resources.url',
      on: trigger.id,
      method: 'GET',
      path: stagePath(scope),
    });
    const { path: route } = trigger.props as unknown as HttpProps;
    return {
      owner: 'ours',
      digest: trigger.digest,
      enabled: trigger.enabled,
      drift: driftOf(trigger, target),
      outputs: url === null ? {} : { url: `${url}${route}` },
    };
  };
  return {
    async read(target) {
      const trigger = await client.find<TriggerDocument>({
        op: 'resources.read',
        on: target.resource.id,
        method: 'GET',
        path: path(target.resource.id),
      });
      return trigger === undefined ? undefined : observed(trigger, target);
    },
    async reconcile(target) {
      const trigger = documentOf(target);
      await client.ask({
        op: 'resources.reconcile',
        on: trigger.id,
        method: 'PUT',
        path: path(trigger.id),
        json: trigger,
      });
      return observed(trigger, target);
    },
    remove: (target) =>
      client.ask({
        op: 'resources.remove',
        on: target.resource.id,
        method: 'DELETE',
        path: path(target.resource.id),
      }),
    change,
  };
}

function documentOf(target: Target): TriggerDocument {
  const { resource, props, digest, enabled, stamp, to } = target;
  return {
    kind: 'http',
    id: resource.id,
    source: resource.id.replace(/^http:/, ''),
    props,
    alias: to?.alias ?? '',
    function: to?.function ?? '',
    digest,
    enabled,
    stamp,
  };
}

/** Only where the digest says that it is the same: keys that are otherwise now. */
function driftOf(trigger: TriggerDocument, target: Target): string[] {
  if (trigger.digest !== target.digest) return [];
  const drift =
    isObject(target.props) && isObject(trigger.props) ? keysThatDiffer(target.props, trigger.props) : [];
  const { to } = target;
  if (to !== undefined && (trigger.function !== to.function || trigger.alias !== to.alias))
    drift.push('function');
  return drift;
}

function keysThatDiffer(sent: Record<string, unknown>, now: Record<string, unknown>): string[] {
  return Object.keys(sent).filter((key) => !sameJson(sent[key], now[key]));
}

/** Another path or method is another route. Taking an origin, header or method away from CORS breaks pages that use it. */
function change(from: Json, to: Json): ReturnType<ResourceHandler['change']> {
  if (sameJson(from, to)) return 'none';
  const [before, after] = [from as unknown as HttpProps, to as unknown as HttpProps];
  if (before.method !== after.method || before.path !== after.path) return 'replaces';
  return allows(after.cors, before.cors) ? 'widens' : 'breaks';
}

function allows(cors: HttpProps['cors'], all: HttpProps['cors']): boolean {
  if (all === null) return true;
  if (cors === null || cors.credentials !== all.credentials) return false;
  const holds = (some: readonly string[], each: readonly string[]) =>
    some.includes('*') || each.every((one) => some.includes(one));
  return (
    holds(cors.origins, all.origins) && holds(cors.headers, all.headers) && holds(cors.methods, all.methods)
  );
}
