import { fail } from '../errors.js';
import { isObject } from '../json.js';
import type { Unit } from '../provider/contract.js';

/** What a provider writes into `Unit.build` for functions in JavaScript or TypeScript. */
export interface NodeRecipe {
  readonly kind: 'node';
  /** Names what the entry hands over; see `entrySource`. */
  readonly host: 'local';
  /** One self-contained file per function; otherwise the files as they are. */
  readonly bundle: boolean;
  /** Patterns of files that go beside the code, relative to the project. */
  readonly include: readonly string[];
  readonly entries: readonly { readonly function: string; readonly handler: string }[];
}

/** The same for handlers in Python, and for programs that serve HTTP: files as they are, and one that says what to run. */
export interface FilesRecipe {
  readonly kind: 'files';
  readonly host: 'local';
  readonly language: 'python' | 'program';
  /** Patterns of files, relative to the project. A program without any gets all files that are no secrets or packages. */
  readonly include: readonly string[];
  readonly entries: readonly FilesEntry[];
}

/** A handler is `src/stats.handler`: a file without its ending, and the function. */
export type FilesEntry =
  | { readonly function: string; readonly handler: string }
  | { readonly function: string; readonly command: readonly string[] };

export type Recipe = NodeRecipe | FilesRecipe;

/** Checks the shape of `unit.build`, which comes from a provider. @throws SFX2310 */
export function recipeOf(unit: Unit): Recipe {
  const build: unknown = unit.build;
  if (isObject(build) && isKnown(build)) return build as unknown as Recipe;
  const what = isObject(build)
    ? `kind ${String(build['kind'])}, host ${String(build['host'])}`
    : typeof build;
  throw fail('SFX2310', `unit ${unit.id} asks for a build that sfx does not know (${what})`, {
    unit: unit.id,
  });
}

function isKnown(build: Record<string, unknown>): boolean {
  const { kind, host, include, entries, bundle, language } = build;
  if (host !== 'local' || !Array.isArray(include) || !Array.isArray(entries)) return false;
  if (kind === 'node') return typeof bundle === 'boolean';
  return kind === 'files' && (language === 'python' || language === 'program') && entries.length === 1;
}
