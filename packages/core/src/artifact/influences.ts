import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import { isVirtual } from './bundle.js';
import { isPackaged } from './project.js';

type Import = Metafile['inputs'][string]['imports'][number];

/** Absolute paths of all that one entry was built from. */
export function filesOf(metafile: Metafile, id: string, dir: string): Set<string> {
  return reached(metafile, id, dir, () => true);
}

/** The same without packages, wherever they lie: what is reached by relative paths alone. */
export function ownFilesOf(metafile: Metafile, id: string, dir: string): Set<string> {
  return reached(metafile, id, dir, ({ original }) => original === undefined || /^(\.\.?)?\//.test(original));
}

function reached(metafile: Metafile, id: string, dir: string, follow: (one: Import) => boolean): Set<string> {
  const seen = new Set<string>();
  const open = [id];
  for (let input = open.pop(); input !== undefined; input = open.pop()) {
    if (seen.has(input)) continue;
    seen.add(input);
    for (const one of metafile.inputs[input]?.imports ?? []) {
      if (one.external !== true && follow(one)) open.push(one.path);
    }
  }
  return new Set(
    [...seen].filter((input) => !isVirtual(input) && !input.startsWith('(')).map((input) => join(dir, input)),
  );
}

/** All that decides what these files mean: they themselves, their neighbours, package and compiler settings above them. */
export function influencesOf(files: Iterable<string>): Set<string> {
  const paths = new Set<string>();
  for (const file of files) {
    paths.add(file);
    if (isPackaged(file)) addPackage(file, paths);
    else addProject(dirname(file), paths);
  }
  return paths;
}

function addPackage(file: string, paths: Set<string>): void {
  for (let folder = dirname(file); !/node_modules([\\/]@[^\\/]+)?$/.test(folder); folder = dirname(folder)) {
    paths.add(join(folder, 'package.json'));
    if (folder === dirname(folder)) return;
  }
}

function addProject(start: string, paths: Set<string>): void {
  if (paths.has(start)) return;
  paths.add(start);
  for (let folder = start; ; folder = dirname(folder)) {
    paths.add(join(folder, 'package.json'));
    paths.add(join(folder, 'node_modules'));
    for (const name of ['tsconfig.json', 'jsconfig.json']) addSettings(join(folder, name), paths);
    if (folder === dirname(folder)) return;
  }
}

/** Compiler settings and those that they extend. */
function addSettings(file: string, paths: Set<string>): void {
  if (paths.has(file)) return;
  paths.add(file);
  for (const base of basesOf(file)) addSettings(base, paths);
}

function basesOf(file: string): string[] {
  const text = textOf(file);
  const value = /"extends"\s*:\s*(\[[^\]]*\]|"[^"]*")/.exec(text)?.[1] ?? '';
  return [...value.matchAll(/"([^"]+)"/g)].flatMap(([, base]) => {
    if (base!.startsWith('.') || base!.startsWith('/')) {
      const path = resolve(dirname(file), base!);
      return [path, `${path}.json`];
    }
    return packagedBase(file, base!);
  });
}

/** A base that is not installed: the bundler says so itself when it needs it. */
function packagedBase(file: string, base: string): string[] {
  try {
    return [createRequire(file).resolve(base.endsWith('.json') ? base : `${base}/tsconfig.json`)];
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
