import type { Split } from '@sfx-deploy/plugin';
import type {
  AliasDocument,
  EngineInfo,
  LiveActivation,
  LiveFunction,
  LiveService,
  LiveSnapshot,
  LiveVersion,
  TriggerDocument,
} from '../../wire.js';
import type { Stage } from '../stage/stage.js';
import type { Serving } from '../stage/versions.js';

/** What a stage lets be seen of itself. */
export interface StageView {
  readonly service: string;
  readonly stage: string;
  readonly url: string | null;
  readonly aliases: readonly AliasDocument[];
  readonly triggers: readonly TriggerDocument[];
  readonly queues: LiveService['queues'];
  readonly now: number;
  byId(version: string): Serving | undefined;
}

const MINUTE_MS = 60_000;
const RECENT = 50;

export function liveService(view: StageView): LiveService {
  const rows = view.aliases.flatMap((alias) =>
    Object.entries(alias.table).map(([unit, split]) => ({ unit, split, alias })),
  );
  const open = view.aliases.filter((alias) => Object.values(alias.table).some((split) => split.candidate));
  return {
    service: view.service,
    stage: view.stage,
    url: view.url,
    live: most(view.aliases.map(stableRelease)),
    open: most(open.map((alias) => alias.stamp?.release ?? null)),
    functions: rows
      .map(({ unit, split, alias }) => functionOf(view, unit, split, alias))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    queues: view.queues,
    triggers: view.triggers.map(({ kind, source, function: fn, enabled }) => ({
      kind,
      source,
      function: fn,
      enabled,
    })),
  };
}

function stableRelease(alias: AliasDocument): number | null {
  return alias.live ?? alias.stamp?.release ?? null;
}

function functionOf(view: StageView, name: string, split: Split, alias: AliasDocument): LiveFunction {
  const percent = split.candidate?.percent ?? 0;
  const { candidate } = split;
  return {
    name,
    stable: versionOf(view, split.stable, stableRelease(alias), 100 - percent),
    candidate:
      candidate === undefined
        ? null
        : versionOf(view, candidate.version, alias.stamp?.release ?? null, percent),
  };
}

function versionOf(view: StageView, id: string, release: number | null, percent: number): LiveVersion {
  const serving = view.byId(id);
  return {
    version: serving?.shown ?? id,
    release,
    percent,
    minute: serving?.metrics.read(view.now - MINUTE_MS, view.now) ?? null,
    instances: serving?.pool.instances() ?? 0,
  };
}

function most(releases: readonly (number | null)[]): number | null {
  const known = releases.filter((release) => release !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** All of an engine, without payloads, results, logs or environments. */
export async function snapshotOf(
  stages: readonly Stage[],
  info: EngineInfo,
  now: number,
): Promise<LiveSnapshot> {
  const recent = await Promise.all(
    stages.map(async ({ scope, activations }) => {
      const some = await activations.recent(RECENT);
      return some.map(
        ({ id, function: fn, release, cause, status, started, durationMs, cold }): LiveActivation => ({
          id,
          ...scope,
          function: fn,
          release,
          cause,
          status,
          started: started === null ? null : Date.parse(started),
          durationMs,
          cold,
        }),
      );
    }),
  );
  const { version, pid, started } = info;
  const newest = recent.flat().sort((a, b) => (b.started ?? now) - (a.started ?? now));
  return {
    at: now,
    engine: { version, pid, started },
    services: stages.map((stage) => stage.live()),
    activations: newest.slice(0, RECENT),
  };
}
