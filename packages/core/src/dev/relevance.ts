import { basename, dirname } from 'node:path';
import { isInside } from '../artifact/project.js';
import type { Origins } from '../artifact/remembered.js';
import { isObject, type Json } from '../json.js';

/** What a release was made from, as far as it is known. */
export interface Sources {
  /** Absolute, without symbolic links; as is everything here. */
  readonly dir: string;
  readonly configFiles: ReadonlySet<string>;
  /** Undefined: not known, so that any file of the project may count. */
  readonly origins: Origins | undefined;
  /** What units are built from; patterns of files beside the code can take in any file. */
  readonly builds: readonly Json[];
}

/** Before the first release, and after one that failed. */
export function unknownSources(dir: string): Sources {
  return { dir, configFiles: new Set(), origins: undefined, builds: [] };
}

/**
 * Whether a change of a path can change what is released. Says yes too often rather than once too seldom: what a yes costs
 * is a look at digests.
 */
export function matters(path: string, { dir, configFiles, origins, builds }: Sources): boolean {
  if (configFiles.has(path) || (dirname(path) === dir && /^\.env(\.|$)/.test(basename(path)))) return true;
  const open = origins === undefined || builds.some(takesAnything);
  if (open && isInside(path, dir)) return true;
  if (origins === undefined) return false;
  if (origins.files.has(path)) return true;
  return origins.folders.has(dirname(path)) && !basename(path).startsWith('.');
}

function takesAnything(build: Json): boolean {
  if (!isObject(build)) return true;
  const { kind, include, bundle } = build as Readonly<Record<string, Json>>;
  return kind !== 'node' || bundle !== true || (Array.isArray(include) && include.length > 0);
}
