import { lstat, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import type { Diagnostic } from '../errors.js';
import { notThere } from './handler.js';
import { isInside, isPackaged, projectRoot } from './project.js';

export interface IncludedFile {
  /** Name in the artifact: relative to the project, with `/`. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly executable: boolean;
}

/** Never matched by a wildcard: repositories, what sfx keeps, and, unless a pattern speaks of them, packages. */
const neverWalked = ['**/.git/**', '**/.sfx/**'];

/** Files that usually hold secrets: taken only when a pattern without a wildcard names them. */
export const secret =
  /(^|\/)(\.env(\..*)?|\.npmrc|\.netrc|\.git|\.sfx|\.aws|\.ssh|id_(rsa|dsa|ecdsa|ed25519)|[^/]*\.(pem|key|p12|pfx|jks|keystore))(\/|$)/i;

/**
 * The files that `include` names: of the patterns that match a file the last counts, and one that begins with `!` takes it
 * out again. Sorted, with what was left out as warnings (SFX2308) and what is outside as errors
 * (SFX2306).
 */
export async function findIncluded(
  dir: string,
  patterns: readonly string[],
): Promise<{ readonly files: readonly IncludedFile[]; readonly diagnostics: readonly Diagnostic[] }> {
  const diagnostics: Diagnostic[] = [];
  const names = await matches(dir, patterns, diagnostics);
  return { files: await filesOf(dir, names, diagnostics), diagnostics };
}

/** These files of the project, sorted; what is outside of it, itself or by a link, goes to `diagnostics` (SFX2306). */
export async function filesOf(
  dir: string,
  names: readonly string[],
  diagnostics: Diagnostic[],
): Promise<readonly IncludedFile[]> {
  const files: IncludedFile[] = [];
  const root = names.length === 0 ? dir : projectRoot(dir);
  for (const name of names) {
    const path = join(dir, name);
    const real = await realpath(path);
    if (!isInside(path, dir) || !(isInside(real, root) || isPackaged(real))) {
      diagnostics.push(problem('SFX2306', 'error', `include: ${name} lies outside of the project`));
    } else {
      files.push({ name, path, executable: ((await stat(path)).mode & 0o100) !== 0 });
    }
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function matches(
  dir: string,
  patterns: readonly string[],
  diagnostics: Diagnostic[],
): Promise<readonly string[]> {
  const wanted = patterns.map((pattern) => pattern.replace(/^(!?)\.\//, '$1'));
  const found = new Set<string>();
  const left = new Set<string>();
  for (const [n, pattern] of wanted.entries()) {
    if (pattern.startsWith('!')) continue;
    const excluded = wanted.slice(n).filter((later) => later.startsWith('!'));
    const named =
      !isDynamicPattern(pattern) &&
      (await lstat(join(dir, pattern)).catch(notThere))?.isDirectory() === false;
    const names = named ? [pattern] : await expand(dir, pattern, excluded);
    for (const name of names) (named || !secret.test(name) ? found : left).add(name);
    if (names.length === 0) {
      diagnostics.push(
        problem('SFX2308', 'warning', `include: ${pattern} matches no file`, 'Correct the pattern.'),
      );
    }
  }
  for (const name of [...left].filter((one) => !found.has(one)).sort()) {
    diagnostics.push(
      problem('SFX2308', 'warning', `include: ${name} is left out: files like it hold secrets`),
    );
  }
  return [...found];
}

function expand(dir: string, pattern: string, excluded: readonly string[]): Promise<string[]> {
  return glob([pattern, ...excluded], {
    cwd: dir,
    dot: true,
    followSymbolicLinks: true,
    ignore: pattern.includes('node_modules') ? neverWalked : [...neverWalked, '**/node_modules/**'],
  });
}

export function problem(
  code: 'SFX2306' | 'SFX2308' | 'SFX2313' | 'SFX2314',
  severity: Diagnostic['severity'],
  message: string,
  hint?: string,
): Diagnostic {
  return { code, severity, message, ...(hint !== undefined && { hint }) };
}
