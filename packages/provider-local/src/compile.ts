import {
  type Capabilities,
  type Diagnostic,
  fail,
  type Ir,
  isObject,
  type Service,
} from '@sfx-deploy/plugin';
import { ALIAS } from './compile/found.js';
import { createReport, type Report } from './compile/report.js';
import { KINDS, triggersOf } from './compile/triggers.js';
import { checkFunction, unitOf } from './compile/units.js';
import { isName, NAME_LIMIT } from './names.js';

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
  triggers: KINDS,
};

/**
 * Pure: what the engine will make true. All problems are thrown as one SFX2200 that carries each with its place:
 * SFX2204 (a trigger it does not have), SFX2205, SFX3005 (a key or runtime), SFX6007, SFX6009, SFX6010.
 * A file that is written for another provider: what is only that one's is left out, and named by `notes`.
 */
export function compile(service: Service): Ir {
  const { ir, report } = examined(service);
  const { problems } = report;
  if (problems.length > 0) {
    const many = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    throw fail('SFX2200', `${many} for the local engine`, { diagnostics: problems });
  }
  return ir;
}

/** Pure: what `compile` leaves out of a file that is written for another provider. */
export function notes(service: Service): readonly Diagnostic[] {
  return examined(service).report.notes;
}

function examined(service: Service): { readonly ir: Ir; readonly report: Report } {
  const report = createReport(service);
  const functions = [...service.functions].sort((a, b) => (a.name < b.name ? -1 : 1));
  checkNames(service, report);
  for (const fn of service.functions) checkFunction(fn, service, report);
  checkResources(service, report);
  const ir: Ir = {
    infra: [],
    units: functions.map((fn) => unitOf(fn, service, report)),
    aliases: [{ id: ALIAS, units: functions.map((fn) => fn.name) }],
    triggers: triggersOf(service, report),
  };
  return { ir, report };
}

function checkNames(service: Service, report: Report): void {
  const named: [what: string, name: string, pointer: string][] = [
    ['service', service.name, '/service'],
    ['stage', service.stage, '/provider/stage'],
    ...service.functions.map((fn): [string, string, string] => ['function', fn.name, fn.pointer]),
  ];
  for (const [what, name, pointer] of named) {
    if (isName(name)) continue;
    const message = `${what} \`${name}\`: letters, digits, \`-\` and \`_\` only, at most ${NAME_LIMIT}`;
    report.problem('SFX6007', message, pointer);
  }
}

function checkResources(service: Service, report: Report): void {
  if (!isObject(service.resources) || Object.keys(service.resources).length === 0) return;
  const hint = 'Leave it to the provider that it is written for.';
  report.lacking('SFX3005', '`resources`: the local engine makes none', '/resources', hint);
}
