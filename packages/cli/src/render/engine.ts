import { type Look, paint } from './look.js';
import { columns, count } from './text.js';

/** A service and stage on the local engine. */
export interface EngineService {
  readonly service: string;
  readonly stage: string;
  /** `null` while its port could not be opened. */
  readonly url: string | null;
  readonly functions: readonly string[];
  readonly versions: number;
  /** Instances that run now. */
  readonly instances?: number;
  /** Messages that can be taken, that wait for their time, and that a function works on. */
  readonly queues?: readonly {
    readonly name: string;
    readonly visible: number;
    readonly delayed: number;
    readonly inFlight: number;
  }[];
  readonly buckets?: readonly { readonly name: string; readonly folder: string }[];
}

export interface EngineReset {
  readonly home: string;
  readonly gone: readonly { readonly service: string; readonly stage: string }[];
  readonly stopped: boolean;
  readonly leaves: readonly string[];
}

export interface EngineStatus {
  readonly running: boolean;
  readonly pid?: number;
  readonly url?: string;
  readonly note?: string;
  readonly home: string;
  readonly services: readonly EngineService[];
}

export interface EngineStopped {
  readonly stopped: boolean;
  readonly home: string;
  readonly services: readonly EngineService[];
}

export function engineLines(status: EngineStatus, look: Look): string[] {
  const state = status.running
    ? `${paint(look, 'bold', 'running')}, pid ${status.pid}, ${status.url}`
    : paint(look, 'bold', 'stopped');
  return [
    `local engine ${state}`,
    ...(status.note === undefined ? [] : [`  note       ${status.note}`]),
    `  home       ${status.home}`,
    ...serviceLines(status.services),
  ];
}

/** What stays on disk when the engine stops: said, because it comes back with the next start. */
export function stoppedLines({ stopped, home, services }: EngineStopped, look: Look): string[] {
  const [head, ...rest] = stopped ? ['Stopped.'] : ['No', 'engine was running.'];
  const first = [paint(look, 'bold', head!), ...rest].join(' ');
  const kept = services.length;
  const back = `${count(kept, 'stage')} ${kept === 1 ? 'comes' : 'come'} back with the next start.`;
  return [
    kept === 0 ? first : `${first} ${back}`,
    `  leaves     ${home}`,
    ...serviceLines(services),
    ...(kept === 0 ? [] : ['', '  remove     sfx remove --stage <stage>, for each']),
  ];
}

/** What is gone and what stays. */
export function resetLines({ gone, stopped, leaves }: EngineReset, look: Look): string[] {
  const first = stopped ? ['The engine was stopped.'] : [];
  const names = gone.map(({ service, stage }) => `${service} · ${stage}`);
  const head =
    gone.length === 0 ? 'Nothing was kept.' : `${paint(look, 'bold', 'Gone:')} ${names.join(', ')}.`;
  return [
    [...first, head].join(' '),
    ...(gone.length === 0 ? [] : ['  went       versions, queues, logs, releases']),
    ...leaves.map((path, index) => `  ${index === 0 ? 'leaves  ' : '        '}   ${path}`),
    ...(gone.length === 0 ? [] : ['', '  again      sfx deploy']),
  ];
}

function serviceLines(services: readonly EngineService[]): string[] {
  const rows = services.map((one) => [
    `  ${one.service} · ${one.stage}`,
    count(one.functions.length, 'function'),
    count(one.versions, 'version'),
    ...(services.some(({ instances }) => instances !== undefined)
      ? [count(one.instances ?? 0, 'instance')]
      : []),
    one.url ?? 'port could not be opened',
  ]);
  if (rows.length === 0) return [];
  const lines = columns(rows);
  return ['', ...services.flatMap((one, index) => [lines[index]!, ...holdingLines(one)])];
}

function holdingLines({ queues = [], buckets = [] }: EngineService): string[] {
  return columns([
    ...queues.map(({ name, visible, delayed, inFlight }) => [
      `    queue ${name}`,
      [
        count(visible, 'message waits', 'messages wait'),
        ...(inFlight > 0 ? [`${inFlight} in work`] : []),
        ...(delayed > 0 ? [`${delayed} delayed`] : []),
      ].join(', '),
    ]),
    ...buckets.map(({ name, folder }) => [`    bucket ${name}`, folder]),
  ]);
}
