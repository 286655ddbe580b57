import { createHash } from 'node:crypto';
import { canonical, type Json, type JsonObject } from '../../json.js';
import type { Artifact, Ir, Resource, Trigger, Unit } from '../../provider/contract.js';
import { type ShapeName, shapes } from './shapes.js';

/** An artifact whose bytes are `text`. */
export function artifactOf(text: string): Artifact {
  const bytes = new TextEncoder().encode(text);
  return {
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.byteLength,
    bytes: async function* () {
      yield bytes;
    },
  };
}

/** What would be built for each unit of an IR, by unit: the text of `Unit.build` stands for the code. */
export function artifactsOf(ir: Ir): Readonly<Record<string, Artifact>> {
  return Object.fromEntries(ir.units.map((unit) => [unit.id, artifactOf(canonical(unit.build))]));
}

export interface PlainFunction {
  /** What it does, as any text: other text is another build. */
  readonly code: string;
  readonly config?: Json;
  /** `GET /products` */
  readonly routes?: readonly string[];
  readonly queues?: readonly string[];
  readonly schedules?: readonly string[];
  readonly topics?: readonly string[];
  readonly buckets?: readonly string[];
  /** Ids of things that it needs. */
  readonly uses?: readonly string[];
}

export interface PlainThing {
  readonly props?: Json;
  readonly data?: true;
  readonly dependsOn?: readonly string[];
}

export interface PlainService {
  readonly functions: Readonly<Record<string, PlainFunction>>;
  readonly things?: Readonly<Record<string, PlainThing>>;
}

/** A function as every shape builds units of it. */
export interface FunctionPart {
  readonly name: string;
  readonly build: Json;
  readonly config: Json;
  readonly dependsOn: readonly string[];
}

export function aliasOf(shape: ShapeName, name: string): string {
  return shapes[shape].alias === 'unit' ? name : 'live';
}

/** One unit per function, or one of all of them (`app`, `package`). */
export function unitsFrom(shape: ShapeName, parts: readonly FunctionPart[]): Unit[] {
  const { unit } = shapes[shape];
  if (unit === 'function') {
    return parts.map(({ name, build, config, dependsOn }) => ({
      id: name,
      functions: [name],
      build,
      config,
      dependsOn,
    }));
  }
  if (parts.length === 0) return [];
  const byName = (pick: (part: FunctionPart) => Json): JsonObject =>
    Object.fromEntries(parts.map((part) => [part.name, pick(part)]));
  return [
    {
      id: unit,
      functions: parts.map((part) => part.name),
      build: byName((part) => part.build),
      config: byName((part) => part.config),
      dependsOn: [...new Set(parts.flatMap((part) => part.dependsOn))].sort(),
    },
  ];
}

export function irFrom(
  shape: ShapeName,
  parts: readonly FunctionPart[],
  triggers: readonly Trigger[],
  infra: readonly Resource[],
): Ir {
  const units = unitsFrom(shape, parts);
  const ids = units.map((unit) => unit.id);
  const aliases =
    shapes[shape].alias === 'unit'
      ? ids.map((id) => ({ id, units: [id] }))
      : ids.length === 0
        ? []
        : [{ id: 'live', units: ids }];
  return { infra, units, aliases, triggers };
}

export function triggerOf(
  shape: ShapeName,
  name: string,
  event: { readonly kind: string; readonly source: string; readonly props: Json },
): Trigger {
  return {
    id: `${event.kind} ${event.source}`,
    kind: event.kind,
    source: event.source,
    props: event.props,
    dependsOn: [],
    alias: aliasOf(shape, name),
    function: name,
    delivers: event.kind === 'http' ? 'asked' : 'pulls',
  };
}

/** An IR of a shape, without a configuration file. */
export function irOf(shape: ShapeName, service: PlainService): Ir {
  const functions = Object.entries(service.functions).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = functions.map(([name, plain]) => ({
    name,
    build: { code: plain.code },
    config: plain.config ?? {},
    dependsOn: plain.uses ?? [],
  }));
  const triggers = functions.flatMap(([name, plain]) => [
    ...(plain.routes ?? []).map((source) =>
      triggerOf(shape, name, { kind: 'http', source, props: routeProps(source) }),
    ),
    ...(plain.queues ?? []).map((source) =>
      triggerOf(shape, name, { kind: 'queue', source, props: { queue: source } }),
    ),
    ...(plain.schedules ?? []).map((source) =>
      triggerOf(shape, name, { kind: 'schedule', source, props: { rate: source } }),
    ),
    ...(plain.topics ?? []).map((topic) =>
      triggerOf(shape, name, { kind: 'topic', source: `${topic} ${name}`, props: { topic } }),
    ),
    ...(plain.buckets ?? []).map((bucket) =>
      triggerOf(shape, name, { kind: 'bucket', source: `${bucket} ${name}`, props: { bucket } }),
    ),
  ]);
  const infra = Object.entries(service.things ?? {}).map(([id, thing]) => thingOf(id, thing));
  return irFrom(shape, parts, triggers, infra);
}

export function thingOf(id: string, thing: PlainThing): Resource {
  return {
    id,
    kind: 'thing',
    props: thing.props ?? {},
    dependsOn: thing.dependsOn ?? [],
    ...(thing.data ? { data: true as const } : {}),
  };
}

function routeProps(source: string): JsonObject {
  const [method = 'GET', path = '/'] = source.split(' ');
  return { method, path, cors: null };
}
