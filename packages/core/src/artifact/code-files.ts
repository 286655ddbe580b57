import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join, posix as paths, relative } from 'node:path';
import type { Metafile } from 'esbuild';
import type { Diagnostic } from '../errors.js';
import { bundle, entryId } from './bundle.js';
import { outside } from './code-bundled.js';
import { notThere } from './handler.js';
import { ownFilesOf } from './influences.js';
import { type Code, type CodeResult, checkedBundle, type Job, type Tools } from './job.js';
import { posix } from './places.js';
import { isInside } from './project.js';
import type { NodeRecipe } from './recipe.js';
import type { ZipFile } from './zip.js';

/**
 * `bundle: false`: the handler's file and what it imports by a relative path, as they are, and a small entry per function.
 * Node runs them without a bundler's help, so what only a bundler understands is refused here and not at the first call.
 */
export async function plainCode(jobs: readonly Job<NodeRecipe>[], tools: Tools): Promise<CodeResult> {
  const checked = await checkedBundle(jobs, tools, 'relative');
  if (checked.bundle === undefined) return { code: new Map(), diagnostics: checked.diagnostics };
  const { dir, recipe } = jobs[0]!;
  const entries = jobs.flatMap((job) => job.entries);
  const built = await bundle({ dir, host: recipe.host, entries, runtime: tools.runtime, inline: 'none' });
  if ('errors' in built) throw new Error(`The entries do not build: ${built.errors[0]?.text}`);
  const { metafile } = checked.bundle;
  const code = new Map<Job, Code>();
  const problems = new Map<string, Diagnostic>();
  for (const job of jobs) {
    const inputs = new Set(job.entries.flatMap((entry) => [...ownFilesOf(metafile, entryId(entry), dir)]));
    for (const one of [...inputs].flatMap((path) => problemsOf(path, metafile, job, tools)))
      problems.set(one.message, one);
    const modules = job.entries.map(({ function: name }) => ({
      name: `${name}.mjs`,
      bytes: built.code.get(name)!,
    }));
    code.set(job, { files: [...modules, ...(await asTheyAre(inputs, job))], inputs });
  }
  return { code, diagnostics: [...checked.diagnostics, ...problems.values()] };
}

async function asTheyAre(inputs: ReadonlySet<string>, { dir }: Job): Promise<ZipFile[]> {
  const names = [...inputs].filter((path) => isInside(path, dir)).map((path) => posix(relative(dir, path)));
  const files = await Promise.all(
    names.map(async (name) => ({ name, bytes: await readFile(join(dir, name)) })),
  );
  return names.includes('package.json') ? files : [...files, await packageFile(dir)];
}

/** Node reads from it whether `.js` means modules; a project inside of a workspace may have it from further up. */
async function packageFile(dir: string): Promise<ZipFile> {
  const name = 'package.json';
  for (let folder = dir; ; folder = join(folder, '..')) {
    const bytes = await readFile(join(folder, name)).catch(notThere);
    if (bytes !== undefined) {
      const { type = 'commonjs' } =
        folder === dir ? {} : (JSON.parse(bytes.toString('utf8')) as { type?: string });
      return { name, bytes: folder === dir ? bytes : Buffer.from(`${JSON.stringify({ type })}\n`) };
    }
    if (folder === join(folder, '..')) return { name, bytes: Buffer.from('{"type":"commonjs"}\n') };
  }
}

function problemsOf(path: string, metafile: Metafile, job: Job, tools: Tools): Diagnostic[] {
  if (!isInside(path, job.dir)) return [outside(path, tools)];
  const file = tools.places.name(path);
  const at = { file, line: 1, column: 1 };
  if (!/\.(js|mjs|cjs|json)$/.test(path)) {
    return [
      { code: 'SFX2311', severity: 'error', message: `${file} needs bundling, and bundle is false`, at },
    ];
  }
  const input = posix(relative(job.dir, path));
  const { imports = [], format } = metafile.inputs[input] ?? {};
  return imports.flatMap(({ path: target, original, external, kind }): Diagnostic[] => {
    if (external === true) return kind === 'dynamic-import' ? [] : lacking(target, file, job);
    if (format !== 'esm' || kind === 'require-call' || original === undefined) return [];
    if (paths.join(paths.dirname(input), original) === target) return [];
    const message = `${file} imports ${original}: Node needs the whole name, as in ${paths.basename(target)}`;
    return [{ code: 'SFX2303', severity: 'error', message, at }];
  });
}

/** A package that is neither part of Node nor included would be missed at the first call. */
function lacking(specifier: string, file: string, { included }: Job): Diagnostic[] {
  if (isBuiltin(specifier) || /^[.#/]/.test(specifier)) return [];
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (included.some((one) => one.name.startsWith(`node_modules/${name}/`))) return [];
  const message = `${file} imports ${specifier}, and bundle is false: the package is not in the artifact`;
  const hint = `Set \`bundle: true\`, or add node_modules/${name}/** to include.`;
  return [{ code: 'SFX2303', severity: 'error', message, at: { file, line: 1, column: 1 }, hint }];
}
