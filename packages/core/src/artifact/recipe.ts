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

/** Checks the shape of `unit.build`, which comes from a provider. @throws SFX2310 */
export function recipeOf(unit: Unit): NodeRecipe {
  const build: unknown = unit.build;
  const known =
    isObject(build) &&
    build['kind'] === 'node' &&
    build['host'] === 'local' &&
    typeof build['bundle'] === 'boolean' &&
    Array.isArray(build['include']) &&
    Array.isArray(build['entries']);
  if (known) return build as unknown as NodeRecipe;
  const what = isObject(build)
    ? `kind ${String(build['kind'])}, host ${String(build['host'])}`
    : typeof build;
  throw fail('SFX2310', `unit ${unit.id} asks for a build that sfx does not know (${what})`, {
    unit: unit.id,
  });
}
