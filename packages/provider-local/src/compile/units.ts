import {
  isObject,
  type Json,
  type JsonObject,
  type Service,
  type ServiceFunction,
  type Unit,
} from '@sfx-deploy/plugin';
import type { Report } from './report.js';

/** MB and milliseconds. Below 64 MB an instance of Node itself does not fit. */
export const LIMITS = {
  memory: { min: 64, max: 10_240 },
  timeout: { min: 1, max: 900_000 },
  instances: { min: 1, max: 1_000 },
  calls: { min: 1, max: 10_000 },
} as const;

type Language = 'node' | 'python' | 'program';

/** What runs a function; undefined: nothing here. */
export function languageOf({ command, runtime }: ServiceFunction): Language | undefined {
  if (command !== undefined) return 'program';
  if (/^node(js)?/.test(runtime)) return 'node';
  return /^python3?(\.|$)/.test(runtime) ? 'python' : undefined;
}

export function unitOf(fn: ServiceFunction, service: Service, report: Report): Unit {
  const language = languageOf(fn) ?? 'node';
  return {
    id: fn.name,
    functions: [fn.name],
    build: buildOf(fn, language),
    config: {
      runtime: language === 'program' ? 'program' : fn.runtime,
      memory: fn.memory,
      timeout: fn.timeout,
      environment: environmentOf(fn, service, report),
      ...concurrencyOf(fn, service),
      ...isolationOf(fn, service, language),
      ...(fn.command === undefined ? {} : { command: fn.command }),
    },
    dependsOn: [],
  };
}

function buildOf(fn: ServiceFunction, language: Language): Json {
  const { name, include, bundle } = fn;
  if (language === 'node') {
    return {
      kind: 'node',
      host: 'local',
      bundle,
      include,
      entries: [{ function: name, handler: fn.handler }],
    };
  }
  const entry: Json =
    fn.command === undefined
      ? { function: name, handler: fn.handler }
      : { function: name, command: fn.command };
  return { kind: 'files', host: 'local', language, include, entries: [entry] };
}

/** Texts and values from outside; what another provider would fill (`Ref`, `Fn::GetAtt`) is nothing here. */
function environmentOf(fn: ServiceFunction, service: Service, report: Report): JsonObject {
  const known: [string, Json][] = [];
  for (const [name, value] of Object.entries(fn.environment)) {
    if (!isObject(value) || typeof value['$secret'] === 'string') known.push([name, value]);
    else {
      const pointer = variablePointer(fn, service, name);
      const whose = pointer.startsWith('/provider/') ? 'the provider' : fn.name;
      const message = `variable ${name} of ${whose}: the local engine has no ${Object.keys(value).join(', ')} to fill it with`;
      report.lacking('SFX3005', message, pointer);
    }
  }
  return Object.fromEntries(known);
}

/** Where a variable is written: what is not written with the function is found where the function itself is. */
function variablePointer({ pointer }: ServiceFunction, { at }: Service, name: string): string {
  const own = `${pointer}/environment/${name}`;
  const [found, whole] = [at(own), at(pointer)];
  const shared = found !== undefined && found.line === whole?.line && found.column === whole.column;
  return shared ? `/provider/environment/${name}` : own;
}

function concurrencyOf(fn: ServiceFunction, service: Service): JsonObject {
  const { instances, calls } = fn.concurrency ?? {};
  const most = instances ?? reservedOf(fn, service);
  return { ...(most === undefined ? {} : { instances: most }), ...(calls === undefined ? {} : { calls }) };
}

/** Reserved concurrency on AWS is the same bound. */
function reservedOf({ native }: ServiceFunction, { provider }: Service): number | undefined {
  const reserved = native['reservedConcurrency'];
  return provider.written !== undefined && typeof reserved === 'number' && reserved > 0
    ? reserved
    : undefined;
}

function isolationOf(fn: ServiceFunction, { provider }: Service, language: Language): JsonObject {
  // What is no Node.js always has processes of its own.
  if (language !== 'node') return {};
  const isolation = fn.isolation ?? provider.options['isolation'];
  return isolation === 'thread' || isolation === 'process' ? { isolation } : {};
}

/** What of a function the engine cannot do: SFX3005, SFX6010. */
export function checkFunction(fn: ServiceFunction, service: Service, report: Report): void {
  const language = languageOf(fn);
  if (fn.native['image'] !== undefined) {
    report.problem(
      'SFX3005',
      `\`image\` of ${fn.name}: the local engine runs no containers`,
      `${fn.pointer}/image`,
    );
  } else if (language === undefined) {
    const message = `runtime \`${fn.runtime}\` of ${fn.name}: the local engine runs Node.js, Python, and a \`command\` that serves HTTP`;
    report.problem('SFX3005', message, `${fn.pointer}/runtime`);
  }
  for (const [key, value, unit] of [
    ['memory', fn.memory, ' MB'],
    ['timeout', fn.timeout, ' ms'],
    ['instances', fn.concurrency?.instances, ''],
    ['calls', fn.concurrency?.calls, ''],
  ] as const) {
    const { min, max } = LIMITS[key];
    if (value === undefined || (value >= min && value <= max)) continue;
    const below = key === 'memory' || key === 'timeout' ? key : `concurrency/${key}`;
    const message = `${key} of ${fn.name} is ${value}${unit}; the local engine takes ${min} to ${max}`;
    report.problem('SFX6010', message, `${fn.pointer}/${below}`);
  }
  if (language === 'python' && (fn.concurrency?.calls ?? 1) > 1) {
    const message = `calls of ${fn.name} is ${fn.concurrency?.calls}; an instance of Python works on one call at a time`;
    report.problem('SFX6010', message, `${fn.pointer}/concurrency/calls`);
  }
  if (language !== 'node' && language !== undefined && fn.isolation === 'thread') {
    const message = `isolation of ${fn.name}: threads are for Node.js; this one has processes of its own`;
    report.problem('SFX3005', message, `${fn.pointer}/isolation`);
  }
  for (const key of Object.keys(fn.native)) {
    if (key === 'image' || (key === 'reservedConcurrency' && reservedOf(fn, service) !== undefined)) continue;
    report.lacking(
      'SFX3005',
      `\`${key}\` of ${fn.name}: the local engine has no such thing`,
      `${fn.pointer}/${key}`,
    );
  }
}
