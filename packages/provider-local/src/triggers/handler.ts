import {
  isObject,
  type Observed,
  type ResourceHandler,
  type Scope,
  sameJson,
  type Target,
  type Trigger,
} from '@sfx-deploy/plugin';
import type { Client } from '../client.js';
import { stagePath } from '../versions.js';
import type { EngineService, TriggerDocument } from '../wire.js';

/** What differs between kinds of triggers. */
export interface TriggerKind {
  readonly kind: string;
  /** What the engine has for it, for people and for refs. */
  outputsOf(trigger: TriggerDocument, stage: EngineService): Observed['outputs'];
  readonly change: ResourceHandler['change'];
}

/** Triggers are rows of a stage's table, by kind and id. Others cannot be there. */
export function triggerHandler(
  scope: Scope,
  client: Client,
  { kind, outputsOf, change }: TriggerKind,
): ResourceHandler {
  const path = (id: string) => `${stagePath(scope)}/triggers/${kind}?id=${encodeURIComponent(id)}`;
  const observed = async (trigger: TriggerDocument, target: Target): Promise<Observed> => {
    const stage = await client.ask<EngineService>({
      op: 'resources.url',
      on: trigger.id,
      method: 'GET',
      path: stagePath(scope),
    });
    return {
      owner: 'ours',
      digest: trigger.digest,
      enabled: trigger.enabled,
      drift: driftOf(trigger, target),
      outputs: outputsOf(trigger, stage),
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
      const trigger = documentOf(kind, target);
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

function documentOf(kind: string, target: Target): TriggerDocument {
  const { resource, props, digest, enabled, stamp, to } = target;
  const { source, title } = resource as Partial<Trigger>;
  return {
    kind,
    id: resource.id,
    source: source ?? resource.id,
    ...(title === undefined ? {} : { title }),
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
