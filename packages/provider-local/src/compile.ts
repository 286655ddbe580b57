import {
  type Capabilities,
  type Diagnostic,
  type ErrorCode,
  fail,
  type HttpProps,
  type Ir,
  isObject,
  type Service,
  type ServiceEvent,
  type ServiceFunction,
  type Trigger,
  type Unit,
} from '@sfx-deploy/plugin';
import { isName, NAME_LIMIT } from './names.js';

/** The one alias of a service and stage: one write flips all functions. */
export const ALIAS = 'live';

/** MB and milliseconds. Below 64 MB an instance of Node itself does not fit. */
export const LIMITS = { memory: { min: 64, max: 10_240 }, timeout: { min: 1, max: 900_000 } } as const;

/** What the engine can do; nothing of it depends on who asks. */
export const capabilities: Capabilities = {
  unit: 'function',
  alias: 'service',
  split: { targets: 2, step: 1, sticky: 'no', scope: 'all' },
  cas: 'native',
  stamps: true,
  candidateAddress: true,
  seats: null,
  flip: { takes: 'subsecond', confirmable: true, downtime: false },
  metricsByVersion: true,
  secrets: 'in version',
  retention: { max: null, autoRemoves: false },
  writesPerSecond: 200,
  triggers: ['http', 'httpApi'],
};

/** One event of one function with where it was written. */
interface Found {
  readonly fn: ServiceFunction;
  readonly event: ServiceEvent;
}

/** kind as written → the trigger it becomes. */
const triggerOf: Readonly<Record<string, (found: Found) => Trigger>> = {
  http: httpTrigger,
  httpApi: httpTrigger,
};

/**
 * Pure: what the engine will make true. All problems are thrown as one SFX2200 that carries each with its place:
 * SFX2204 (a trigger it does not have), SFX3005 (a key or runtime), SFX6007, SFX6009, SFX6010.
 */
export function compile(service: Service): Ir {
  const problems = problemsOf(service);
  if (problems.length > 0) {
    const many = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    throw fail('SFX2200', `${many} for the local engine`, { diagnostics: problems });
  }
  const functions = [...service.functions].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    infra: [],
    units: functions.map(unitOf),
    aliases: [{ id: ALIAS, units: functions.map((fn) => fn.name) }],
    triggers: eventsOf(service)
      .map((found) => triggerOf[found.event.kind]!(found))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function unitOf(fn: ServiceFunction): Unit {
  const entries = [{ function: fn.name, handler: fn.handler }];
  return {
    id: fn.name,
    functions: [fn.name],
    build: { kind: 'node', host: 'local', bundle: fn.bundle, include: fn.include, entries },
    config: { runtime: fn.runtime, memory: fn.memory, timeout: fn.timeout, environment: fn.environment },
    dependsOn: [],
  };
}

function httpTrigger({ fn, event }: Found): Trigger {
  const { method, path, cors } = event.props as unknown as HttpProps;
  const source = `${method.toUpperCase()} ${path}`;
  const props = {
    method: method.toUpperCase(),
    path,
    cors: cors === null || cors === undefined ? null : { ...cors },
  };
  return {
    id: `http:${source}`,
    kind: 'http',
    source,
    props,
    alias: ALIAS,
    function: fn.name,
    delivers: 'asked',
    dependsOn: [],
  };
}

function eventsOf(service: Service): Found[] {
  return service.functions.flatMap((fn) => fn.events.map((event) => ({ fn, event })));
}

function problemsOf(service: Service): Diagnostic[] {
  const problem = (code: ErrorCode, message: string, pointer: string, hint?: string): Diagnostic => {
    const at = service.at(pointer);
    return { code, severity: 'error', message, ...(at && { at }), ...(hint !== undefined && { hint }) };
  };
  return [
    ...nameProblems(service, problem),
    ...service.functions.flatMap((fn) => functionProblems(fn, problem)),
    ...resourceProblems(service, problem),
    ...routeProblems(service, problem),
  ];
}

type Problem = (code: ErrorCode, message: string, pointer: string, hint?: string) => Diagnostic;

function nameProblems(service: Service, problem: Problem): Diagnostic[] {
  const named: [what: string, name: string, pointer: string][] = [
    ['service', service.name, '/service'],
    ['stage', service.stage, '/provider/stage'],
    ...service.functions.map((fn): [string, string, string] => ['function', fn.name, fn.pointer]),
  ];
  return named
    .filter(([, name]) => !isName(name))
    .map(([what, name, pointer]) =>
      problem(
        'SFX6007',
        `${what} \`${name}\`: letters, digits, \`-\` and \`_\` only, at most ${NAME_LIMIT}`,
        pointer,
      ),
    );
}

function functionProblems(fn: ServiceFunction, problem: Problem): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (!/^node(js)?/.test(fn.runtime)) {
    const message = `runtime \`${fn.runtime}\` of ${fn.name}: the local engine runs Node.js handlers`;
    found.push(problem('SFX3005', message, `${fn.pointer}/runtime`));
  }
  for (const key of ['memory', 'timeout'] as const) {
    const { min, max } = LIMITS[key];
    const unit = key === 'memory' ? 'MB' : 'ms';
    if (fn[key] < min || fn[key] > max) {
      const message = `${key} of ${fn.name} is ${fn[key]} ${unit}; the local engine takes ${min} to ${max}`;
      found.push(problem('SFX6010', message, `${fn.pointer}/${key}`));
    }
  }
  for (const key of Object.keys(fn.native)) {
    found.push(
      problem(
        'SFX3005',
        `\`${key}\` of ${fn.name}: the local engine has no such thing`,
        `${fn.pointer}/${key}`,
      ),
    );
  }
  for (const event of fn.events.filter((one) => triggerOf[one.kind] === undefined)) {
    const hint = `It has ${Object.keys(triggerOf).join(', ')}; \`sfx providers\` lists who has more.`;
    found.push(
      problem(
        'SFX2204',
        `event \`${event.kind}\` of ${fn.name}: not on the local engine`,
        event.pointer,
        hint,
      ),
    );
  }
  return found;
}

function resourceProblems(service: Service, problem: Problem): Diagnostic[] {
  if (!isObject(service.resources) || Object.keys(service.resources).length === 0) return [];
  return [
    problem(
      'SFX3005',
      '`resources`: the local engine makes none',
      '/resources',
      'Leave it to the provider that it is written for.',
    ),
  ];
}

/** Two routes are one when only the names of their parameters differ. */
function routeProblems(service: Service, problem: Problem): Diagnostic[] {
  const seen = new Map<string, Found>();
  const found: Diagnostic[] = [];
  for (const one of eventsOf(service).filter(({ event }) => triggerOf[event.kind] === httpTrigger)) {
    const { method, path } = one.event.props as unknown as HttpProps;
    const route = `${method.toUpperCase()} ${path}`;
    const key = route.replace(/\{[^}/]*\+\}/g, '{+}').replace(/\{[^}/+]*\}/g, '{}');
    const first = seen.get(key);
    if (first === undefined) seen.set(key, one);
    else
      found.push(
        problem(
          'SFX6009',
          `${route} of ${one.fn.name} is also a route of ${first.fn.name}`,
          one.event.pointer,
        ),
      );
  }
  return found;
}
