import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/**
 * The folder that counts as the project of `dir`: of a workspace or a repository the whole, else `dir` itself. Code may be
 * taken from there and from packages, and from nowhere else.
 */
export function projectRoot(dir: string): string {
  for (let folder = dir; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git')) || existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder;
    if (hasWorkspaces(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) return dir;
  }
}

/** A `package.json` that cannot be parsed is not a workspace; whoever needs it for more will say what is wrong with it. */
function hasWorkspaces(file: string): boolean {
  return existsSync(file) && /"workspaces"\s*:/.test(readFileSync(file, 'utf8'));
}

export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
}

export function isPackaged(path: string): boolean {
  return path.split(sep).includes('node_modules');
}
