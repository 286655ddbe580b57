import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { By } from './state/documents.js';

/** How often a local remote is followed to the remote of its own. */
const FOLLOW = 3;

/**
 * Where a service comes from: `host/path#folder` of its git remote, else its path. Two clones of one repository are one
 * origin; credentials in a remote's address never become part of it.
 */
export async function originOf(dir: string): Promise<string> {
  const real = realpathSync(dir);
  const top = await git(real, ['rev-parse', '--show-toplevel']);
  if (top === undefined) return real;
  const folder = real
    .slice(realpathSync(top).length)
    .replace(/^[\\/]/, '')
    .replaceAll('\\', '/');
  const remote = await remoteOf(top, FOLLOW);
  return folder === '' ? remote : `${remote}#${folder}`;
}

async function remoteOf(top: string, follow: number): Promise<string> {
  const url = await git(top, ['config', '--get', 'remote.origin.url']);
  if (url === undefined) return realpathSync(top);
  const path = url.replace(/^file:\/\//, '');
  if (!path.startsWith('/') && !path.startsWith('.')) return plain(url);
  const local = path.startsWith('.') ? join(top, path) : path;
  if (!existsSync(local)) return local.replace(/\/?(\.git)?$/, '');
  return follow > 0 ? remoteOf(realpathSync(local), follow - 1) : realpathSync(local);
}

/** `git@host:a/b.git`, `https://user:secret@host/a/b` → `host/a/b` */
function plain(url: string): string {
  return url
    .replace(/^[a-z+]+:\/\//i, '')
    .replace(/^[^/@]*@/, '')
    .replace(/^([^/:]+):(?!\d+\/)/, '$1/')
    .replace(/\.git\/?$/, '')
    .replace(/\/$/, '');
}

/** The commit that is checked out, for people; undefined outside a repository. */
export async function commitOf(dir: string): Promise<By['git']> {
  const line = await git(dir, ['log', '-1', '--format=%H%x09%s']);
  if (line === undefined) return undefined;
  const [sha = '', subject = ''] = line.split('\t');
  const dirty = ((await git(dir, ['status', '--porcelain', '--untracked-files=no'])) ?? '') !== '';
  return { sha, ...(subject === '' ? {} : { subject }), ...(dirty ? { dirty: true as const } : {}) };
}

/** The output of a git command, or undefined when git or the repository is not there. */
function git(dir: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('git', ['-C', dir, ...args], { encoding: 'utf8', timeout: 10_000 }, (error, stdout) =>
      resolve(error ? undefined : stdout.trim() === '' && args[0] !== 'status' ? undefined : stdout.trim()),
    );
  });
}
