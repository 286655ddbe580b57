import { fail } from '../../errors.js';
import { isObject, type Json, sameJson } from '../../json.js';
import type { Observed, Resource, ResourceHandler, Scope, Target, Trigger } from '../../provider/contract.js';
import { type Context, remote } from './context.js';
import { physicalName } from './names.js';
import type { StoredObject } from './world.js';

const isTrigger = (resource: Resource): resource is Trigger => 'source' in resource;

function nameOf(scope: Scope, resource: Resource): string {
  return isTrigger(resource)
    ? physicalName(scope, 'trigger', `${resource.kind} ${resource.source}`)
    : physicalName(scope, 'resource', resource.id);
}

function isOurs(scope: Scope, object: StoredObject): boolean {
  return object.scope?.service === scope.service && object.scope.stage === scope.stage;
}

const entriesOf = (value: Json): { [key: string]: Json } =>
  isObject(value) ? { ...(value as { [key: string]: Json }) } : { value };

function observe(scope: Scope, name: string, object: StoredObject): Observed {
  const sent = entriesOf(object.sent);
  return {
    owner: isOurs(scope, object) ? 'ours' : 'foreign',
    ...(object.digest === null ? {} : { digest: object.digest }),
    enabled: object.enabled,
    drift: Object.keys(sent).filter((key) => !sameJson(sent[key], object.actual[key])),
    outputs: { arn: `arn:memory:${object.kind}:${name}` },
  };
}

function foreign(target: Target) {
  return fail(
    'SFX3108',
    `${target.resource.kind} ${target.resource.id} was not made by this service and stage`,
    {
      resource: target.resource.id,
    },
  );
}

/** `size` that grows widens, and that shrinks breaks; another `type` replaces. */
export function grade(from: Json, to: Json): ReturnType<ResourceHandler['change']> {
  if (sameJson(from, to)) return 'none';
  const before = entriesOf(from);
  const after = entriesOf(to);
  if (!sameJson(before['type'], after['type'])) return 'replaces';
  return Number(after['size'] ?? 0) < Number(before['size'] ?? 0) ? 'breaks' : 'widens';
}

function handler(context: Context, change: ResourceHandler['change']): ResourceHandler {
  const { scope } = context;
  return {
    change,
    read(target) {
      const name = nameOf(scope, target.resource);
      return remote(context, 'resources.read', target.resource.id, false, (document) => {
        const object = document.objects[name];
        return object && observe(scope, name, object);
      });
    },
    reconcile(target) {
      const { resource } = target;
      const name = nameOf(scope, resource);
      return remote(context, 'resources.reconcile', resource.id, true, (document) => {
        const there = document.objects[name];
        if (there !== undefined && !isOurs(scope, there)) throw foreign(target);
        document.serial += 1;
        const made: StoredObject = {
          scope,
          kind: resource.kind,
          id: resource.id,
          digest: target.digest,
          enabled: target.enabled,
          sent: target.props,
          actual: { madeAs: document.serial, ...there?.actual, ...entriesOf(target.props) },
          ...(target.to === undefined ? {} : { to: target.to }),
          ...(isTrigger(resource) ? { delivers: resource.delivers, source: resource.source } : {}),
        };
        document.objects[name] = made;
        return observe(scope, name, made);
      });
    },
    remove(target) {
      const name = nameOf(scope, target.resource);
      return remote(context, 'resources.remove', target.resource.id, true, (document) => {
        const there = document.objects[name];
        if (there === undefined) return;
        if (!isOurs(scope, there)) throw foreign(target);
        delete document.objects[name];
      });
    },
  };
}

/** Kinds: `thing` for infra; the others are triggers, any change of which its callers notice. */
export function resourceHandlers(context: Context): Readonly<Record<string, ResourceHandler>> {
  const trigger = handler(context, (from, to) => (sameJson(from, to) ? 'none' : 'breaks'));
  const kinds = ['http', 'schedule', 'queue', 'topic', 'bucket'];
  return { thing: handler(context, grade), ...Object.fromEntries(kinds.map((kind) => [kind, trigger])) };
}
