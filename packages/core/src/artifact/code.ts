import { readFile } from 'node:fs/promises';
import { dirname, join, posix as paths } from 'node:path';
import type { Message, Metafile } from 'esbuild';
import type { Diagnostic } from '../errors.js';
import { type Bundle, bundle, entryId, exportsOf } from './bundle.js';
import { errorsOf, noExport, warningsOf, withoutExport } from './diagnose.js';
import type { Entry } from './handler.js';
import { filesOf } from './influences.js';
import type { Job, Tools } from './job.js';
import { isInside, isPackaged, projectRoot } from './project.js';
import type { ZipFile } from './zip.js';

/** The code of one unit, and which files it was made from. */
export interface Code {
  readonly files: readonly ZipFile[];
  /** Absolute. */
  readonly inputs: ReadonlySet<string>;
}

interface Result {
  readonly code: ReadonlyMap<Job, Code>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Builds the code of units that share a folder and a way of building, with one call of the bundler. */
export function buildCode(jobs: readonly Job[], tools: Tools): Promise<Result> {
  return jobs[0]!.recipe.bundle ? bundled(jobs, tools) : asFiles(jobs, tools);
}

async function bundled(jobs: readonly Job[], tools: Tools): Promise<Result> {
  const built = await checked(jobs, tools, 'all');
  if ('diagnostics' in built && !('bundle' in built)) return { code: new Map(), diagnostics: built.diagnostics };
  const { metafile, code } = built.bundle;
  const { dir } = jobs[0]!;
  const pairs = jobs.map((job): [Job, Code] => [
    job,
    { files: job.entries.map((entry) => moduleFile(entry, code)), inputs: inputsOf(job, metafile) },
  ]);
  return { code: new Map(pairs), diagnostics: [...built.diagnostics, ...outside(pairs, projectRoot(dir), tools)] };
}

function moduleFile(entry: Entry, code: Bundle['code']): ZipFile {
  return { name: `${entry.function}.mjs`, bytes: code.get(entry.function)! };
}

function inputsOf(job: Job, metafile: Metafile): Set<string> {
  return new Set(job.entries.flatMap((entry) => [...filesOf(metafile, entryId(entry), job.dir)]));
}

/** The bundle, or what is wrong with the code; either way with warnings. */
async function checked(
  jobs: readonly Job[],
  { runtime, places, at }: Tools,
  inline: 'all' | 'relative',
): Promise<{ readonly diagnostics: readonly Diagnostic[]; readonly bundle?: Bundle }> {
  const { dir, recipe } = jobs[0]!;
  const entries = jobs.flatMap((job) => job.entries);
  const built = await bundle({ dir, host: recipe.host, entries, runtime, inline });
  if ('errors' in built) return { diagnostics: errorsOf(built.errors, dir, places) };
  const warnings = warningsOf(built.warnings, dir, places);
  const lacking = withoutExport(built.warnings, entries);
  if (lacking.length === 0) return { bundle: built, diagnostics: warnings };
  const exports = await exportsOf(dir, [...new Set(lacking.map((entry) => entry.file))]);
  const errors = lacking.map((entry) =>
    noExport(entry, exports.get(entry.file) ?? [], at(entry.function), places),
  );
  return { diagnostics: [...warnings, ...errors] };
}
