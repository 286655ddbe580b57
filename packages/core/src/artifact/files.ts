import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { glob } from 'tinyglobby';
import type { Diagnostic } from '../errors.js';
import type { Position } from '../model/service.js';
import { type Entry, findEntry, missing, notThere } from './handler.js';
import { filesOf, findIncluded, type IncludedFile, problem, secret } from './include.js';
import type { Places } from './places.js';
import type { FilesRecipe } from './recipe.js';
import type { ZipFile } from './zip.js';

/** Never walked into: packages, what is compiled. Names with a dot in front are never taken either. */
const NEVER: readonly string[] = ['node_modules', '__pycache__'];
const PACKAGES = ['**/node_modules/**'];

/** The configuration itself, so that a change of it is no change of code. */
const CONFIGURATION = /^serverless\.(ya?ml|json|[cm]?[jt]s)$/;

/** Names under which people keep secrets in plain files, beside those of `secret`. */
const likely = /(^|\/)(secrets?|credentials)(\.(json|ya?ml|toml|ini|txt))?$/i;

const LIMITS = { files: 20_000, megabytes: 250 } as const;

interface Found {
  readonly files: readonly IncludedFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The files of a unit that is not bundled: for Python every `.py` of the project and what the patterns name; for a program
 * what the patterns name, or without any all of the project. Links are followed to files inside of the project only.
 * Diagnostics: SFX2301, SFX2306, SFX2308, SFX2313, SFX2314.
 */
export async function findFiles(
  dir: string,
  recipe: FilesRecipe,
  at: (functionName: string) => Position | undefined,
  places: Places,
): Promise<Found> {
  const { language, include } = recipe;
  const { files: named, diagnostics } = await findIncluded(dir, include);
  const found: Diagnostic[] = [...diagnostics];
  const handlers: (Entry & { readonly handler: string })[] = [];
  for (const entry of recipe.entries) {
    if (!('handler' in entry)) continue;
    const handler = await findEntry(dir, entry, at(entry.function), places, 'python');
    if ('exportName' in handler) handlers.push({ ...handler, handler: entry.handler });
    else found.push(handler);
  }
  const walked =
    language === 'python'
      ? await walk(dir, (name) => name.endsWith('.py'), include, found)
      : include.some((pattern) => !pattern.startsWith('!'))
        ? []
        : await walk(dir, (name) => !CONFIGURATION.test(name), include, found);
  const byName = new Map([...walked, ...named].map((file) => [file.name, file]));
  for (const { function: name, handler, file } of handlers) {
    if (!byName.has(file))
      found.push(missing(name, handler, `${file} is left out by the patterns`, at(name), places));
  }
  const files = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const name = recipe.entries[0]?.function ?? '';
  if (language === 'program' && include.length > 0 && files.length === 0)
    found.push(problem('SFX2313', 'error', `the patterns of ${name} match no file`));
  const much = await tooMuch(files);
  if (much !== undefined) found.push(problem('SFX2314', 'error', `${name} would hold ${much}`));
  return { files, diagnostics: found };
}

/** All files of the project that `wanted` wants, without what is excluded, packaged, secret, or of sfx. */
async function walk(
  dir: string,
  wanted: (name: string) => boolean,
  include: readonly string[],
  diagnostics: Diagnostic[],
): Promise<readonly IncludedFile[]> {
  const excluded = include.filter((one) => one.startsWith('!')).map((one) => one.replace(/^!(\.\/)?/, ''));
  const gone = new Set(excluded.length === 0 ? [] : await glob(excluded, { cwd: dir, ignore: PACKAGES }));
  const links: string[] = [];
  const names = (await filesBelow(dir, '', links)).filter((name) => wanted(name) && !gone.has(name)).sort();
  const kept: string[] = [];
  for (const name of names) {
    if (!secret.test(name) && !likely.test(name)) kept.push(name);
    else diagnostics.push(problem('SFX2308', 'warning', `${name} is left out: files like it hold secrets`));
  }
  for (const name of links) {
    const message = `${name} is left out: it is a link to what is no file`;
    diagnostics.push(problem('SFX2308', 'warning', message));
  }
  return filesOf(dir, kept, diagnostics);
}

/** Names below a folder, with `/`. A link to a file counts as one; others go to `links`: they may lead in a circle. */
async function filesBelow(dir: string, below: string, links: string[]): Promise<string[]> {
  const names: string[] = [];
  const entries = await readdir(join(dir, below), { withFileTypes: true });
  // An environment of Python, whatever its name.
  if (entries.some((entry) => entry.name === 'pyvenv.cfg')) return [];
  for (const entry of entries) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.name.startsWith('.') || NEVER.includes(entry.name)) continue;
    if (entry.isDirectory()) names.push(...(await filesBelow(dir, name, links)));
    else if (entry.isFile()) names.push(name);
    else if (entry.isSymbolicLink()) {
      if ((await stat(join(dir, name)).catch(nowhere))?.isFile()) names.push(name);
      else links.push(name);
    }
  }
  return names;
}

/** A link may lead to nothing, or to itself. */
function nowhere(error: NodeJS.ErrnoException): undefined {
  return error.code === 'ELOOP' ? undefined : notThere(error);
}

async function tooMuch(files: readonly IncludedFile[]): Promise<string | undefined> {
  if (files.length > LIMITS.files) return `${files.length} files; an artifact takes ${LIMITS.files}`;
  let bytes = 0;
  for (const { path } of files) bytes += (await stat(path)).size;
  const megabytes = Math.ceil(bytes / 1_000_000);
  return megabytes > LIMITS.megabytes
    ? `${megabytes} MB; an artifact takes ${LIMITS.megabytes} MB`
    : undefined;
}

/** What the engine runs, as a file beside the others: `<function>.json`. */
export function runFile({ entries }: FilesRecipe): ZipFile {
  const { function: name, ...run } = entries[0]!;
  return { name: `${name}.json`, bytes: new TextEncoder().encode(`${JSON.stringify(run)}\n`) };
}
