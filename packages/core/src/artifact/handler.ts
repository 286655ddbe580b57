import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { glob } from 'tinyglobby';
import { didYouMean } from '../config/nearest.js';
import type { Diagnostic } from '../errors.js';
import type { Position } from '../model/service.js';
import type { Places } from './places.js';

/** In the order in which they are tried. */
const ENDINGS = { node: ['ts', 'mts', 'js', 'mjs', 'cjs'], python: ['py'] } as const;

/** One function of a unit, with its code found. */
export interface Entry {
  readonly function: string;
  /** Relative to the project, with `/` and its ending: `src/list.ts`. */
  readonly file: string;
  readonly exportName: string;
}

/** Finds the file of a handler such as `src/list.get`; a missing one is a diagnostic SFX2301. */
export async function findEntry(
  dir: string,
  { function: name, handler }: { readonly function: string; readonly handler: string },
  at: Position | undefined,
  places: Places,
  language: keyof typeof ENDINGS = 'node',
): Promise<Entry | Diagnostic> {
  const endings = ENDINGS[language];
  const dot = handler.lastIndexOf('.');
  if (dot <= handler.lastIndexOf('/') + 1 || dot === handler.length - 1) {
    return missing(
      name,
      handler,
      'names no export: a file without its ending, a dot, and the export',
      at,
      places,
    );
  }
  const stem = handler.slice(0, dot).replace(/^\.\//, '');
  for (const ending of endings) {
    const file = `${stem}.${ending}`;
    const found = await stat(join(dir, file)).catch(notThere);
    if (found?.isFile()) return { function: name, file, exportName: handler.slice(dot + 1) };
  }
  const near = didYouMean(stem, await stemsIn(dir, endings));
  const shown = endings.length === 1 ? endings[0] : `{${endings.join(',')}}`;
  return missing(name, handler, `no ${stem}.${shown}${near}`, at, places);
}

/** SFX2301: why the file of a handler is not there. */
export function missing(
  name: string,
  handler: string,
  why: string,
  at: Position | undefined,
  places: Places,
): Diagnostic {
  const message = `function ${name}: ${handler}: ${why}`;
  return { code: 'SFX2301', severity: 'error', message, ...(at && places.mark(at, why)) };
}

async function stemsIn(dir: string, endings: readonly string[]): Promise<string[]> {
  const patterns = endings.map((ending) => `**/*.${ending}`);
  const files = await glob(patterns, {
    cwd: dir,
    ignore: ['**/node_modules/**'],
    deep: 6,
  });
  return files.map((file) => file.replace(/\.\w+$/, ''));
}

export function notThere(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
