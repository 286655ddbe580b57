import type { Diagnostic } from '../errors.js';
import { entryId } from './bundle.js';
import { filesOf, ownFilesOf } from './influences.js';
import { type Code, type CodeResult, checkedBundle, type Job, type Tools } from './job.js';
import { isInside, isPackaged, projectRoot } from './project.js';
import type { NodeRecipe } from './recipe.js';

/** `bundle: true`: one file per function that needs nothing else. */
export async function bundledCode(jobs: readonly Job<NodeRecipe>[], tools: Tools): Promise<CodeResult> {
  const { bundle, diagnostics } = await checkedBundle(jobs, tools, 'all');
  if (bundle === undefined) return { code: new Map(), diagnostics };
  const root = projectRoot(jobs[0]!.dir);
  const code = new Map<Job, Code>();
  const problems = new Map<string, Diagnostic>();
  for (const job of jobs) {
    const ids = job.entries.map(entryId);
    const files = job.entries.map(({ function: name }) => ({
      name: `${name}.mjs`,
      bytes: bundle.code.get(name)!,
    }));
    code.set(job, {
      files,
      inputs: new Set(ids.flatMap((id) => [...filesOf(bundle.metafile, id, job.dir)])),
    });
    for (const path of ids.flatMap((id) => [...ownFilesOf(bundle.metafile, id, job.dir)])) {
      if (!isInside(path, root) && !isPackaged(path)) problems.set(path, outside(path, tools));
    }
  }
  return { code, diagnostics: [...diagnostics, ...problems.values()] };
}

export function outside(path: string, { places }: Tools): Diagnostic {
  const file = places.name(path);
  const message = `${file} is imported, but lies outside of the project`;
  return { code: 'SFX2306', severity: 'error', message, at: { file, line: 1, column: 1 } };
}
