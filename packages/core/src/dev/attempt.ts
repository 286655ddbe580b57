import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isInside, projectRoot } from '../artifact/project.js';
import { originsOf, pruneCache } from '../artifact/remembered.js';
import { deploy } from '../commands.js';
import { loadIdentity } from '../config/index.js';
import { asSfxError, type ErrorCode, errorRow, fail, isSfxError, type SfxError } from '../errors.js';
import type { Event } from '../events.js';
import type { Digest, JsonObject } from '../json.js';
import { cacheDirOf, needConfig, openSession, type ProjectRequest, type Session } from '../project.js';
import type { Provider, Scope, Version } from '../provider/contract.js';
import { livePast } from '../release/observe.js';
import type { Outcome } from '../release/outcome.js';
import { type Kept, kept } from '../release/window.js';
import type { Run } from '../run.js';
import type { Sources } from './relevance.js';

/** The provider that development runs on. */
const ENGINE = 'local';
/** The stage that development has to itself; of a file that is read for another stage, one beside it. */
const OWN = 'dev';
/** Built code that is kept beside what is in use. */
const ARTIFACTS_KEPT = 50;

/** What is live after an attempt. */
export interface Done {
  readonly release: number;
  /** Functions that this attempt changed. */
  readonly changed: readonly string[];
  readonly functions: readonly string[];
  readonly versions: readonly Version[];
  readonly urls: Readonly<Record<string, string>>;
  readonly sources: Sources;
  /** Files outside of the project's folder that its code is built from. */
  readonly elsewhere: readonly string[];
  /** How to reach it without the file, which may be wrong by then. */
  readonly reach: { readonly provider: Provider; readonly scope: Scope; readonly options: JsonObject };
}

/** One release to the engine, or what is wrong. The rollout is at once; checks are made as ever. */
export async function attempt(
  request: ProjectRequest,
  run: Run,
  dir: string,
  emit: (event: Event) => void,
): Promise<Done | { readonly error: SfxError }> {
  let changed: readonly string[] = [];
  const own: Run = {
    ...run,
    emit(event) {
      if (event.code === 'release') changed = event.changed;
      emit(event);
    },
  };
  try {
    await using session = await openSession(await requestOf(request, own), own);
    const outcome = await deploy(session, { atOnce: true, force: true, onInterrupted: 'back' });
    if (outcome.ending !== 'live' && outcome.ending !== 'unchanged') return { error: errorOf(outcome) };
    return await doneOf(session, outcome, outcome.ending === 'live' ? changed : [], dir);
  } catch (thrown) {
    return { error: asSfxError(thrown) };
  }
}

/** What a stage served before development released anything to it. */
export interface Before extends Scope {
  readonly release: number | null;
}

/** Undefined when it cannot be told, as with a file that does not say which service it is: why, is told by the attempt. */
export async function liveBefore(request: ProjectRequest, run: Run): Promise<Before | undefined> {
  const quiet: Run = { ...run, emit: () => undefined };
  try {
    await using session = await openSession(
      { ...(await requestOf(request, quiet)), needs: 'identity' },
      quiet,
    );
    const { head } = await session.context().state.readHead();
    return { ...session.scope, release: livePast(head)?.number ?? null };
  } catch (error) {
    if (isSfxError(error)) return undefined;
    throw error;
  }
}

/**
 * On the engine, whatever the file names; and never what another command released: the stage `dev` of a file that is for the
 * engine is development's own, of every other the engine keeps one apart, with its state.
 */
async function requestOf(request: ProjectRequest, run: Run): Promise<ProjectRequest> {
  const stage = request.stage ?? OWN;
  const { provider: _, ...rest } = request;
  const written = await loadIdentity({ ...rest, stage }, run);
  const plain = stage === OWN && written.provider.name === ENGINE;
  return {
    ...rest,
    stage,
    provider: ENGINE,
    needs: 'whole',
    ...(plain ? {} : { apart: { stage: stage === OWN ? OWN : `${OWN}-${stage}` } }),
  };
}

async function doneOf(
  session: Session,
  outcome: Outcome,
  changed: readonly string[],
  dir: string,
): Promise<Done> {
  const { state } = session.context();
  const { head } = await state.readHead();
  const past = livePast(head);
  const live = past && (await kept(state, past));
  if (live === undefined) throw fail('SFX4119', 'nothing is live after the release');
  const loaded = needConfig(session);
  const used = new Set(Object.values(live.release.artifacts) as Digest[]);
  const cacheDir = cacheDirOf(loaded.dir);
  await pruneCache(cacheDir, used, ARTIFACTS_KEPT);
  const origins = await originsOf(cacheDir, used);
  const root = await realpath(projectRoot(dir));
  return {
    release: live.past.number,
    changed,
    functions: functionsOf(live),
    versions: Object.values(live.versions),
    urls: outcome.urls,
    sources: {
      dir,
      configFiles: new Set(loaded.files.map((file) => join(dir, relative(loaded.dir, file)))),
      origins,
      builds: unitsIn(live).map((unit) => unit.build),
    },
    elsewhere: [...(origins?.files ?? [])].filter((path) => isInside(path, root) && !isInside(path, dir)),
    reach: {
      provider: session.provider,
      scope: session.scope,
      options: loaded.service.provider.options,
    },
  };
}

function unitsIn({ release }: Kept) {
  return Object.values(release.irs).flatMap((ir) => ir.units);
}

function functionsOf(live: Kept): string[] {
  return unitsIn(live)
    .flatMap((unit) => unit.functions)
    .sort();
}

/** An ending that is not the one that was wanted, as the error that it is. */
function errorOf({ error, sentence }: Outcome): SfxError {
  if (error === undefined) return fail('SFX5003', sentence);
  const { code, message, hint, output } = error;
  return fail(errorRow(code) === undefined ? 'SFX5003' : (code as ErrorCode), message, {
    ...(hint === undefined ? {} : { hint }),
    ...(output === undefined ? {} : { output }),
  });
}
