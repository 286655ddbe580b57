import { readdirSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { fail } from '../errors.js';
import { didYouMean } from './nearest.js';

export const DEFAULT_FILES: readonly string[] = ['serverless.yml', 'serverless.yaml', 'serverless.json'];
const CODE_FILES: readonly string[] = ['serverless.ts', 'serverless.js', 'serverless.mjs', 'serverless.cjs'];

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A folder that is not there holds no file; what is missing is said by the caller.
    return [];
  }
}

/** A path as people see it: relative to where the command runs, unless it is elsewhere. */
export function displayPath(cwd: string, path: string): string {
  const near = relative(cwd, path);
  return near === '' || near.startsWith('..') || isAbsolute(near) ? path : near;
}

/** The configuration file that is meant. Throws SFX1004. */
export function findFile(cwd: string, file: string | undefined): string {
  if (file !== undefined) return resolve(cwd, file);
  const names = namesIn(cwd);
  const found = DEFAULT_FILES.find((name) => names.includes(name));
  if (found) return join(cwd, found);
  const code = CODE_FILES.find((name) => names.includes(name));
  if (code) {
    throw fail('SFX1004', `${code} is code, which sfx does not read; it reads ${DEFAULT_FILES.join(', ')}`);
  }
  const others = names.filter((name) => /\.(ya?ml|json)$/.test(name));
  throw fail('SFX1004', `no serverless.yml, .yaml or .json in ${cwd}${didYouMean('serverless.yml', others)}`);
}

/** Throws for a file that was named and is not there (SFX1004). */
export function noSuchFile(path: string, name: string): Error {
  const folder = resolve(path, '..');
  const base = relative(folder, path);
  return fail('SFX1004', `no file ${name}${didYouMean(base, namesIn(folder))}`);
}
