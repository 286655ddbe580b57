import { type Diagnostic, fail } from '../../errors.js';
import { isObject, type Json } from '../../json.js';
import type { Service, ServiceEvent, ServiceFunction } from '../../model/service.js';
import type { Ir, Resource, Trigger } from '../../provider/contract.js';
import { type FunctionPart, irFrom, thingOf, triggerOf } from './ir.js';
import { type ShapeName, shapes } from './shapes.js';

/**
 * A service as the IR of a shape. `resources` holds things: `{ table: { props: {…}, data: true, dependsOn: […] } }`.
 * Throws SFX2200 with every event that the shape does not know (SFX2204).
 */
export function compileFor(shape: ShapeName, service: Service): Ir {
  const diagnostics: Diagnostic[] = [];
  const triggers = service.functions.flatMap((fn) =>
    fn.events.flatMap((event): Trigger[] => {
      if (shapes[shape].triggers.includes(event.kind))
        return [triggerOf(shape, fn.name, described(fn, event))];
      diagnostics.push(unknownEvent(service, event));
      return [];
    }),
  );
  if (diagnostics.length > 0) throw fail('SFX2200', 'the configuration has errors', { diagnostics });
  const infra = thingsOf(service.resources);
  const ids = new Set(infra.map((resource) => resource.id));
  return irFrom(
    shape,
    service.functions.map((fn) => partOf(fn, ids)),
    triggers,
    infra,
  );
}

function described(fn: ServiceFunction, event: ServiceEvent): { kind: string; source: string; props: Json } {
  const { kind, props } = event;
  // Several functions may have one topic or bucket: each is a source of its own.
  const own = kind === 'topic' || kind === 'bucket' ? ` ${fn.name}` : '';
  const word = (key: string) => (typeof props[key] === 'string' ? props[key] : undefined);
  const source =
    kind === 'http'
      ? `${word('method') ?? 'ANY'} ${word('path') ?? '/'}`
      : `${
          word('name') ??
          word('queue') ??
          word('topic') ??
          word('bucket') ??
          word('arn') ??
          `${fn.name} ${word('schedule') ?? ''}`.trim()
        }${own}`;
  return { kind, source, props };
}

function unknownEvent(service: Service, event: ServiceEvent): Diagnostic {
  const at = service.at(event.pointer);
  return {
    code: 'SFX2204',
    severity: 'error',
    message: `there is no trigger ${event.kind} here`,
    ...(at === undefined ? {} : { at }),
  };
}

function partOf(fn: ServiceFunction, things: ReadonlySet<string>): FunctionPart {
  const config = {
    runtime: fn.runtime,
    memory: fn.memory,
    timeout: fn.timeout,
    environment: fn.environment,
    native: fn.native,
  };
  return {
    name: fn.name,
    build: {
      kind: 'node',
      host: 'local',
      bundle: fn.bundle,
      include: fn.include,
      entries: [{ function: fn.name, handler: fn.handler }],
    },
    config,
    dependsOn: [...new Set(outputsIn(config))].filter((id) => things.has(id)).sort(),
  };
}

/** Ids of the resources whose outputs a value needs. */
function outputsIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => outputsIn(item));
  if (!isObject(value)) return [];
  const out = value['$out'];
  if (Array.isArray(out) && typeof out[0] === 'string') return [out[0]];
  return Object.values(value as Record<string, Json>).flatMap(outputsIn);
}

function thingsOf(resources: Json): Resource[] {
  if (!isObject(resources)) return [];
  return Object.entries(resources as Record<string, Json>).map(([id, value]) => {
    const thing = isObject(value) ? (value as Record<string, Json>) : {};
    return thingOf(id, {
      props: thing['props'] ?? {},
      ...(thing['data'] === true ? { data: true as const } : {}),
      dependsOn: Array.isArray(thing['dependsOn']) ? (thing['dependsOn'] as string[]) : [],
    });
  });
}
