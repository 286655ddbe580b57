import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packages = readdirSync(join(root, 'packages'));

interface Import {
  readonly from: string;
  readonly to: string;
  /** Types vanish when compiled: they bind no module at run time. */
  readonly type: boolean;
  readonly lazy: boolean;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/g;
const LAZY = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function filesOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  const from = relative(root, file);
  const found: Import[] = [];
  for (const match of text.matchAll(IMPORT))
    found.push({ from, to: resolve(file, match[2]!), type: match[1] !== undefined, lazy: false });
  for (const match of text.matchAll(LAZY))
    found.push({ from, to: resolve(file, match[1]!), type: false, lazy: true });
  return found;
}

function resolve(file: string, target: string): string {
  return target.startsWith('.')
    ? relative(root, join(dirname(file), target)).replace(/\.js$/, '.ts')
    : target;
}

const sources = packages.flatMap((name) => filesOf(join(root, 'packages', name, 'src')));
const imports = sources.flatMap(importsOf);
const packageOf = (path: string) => /^packages\/([^/]+)\//.exec(path)?.[1];
const isBare = (to: string) => !to.startsWith('packages/');

/** Which packages of ours each package may import; `*` stands for every provider. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: ['runtime'],
  plugin: ['core'],
  runtime: [],
  cli: ['core', 'provider-local'],
  // It hosts handlers itself, so it gives calls the shapes of the styles.
  'provider-local': ['plugin', 'runtime'],
};

describe('who may import whom', () => {
  it('finds what there is to check', () => {
    assert.ok(sources.length > 100);
    assert.ok(imports.length > sources.length);
  });

  it('packages import only the packages that the map allows; a provider imports the plugin door, and the runtime if it hosts handlers itself', () => {
    const wrong = imports.filter((one) => {
      const mine = packageOf(one.from)!;
      const theirs = /^@sfx-deploy\/([^/]+)/.exec(one.to)?.[1];
      if (theirs === undefined || theirs === mine) return false;
      return !(allowed[mine] ?? ['plugin']).includes(theirs);
    });
    assert.deepEqual(wrong, []);
  });

  it('the command line loads the local engine only when a command asks for it', () => {
    const eager = imports.filter(
      (one) => packageOf(one.from) === 'cli' && /provider-/.test(one.to) && !one.lazy && !one.type,
    );
    assert.deepEqual(eager, []);
  });

  it('no file reaches into another package by path', () => {
    assert.deepEqual(
      imports.filter((one) => !isBare(one.to) && packageOf(one.to) !== packageOf(one.from)),
      [],
    );
  });

  it('core names no provider and no cloud SDK', () => {
    const named = imports.filter(
      (one) =>
        packageOf(one.from) === 'core' &&
        /provider-|@aws-sdk|@azure|@google-cloud/.test(one.to) &&
        isBare(one.to),
    );
    assert.deepEqual(named, []);
  });

  it('the runtime has no dependencies', () => {
    const bare = imports.filter((one) => packageOf(one.from) === 'runtime' && isBare(one.to));
    assert.deepEqual(bare, []);
  });

  it('a provider talks to its daemon or SDK in client.ts alone', () => {
    const http = imports.filter(
      (one) =>
        /^packages\/provider-[^/]+\/src\/(?!daemon\/|client\.ts)/.test(one.from) &&
        /^node:https?$|sdk/.test(one.to) &&
        !one.type,
    );
    assert.deepEqual(http, []);
  });

  it('only the host of the command line prints', () => {
    const prints = /\bconsole\.\w+\(|\bprocess\.(stdout|stderr)\b/;
    const printing = sources
      .map((file) => relative(root, file))
      .filter((file) => !/^packages\/cli\/src\/host\//.test(file))
      // A suite prints its counts; the daemon's stderr is its log file.
      .filter((file) => file !== 'packages/core/src/testing/conformance.ts')
      .filter((file) => !/^packages\/provider-local\/src\/daemon\//.test(file))
      .filter((file) =>
        prints.test(readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')),
      );
    assert.deepEqual(printing, []);
  });

  it('nothing that decides a plan or a verdict acts: it imports no Node module that does', () => {
    const pure =
      /^packages\/core\/src\/(plan\/|release\/(judge|tables|progress|select|window|refs)\.ts|model\/)/;
    const acting = imports.filter((one) => pure.test(one.from) && /^node:(?!crypto)/.test(one.to));
    assert.deepEqual(acting, []);
  });

  it('the release protocol reaches the outside through Run alone', () => {
    const acting = imports.filter(
      (one) => /^packages\/core\/src\/release\//.test(one.from) && /^node:/.test(one.to),
    );
    assert.deepEqual(acting, []);
    const clock = /\bDate\.now\(|\bMath\.random\(|\bsetTimeout\(|\bprocess\.env\b/;
    const impure = sources
      .map((file) => relative(root, file))
      .filter((file) => /^packages\/core\/src\/(release|plan|model)\//.test(file))
      .filter((file) => clock.test(readFileSync(join(root, file), 'utf8')));
    assert.deepEqual(impure, []);
  });

  it('there is no import cycle', () => {
    const edges = new Map<string, string[]>();
    for (const one of imports)
      if (!isBare(one.to) && !one.type) edges.set(one.from, [...(edges.get(one.from) ?? []), one.to]);
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[][] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file]);
        return;
      }
      state.set(file, 'open');
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of edges.keys()) visit(file, []);
    assert.deepEqual(cycles, []);
  });
});
