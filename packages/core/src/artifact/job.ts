import type { Diagnostic } from '../errors.js';
import type { Position } from '../model/service.js';
import type { Bundle } from './bundle.js';
import { bundle, exportsOf } from './bundle.js';
import { errorsOf, noExport, warningsOf, withoutExport } from './diagnose.js';
import type { Entry } from './handler.js';
import type { IncludedFile } from './include.js';
import type { Places } from './places.js';
import type { NodeRecipe, Recipe } from './recipe.js';
import type { RuntimeFiles } from './runtime-files.js';
import type { ZipFile } from './zip.js';

/** One unit to be built, with its files found. */
export interface Job<R extends Recipe = Recipe> {
  /** As asked for. */
  readonly key: string;
  /** Absolute, without symbolic links. */
  readonly dir: string;
  readonly recipe: R;
  /** Of JavaScript and TypeScript. */
  readonly entries: readonly Entry[];
  readonly included: readonly IncludedFile[];
}

export interface Tools {
  readonly runtime: RuntimeFiles;
  readonly places: Places;
  /** Where the handler of a function is written. */
  at(functionName: string): Position | undefined;
}

/** The code of one unit, and what it was made from. */
export interface Code {
  readonly files: readonly ZipFile[];
  /** Absolute paths. */
  readonly inputs: ReadonlySet<string>;
}

export interface CodeResult {
  readonly code: ReadonlyMap<Job, Code>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Bundles the entries of jobs that share a folder; without `bundle` where the code has errors. */
export async function checkedBundle(
  jobs: readonly Job<NodeRecipe>[],
  { runtime, places, at }: Tools,
  inline: 'all' | 'relative',
): Promise<{ readonly bundle?: Bundle; readonly diagnostics: readonly Diagnostic[] }> {
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
