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

function serviceLines(services: readonly EngineService[]): string[] {
  const rows = services.map((one) => [
    `  ${one.service} · ${one.stage}`,
    count(one.functions.length, 'function'),
    count(one.versions, 'version'),
    one.url ?? 'port could not be opened',
  ]);
  return rows.length === 0 ? [] : ['', ...columns(rows)];
}
