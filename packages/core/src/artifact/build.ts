import { readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import pMap from 'p-map';
import { type Diagnostic, fail, messageOf } from '../errors.js';
import { type Digest, digestOf } from '../json.js';
import type { Artifact } from '../provider/contract.js';
import type { Run } from '../run.js';
import { type Cache, openCache } from './cache.js';
import { bundledCode } from './code-bundled.js';
import { plainCode } from './code-files.js';
import { findFiles, runFile } from './files.js';
import { type Entry, findEntry } from './handler.js';
import { findIncluded } from './include.js';
import { influencesOf } from './influences.js';
import { createLooker, type Looker } from './inputs.js';
import type { Code, CodeResult, Job, Tools } from './job.js';
import { createPlaces, type Places } from './places.js';
import { type FilesRecipe, type NodeRecipe, recipeOf } from './recipe.js';
import type { BuildOptions, BuildRequest } from './request.js';
import { type RuntimeFiles, readRuntime } from './runtime-files.js';
import { type ZipFile, zip } from './zip.js';

/** Goes into every key: what was remembered by a form that wrote other bytes does not count. */
const form = 1;

export async function build(
  requests: readonly BuildRequest[],
  options: BuildOptions,
  run: Run,
): Promise<Record<string, Artifact>> {
  const places = createPlaces(options.cwd ?? process.cwd());
  const at = options.at ?? (() => undefined);
  const jobs = await prepareAll(requests, at, places, run);
  const cache = openCache(options.cacheDir);
  await cache.prepare();
  const runtime = readRuntime(options.runtimePath);
  const looker = createLooker();
  const artifacts = new Map<string, Artifact>();
  for (const job of jobs) {
    const known = await cache.recall(keyOf(job, runtime), looker);
    if (known !== undefined) artifacts.set(job.key, known);
  }
  const open = jobs.filter((job) => !artifacts.has(job.key));
  for (const group of groups(open)) {
    goOn(run);
    const startedAt = run.now();
    const code = await codeOf(group, { runtime, places, at }, run);
    const fresh = createLooker();
    for (const [job, made] of code) {
      goOn(run);
      const artifact = await cache.keep(zip([...made.files, ...(await filesOfIncluded(job, made))]));
      await remember(cache, fresh, job, keyOf(job, runtime), artifact, made, startedAt);
      artifacts.set(job.key, artifact);
    }
  }
  return Object.fromEntries(jobs.map((job) => [job.key, artifacts.get(job.key)!]));
}

function goOn(run: Run): void {
  if (run.signal.aborted)
    throw fail('SFX4120', 'interrupted while building; nothing was changed', { exit: 1 });
}

/** Finds the files of every unit, so that all that is missing is told at once. */
async function prepareAll(
  requests: readonly BuildRequest[],
  at: NonNullable<BuildOptions['at']>,
  places: Places,
  run: Run,
): Promise<Job[]> {
  const diagnostics: Diagnostic[] = [];
  const jobs = await pMap(requests, async ({ key, unit, dir: given }): Promise<Job> => {
    const recipe = recipeOf(unit);
    const dir = await realpath(given);
    if (recipe.kind === 'files') {
      const { files: included, diagnostics: problems } = await findFiles(dir, recipe, at, places);
      diagnostics.push(...problems);
      return { key, dir, recipe, entries: [], included };
    }
    const found = await pMap(recipe.entries, (entry) => findEntry(dir, entry, at(entry.function), places));
    const { files: included, diagnostics: problems } = await findIncluded(dir, recipe.include);
    diagnostics.push(...found.filter((one): one is Diagnostic => !isEntry(one)), ...problems);
    return { key, dir, recipe, entries: found.filter(isEntry), included };
  });
  report(diagnostics, run);
  return jobs;
}

async function codeOf(group: readonly Job[], tools: Tools, run: Run): Promise<ReadonlyMap<Job, Code>> {
  const result = await madeOf(group, tools);
  const twice = [...result.code].flatMap(([job, code]) => sameNames(job, code));
  report([...result.diagnostics, ...twice], run);
  return result.code;
}

async function madeOf(group: readonly Job[], tools: Tools): Promise<CodeResult> {
  const files = group.filter((job): job is Job<FilesRecipe> => job.recipe.kind === 'files');
  if (files.length > 0) {
    const code = files.map((job): [Job, Code] => [job, { files: [runFile(job.recipe)], inputs: new Set() }]);
    return { code: new Map(code), diagnostics: [] };
  }
  const node = group as readonly Job<NodeRecipe>[];
  return node[0]!.recipe.bundle ? bundledCode(node, tools) : plainCode(node, tools);
}

function isEntry(found: Entry | Diagnostic): found is Entry {
  return 'exportName' in found;
}

/** Emits warnings; throws when there is an error, as one that carries all of them. */
function report(diagnostics: readonly Diagnostic[], run: Run): void {
  for (const { code, message, at } of diagnostics.filter((one) => one.severity === 'warning')) {
    const place = at === undefined ? {} : { at: `${at.file}:${at.line}:${at.column}` };
    run.emit({ code: 'warning', error: code, message, ...place });
  }
  const errors = diagnostics.filter((one) => one.severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  const { code, message, at, frame, hint } = first;
  const one = errors.length === 1;
  const shown = {
    ...(at && { at }),
    ...(frame !== undefined && { frame }),
    ...(hint !== undefined && { hint }),
  };
  throw fail(code, one ? message : `${errors.length} problems in the code`, {
    ...(one ? shown : {}),
    diagnostics: errors,
  });
}

function sameNames(job: Job, code: Code): Diagnostic[] {
  const entries = new Map(
    job.recipe.entries.map(({ function: fn }) => [
      `${fn}.${job.recipe.kind === 'files' ? 'json' : 'mjs'}`,
      fn,
    ]),
  );
  const own = code.files.map((file) => file.name);
  const clashes = own.filter((name, index) => own.indexOf(name) !== index);
  clashes.push(...job.included.map((file) => file.name).filter((name) => entries.has(name)));
  return [...new Set(clashes)].map((name) => ({
    code: 'SFX2307',
    severity: 'error',
    message: `${name} is both a file of the project and the entry of function ${entries.get(name)}`,
  }));
}

/** Files beside the code; what is there as code already is not doubled. */
async function filesOfIncluded(job: Job, code: Code): Promise<ZipFile[]> {
  const there = new Set(code.files.map((file) => file.name));
  const files = job.included.filter((file) => !there.has(file.name));
  return pMap(
    files,
    async ({ name, path, executable }) => ({ name, bytes: await readFile(path), executable }),
    { concurrency: 16 },
  );
}

async function remember(
  cache: Cache,
  looker: Looker,
  job: Job,
  key: Digest,
  artifact: Artifact,
  code: Code,
  startedAt: number,
): Promise<void> {
  const paths = influencesOf(code.inputs);
  for (const { path } of job.included) paths.add(path);
  const stamps = await looker.stamp(paths, startedAt);
  if (stamps !== undefined) await cache.remember(key, artifact, stamps);
}

/** Units that one call of the bundler can build together. */
function groups(jobs: readonly Job[]): Job[][] {
  const all = new Map<string, Job[]>();
  for (const job of jobs) {
    const { recipe } = job;
    const key = JSON.stringify([job.dir, recipe.host, recipe.kind, recipe.kind === 'node' && recipe.bundle]);
    all.set(key, [...(all.get(key) ?? []), job]);
  }
  return [...all.values()];
}

function keyOf({ dir, recipe, entries, included }: Job, runtime: RuntimeFiles): Digest {
  const names = included.map(({ name, executable }) => [name, executable]);
  if (recipe.kind === 'files') return digestOf({ form, dir, recipe, names });
  return digestOf({ form, dir, recipe, entries, names, runtime: runtime.digest, esbuild: esbuildVersion() });
}

/** Read without loading esbuild, which a build that is remembered does not need. */
function esbuildVersion(): string {
  try {
    return (createRequire(import.meta.url)('esbuild/package.json') as { version: string }).version;
  } catch (error) {
    throw fail('SFX2312', `esbuild is not installed: ${messageOf(error)}`, { cause: error });
  }
}
