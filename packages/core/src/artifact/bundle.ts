import type { BuildFailure, BuildOptions, Message, Metafile, Plugin } from 'esbuild';
import { fail, messageOf } from '../errors.js';
import { entrySource, runtimeSpecifier } from './entry-source.js';
import type { Entry } from './handler.js';
import type { NodeRecipe } from './recipe.js';
import { moduleName, type RuntimeFiles } from './runtime-files.js';

/** Namespaces of modules that are on no disk; they appear as `sfx:…` in the output and never as a path. */
const entrySpace = 'sfx';
const runtimeSpace = 'sfx-runtime';

export interface BundleRequest {
  /** Absolute, without symbolic links. */
  readonly dir: string;
  readonly host: NodeRecipe['host'];
  readonly entries: readonly Entry[];
  readonly runtime: RuntimeFiles;
  /**
   * `all`: everything into one file per function. `relative`: packages stay imports; used to see which files belong to a
   * handler. `none`: the handler's file stays an import too.
   */
  readonly inline: 'all' | 'relative' | 'none';
}

export interface Bundle {
  /** By function. */
  readonly code: ReadonlyMap<string, Uint8Array>;
  readonly metafile: Metafile;
  readonly warnings: readonly Message[];
}

/**
 * Bundles all entries in one go. esbuild links each entry point on its own, so an entry's bytes do not depend on what is
 * built beside it.
 *
 * @returns the messages of esbuild when the code has errors.
 */
export async function bundle(
  request: BundleRequest,
): Promise<Bundle | { readonly errors: readonly Message[] }> {
  const { build } = await loadEsbuild();
  try {
    const { outputFiles, metafile, warnings } = await build({
      ...options(request),
      write: false,
      metafile: true,
    });
    const code = new Map(
      request.entries.map((entry, index) => [entry.function, outputFiles[index]!.contents]),
    );
    return { code, metafile, warnings };
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (Array.isArray(errors)) return { errors };
    throw fail('SFX2312', `esbuild failed: ${messageOf(error)}`, { cause: error });
  }
}

async function loadEsbuild(): Promise<typeof import('esbuild')> {
  try {
    return await import('esbuild');
  } catch (error) {
    throw fail('SFX2312', `esbuild could not be loaded: ${messageOf(error)}`, { cause: error });
  }
}

/** Names of exports of these files, relative to `dir`, as far as they are written down (none for CommonJS). */
export async function exportsOf(
  dir: string,
  files: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { build } = await loadEsbuild();
  const { metafile } = await build({
    absWorkingDir: dir,
    entryPoints: files.map((file) => `./${file}`),
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    outdir: 'out',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return new Map(Object.values(metafile.outputs).map((output) => [output.entryPoint ?? '', output.exports]));
}

/** Name under which an entry stands in the metafile and in messages. */
export function entryId(entry: Entry): string {
  return `${entrySpace}:${entryPath(entry)}`;
}

function entryPath(entry: Entry): string {
  return `${entry.function} (${entry.file} ${entry.exportName})`;
}

export function isVirtual(input: string): boolean {
  return input.startsWith(`${entrySpace}:`) || input.startsWith(`${runtimeSpace}:`);
}

/** CommonJS packages need `require` and the names of their file and folder, which modules do not have. */
const banner = [
  "import { createRequire as __sfx_createRequire } from 'node:module';",
  'const require = __sfx_createRequire(import.meta.url);',
  'const __sfx_filename = import.meta.filename, __sfx_dirname = import.meta.dirname;',
].join('\n');

function options(request: BundleRequest): BuildOptions {
  return {
    absWorkingDir: request.dir,
    entryPoints: request.entries.map((entry, index) => ({ in: entryId(entry), out: String(index) })),
    plugins: [virtualModules(request)],
    bundle: true,
    packages: request.inline === 'all' ? 'bundle' : 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outdir: 'out',
    logLevel: 'silent',
    /** Otherwise taken from NODE_PATH of whoever builds. */
    nodePaths: [],
    ...(request.inline === 'all' && {
      banner: { js: banner },
      define: { __filename: '__sfx_filename', __dirname: '__sfx_dirname' },
    }),
  };
}

function virtualModules({ dir, host, entries, runtime, inline }: BundleRequest): Plugin {
  const sources = new Map(
    entries.map((entry) => [entryPath(entry), entrySource(entry, host, inline !== 'none')]),
  );
  return {
    name: 'sfx',
    setup(build) {
      build.onResolve({ filter: /^sfx:/ }, ({ path, kind }) => {
        if (kind === 'entry-point') return { path: path.slice(entrySpace.length + 1), namespace: entrySpace };
        return path === runtimeSpecifier ? { path: runtime.entry, namespace: runtimeSpace } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: entrySpace }, ({ path }) => ({
        contents: sources.get(path)!,
        loader: 'js',
        resolveDir: dir,
      }));
      if (inline === 'none') {
        build.onResolve({ filter: /^\./, namespace: entrySpace }, ({ path }) => ({ path, external: true }));
      }
      build.onResolve({ filter: /^\./, namespace: runtimeSpace }, ({ path, importer }) => ({
        path: moduleName(importer, path, (name) => runtime.files.has(name)),
        namespace: runtimeSpace,
      }));
      build.onLoad({ filter: /.*/, namespace: runtimeSpace }, ({ path }) => ({
        contents: runtime.files.get(path)!,
        loader: path.endsWith('.ts') ? 'ts' : 'js',
      }));
    },
  };
}
