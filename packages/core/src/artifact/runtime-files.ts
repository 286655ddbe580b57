import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, messageOf } from '../errors.js';
import { type Digest, digestOf } from '../json.js';

/** The runtime that goes beside each handler: its modules by name, the entry first. */
export interface RuntimeFiles {
  readonly entry: string;
  readonly files: ReadonlyMap<string, string>;
  readonly digest: Digest;
}

/**
 * Reads the runtime with what it imports. `path` is its entry; by default `@sfx-deploy/runtime` as seen from here, or,
 * where this code is bundled and published without that package, `runtime.mjs` beside it.
 * Modules are named relative to the entry, so that nothing says where sfx is installed.
 */
export function readRuntime(path: string = locateRuntime()): RuntimeFiles {
  const root = dirname(path);
  const entry = path.slice(root.length + 1);
  const files = new Map<string, string>();
  const open = [entry];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (files.has(name)) continue;
    const text = readFileSync(join(root, name), 'utf8');
    files.set(name, text);
    for (const [, specifier] of text.matchAll(/\bfrom\s*['"](\.[^'"]+)['"]/g)) {
      open.push(moduleName(name, specifier!, (candidate) => existsSync(join(root, candidate))));
    }
  }
  return { entry, files, digest: digestOf(Object.fromEntries(files)) };
}

/** Name of the module that `specifier` means in `importer`; in the sources `./a.js` is written for `./a.ts`. */
export function moduleName(importer: string, specifier: string, exists: (name: string) => boolean): string {
  const name = posix.join(posix.dirname(importer), specifier);
  return exists(name) ? name : name.replace(/\.js$/, '.ts');
}

function locateRuntime(): string {
  const beside = fileURLToPath(new URL('./runtime.mjs', import.meta.url));
  if (existsSync(beside)) return beside;
  try {
    return createRequire(import.meta.url).resolve('@sfx-deploy/runtime');
  } catch (error) {
    throw fail('SFX2312', `the runtime of handlers is not installed: ${messageOf(error)}`, { cause: error });
  }
}
