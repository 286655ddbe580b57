import { realpath } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { posix } from '../artifact/places.js';
import { isInside } from '../artifact/project.js';
import { findFile } from '../config/find.js';
import { asSfxError, type SfxError } from '../errors.js';
import type { Event } from '../events.js';
import type { ProjectRequest } from '../project.js';
import type { Run } from '../run.js';
import { attempt, type Before, type Done, liveBefore } from './attempt.js';
import { createFollowers, type DevLine, type Followers } from './follow.js';
import { createGathering } from './gather.js';
import { matters, type Sources, unknownSources } from './relevance.js';
import { watchProject } from './watch.js';

/** An editor saves in several writes; a person does not notice this long. */
const CALM = { quietMs: 25, mostMs: 500 } as const;

/** What happened, for whoever shows it. Paths are relative to the project. */
export type DevEvent =
  | { readonly kind: 'event'; readonly event: Event }
  /** The first release is live, or it was live already. */
  | {
      readonly kind: 'ready';
      readonly release: number;
      readonly functions: readonly string[];
      readonly urls: Readonly<Record<string, string>>;
      readonly ms: number;
    }
  | {
      readonly kind: 'released';
      readonly files: readonly string[];
      readonly functions: readonly string[];
      readonly release: number;
      readonly ms: number;
    }
  /** What is written now is what is live; told after a failure only, when nothing else would say that it is over. */
  | { readonly kind: 'mended'; readonly files: readonly string[]; readonly release: number }
  | {
      readonly kind: 'failed';
      readonly files: readonly string[];
      readonly error: SfxError;
      /** The release that goes on serving; absent when that cannot be told. */
      readonly serving?: number | null;
      /** The same error as the last time. */
      readonly again: boolean;
    }
  | { readonly kind: 'log'; readonly line: DevLine }
  | { readonly kind: 'lost' };

export interface DevOptions {
  /** Ends it, once a release that is under way has ended. */
  readonly stop: AbortSignal;
  /** Absolute folders inside the project that programs write to, such as the engine's own. */
  readonly ignore?: readonly string[];
  readonly tell: (event: DevEvent) => void;
}

/** How it stood at the end. */
export interface DevEnd {
  readonly service: string | null;
  readonly stage: string | null;
  readonly release: number | null;
}

/** What is known after the last attempt. */
interface Standing {
  /** The last good one. */
  readonly done: Done | undefined;
  /** What served before that; asked when the first attempt fails. */
  readonly before?: Before | undefined;
  readonly sources: Sources;
  /** Which error it was, while it fails. */
  readonly failing: string | undefined;
}

/**
 * Releases a project to the local engine, and again whenever its files change, until `stop`. Errors of the first release
 * that no edit can mend are thrown, as is a project that cannot be watched (SFX1009); every other is told, and the last good
 * release serves on.
 */
export async function dev(
  request: ProjectRequest,
  run: Run,
  { stop, tell, ignore = [] }: DevOptions,
): Promise<DevEnd> {
  const dir = await realpath(dirname(findFile(request.cwd, request.file)));
  const changes = createGathering(CALM, run.now);
  let now: Standing = { done: undefined, sources: unknownSources(dir), failing: undefined };
  const failed = (files: readonly string[], error: SfxError): void => {
    const key = `${error.code} ${error.message} ${JSON.stringify(error.details.diagnostics ?? [])}`;
    const serving = now.done === undefined ? now.before?.release : now.done.release;
    const who = serving === undefined ? {} : { serving };
    tell({ kind: 'failed', files, error, ...who, again: key === now.failing });
    // Any file may be what mends it.
    now = { ...now, failing: key, sources: unknownSources(dir) };
  };
  const watcher = await watchProject({
    dir,
    ignore: await Promise.all(ignore.map((folder) => realpath(folder).catch(() => folder))),
    touched: (path) => {
      if (matters(path, now.sources)) changes.add(path);
    },
    failed: (error) => failed([], asSfxError(error)),
  });
  let followers: Followers | undefined;
  try {
    let paths: readonly string[] | undefined = [];
    while (paths !== undefined) {
      const began = run.now();
      const result: Done | { readonly error: SfxError } = await attempt(request, run, dir, (event) =>
        tell({ kind: 'event', event }),
      );
      if ('error' in result) {
        const { error } = result;
        if (stop.aborted && error.code === 'SFX4120') break;
        if (now.done === undefined && now.failing === undefined && !isMendable(error)) throw error;
        if (now.done === undefined && now.before === undefined)
          now = { ...now, before: await liveBefore(request, run) };
        failed(shownOf(paths, dir), error);
      } else {
        const telling = tellingOf(paths, changes.waiting(), result.sources);
        tellOf(tell, now, result, shownOf(telling, dir), run.now() - began);
        followers ??= createFollowers({
          ...result.reach,
          run,
          line: (line) => tell({ kind: 'log', line }),
          lost: () => tell({ kind: 'lost' }),
        });
        await followers.follow(result.versions, result.release, new Date(began));
        watcher.also(result.elsewhere);
        now = { done: result, sources: result.sources, failing: undefined };
      }
      paths = await changes.next(stop);
    }
  } finally {
    watcher.close();
    await followers?.close();
  }
  const { service, stage } = now.done?.reach.scope ?? now.before ?? { service: null, stage: null };
  return { service, stage, release: now.done?.release ?? now.before?.release ?? null };
}

/** Of all that was touched, what the release was made from; what was saved while it was made may be in it already. */
function tellingOf(paths: readonly string[], since: readonly string[], sources: Sources): readonly string[] {
  const own = paths.filter((path) => matters(path, sources));
  return own.length > 0 ? own : since.filter((path) => matters(path, sources));
}

function tellOf(
  tell: DevOptions['tell'],
  before: Standing,
  { release, functions, changed, urls }: Done,
  files: readonly string[],
  ms: number,
): void {
  if (before.done === undefined) tell({ kind: 'ready', release, functions, urls, ms });
  else if (release !== before.done.release)
    tell({ kind: 'released', files, functions: changed, release, ms });
  else if (before.failing !== undefined) tell({ kind: 'mended', files, release });
}

/** Configuration, code, checks and handlers are what people edit; the rest is about the machine, or another's. */
function isMendable({ code }: SfxError): boolean {
  return /^SFX(2|5|31|61)/.test(code) || code === 'SFX4203' || code === 'SFX4123';
}

function shownOf(paths: readonly string[], dir: string): string[] {
  return paths.map((path) => (isInside(path, dir) ? posix(relative(dir, path)) : path)).sort();
}
