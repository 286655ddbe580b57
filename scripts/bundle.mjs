// Makes what is started: one file for the command line, and one per process of each provider. What `tsc` wrote stays
// beside it for whoever imports the packages.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import module, { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  minify: true,
  keepNames: false,
  legalComments: 'none',
  logLevel: 'warning',
  conditions: ['sfx-source'],
  external: ['esbuild', ...builtinModules.flatMap((name) => [name, `node:${name}`])],
};

/**
 * The CLI takes only the parser of yargs. What yargs brings for help of its own (widths of emoji, locales, a look at the
 * file system) would cost more at the start than all of sfx.
 */
const parserOnly = {
  name: 'parser-only',
  setup(on) {
    on.onResolve({ filter: /platform-shims\/esm\.mjs$/ }, () => ({ path: 'yargs-shim', namespace: 'empty' }));
    on.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export default {}' }));
  },
};

/** No module of ours does anything by being loaded, so what a provider does not use of core is left out. */
const onlyWhatIsUsed = {
  name: 'only-what-is-used',
  setup(on) {
    on.onResolve({ filter: /^(\.|@sfx-deploy\/)/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'resolved') return undefined;
      const found = await on.resolve(path, { ...rest, pluginData: 'resolved' });
      return found.path.startsWith(join(root, 'packages')) ? { ...found, sideEffects: false } : found;
    });
  },
};

/** Only core is bundled into the CLI: providers are found by name when a command needs one. */
const providersOutside = {
  name: 'providers-outside',
  setup(on) {
    on.onResolve({ filter: /^@sfx-deploy\/provider-/ }, ({ path }) => ({ path, external: true }));
  },
};

/** CommonJS that knows its own address, and loads no earlier than at its first use what `lazily` says. */
const commonJs = {
  format: 'cjs',
  banner: {
    js: `const __sfxUrl=require("node:url").pathToFileURL(__filename).href,__sfxImport=module.sfxImport??(x=>import(x));require=(${String(lazily)})(require);`,
  },
  define: { 'import.meta.url': '__sfxUrl' },
};

/**
 * Half of a cold start would go into modules of Node that most commands never use (`child_process`, `crypto`, `http`) and
 * into the half of core that releases. Something stands for them until one of their names is asked for. Bundled as text:
 * it uses nothing but its argument. Fit for named imports, not for a module that is itself called.
 */
function lazily(load) {
  const standIn = (open) => {
    let opened;
    const module = () => (opened ??= open());
    return new Proxy(
      {},
      {
        get: (_, name) => module()[name],
        has: (_, name) => name in module(),
        ownKeys: () => Reflect.ownKeys(module()),
        getOwnPropertyDescriptor: (_, name) => ({
          ...Reflect.getOwnPropertyDescriptor(module(), name),
          configurable: true,
        }),
      },
    );
  };
  return (id) => {
    const [, part, name] = /^sfx-part:(\w+):(.*)$/.exec(id) ?? [];
    if (part !== undefined) return standIn(() => load(`./${part}.cjs`)[name]);
    // Node has the ones that are named here before the first line of any program.
    return /^node:(?!(fs|module|path|url)$)/.test(id) ? standIn(() => load(id)) : load(id);
  };
}

/** What reading and checking a configuration does not need, each a file of its own: its modules by name. */
const PARTS = { later: /^\.\/(artifact|plan|release|state)\//, dev: /^\.\/dev\// };

/** Leaves out what the door of core imports of a part, and collects the names of those modules. */
function partOutside(part, modules) {
  const core = join(root, 'packages/core/src');
  return {
    name: `${part}-outside`,
    setup(on) {
      on.onResolve({ filter: PARTS[part] }, ({ path, resolveDir }) => {
        if (resolveDir !== core) return undefined;
        modules.add(path.replace(/\.js$/, ''));
        return { path: `sfx-part:${part}:${path.replace(/\.js$/, '')}`, external: true };
      });
    },
  };
}

async function bundleCli() {
  const dist = join(root, 'packages/cli/dist');
  const parts = Object.keys(PARTS).map((part) => ({ part, modules: new Set() }));
  const options = { ...common, ...commonJs, sourcemap: 'linked', sourcesContent: false };
  await build({
    ...options,
    entryPoints: [join(root, 'packages/cli/src/start.ts')],
    outfile: join(dist, 'sfx.cjs'),
    plugins: [parserOnly, providersOutside, ...parts.map(({ part, modules }) => partOutside(part, modules))],
  });
  for (const { part, modules } of parts) {
    const all = [...modules].sort().map((name) => `export * as ${JSON.stringify(name)} from '${name}.js';`);
    await build({
      ...options,
      stdin: { contents: all.join('\n'), resolveDir: join(root, 'packages/core/src') },
      outfile: join(dist, `${part}.cjs`),
      plugins: [providersOutside],
    });
  }
  for (const name of ['sfx', ...Object.keys(PARTS)]) await sign(join(dist, `${name}.cjs`));
}

/** The launcher keys what V8 compiled by a digest; it stands in the file, so the two cannot part. */
async function sign(file) {
  const text = lendImport(await readFile(file, 'utf8'));
  await writeFile(file, `${text}//# sfx ${createHash('sha256').update(text).digest('hex')}`);
}

/** Node 20 forgets how a script imports when it takes the script from a code cache, so the launcher lends its own way. */
function lendImport(text) {
  const lent = text.replaceAll('await import(', 'await __sfxImport(');
  const left = [...lent.matchAll(/\bimport\(/g)].length;
  if (left !== 1)
    throw new Error(`the bundle has ${left - 1} imports that the launcher cannot lend itself to`);
  return lent;
}

/** What goes beside each handler, as readable text: it ends up in what users deploy and debug. */
async function bundleRuntime() {
  await build({
    ...common,
    entryPoints: [join(root, 'packages/runtime/src/index.ts')],
    outfile: join(root, 'packages/cli/dist/runtime.mjs'),
    format: 'esm',
    minify: false,
  });
}

/** `index` and the programs that a provider starts as processes of their own, beside each other as in its sources. */
async function bundleProvider(dir) {
  const source = (name) => join(dir, 'src', `${name}.ts`);
  if (!existsSync(source('index'))) return;
  const out = join(dir, 'dist/bundle');
  // The door is CommonJS, which starts without the loader of ES modules; what it starts as a process need not be.
  const door = join(out, 'index.cjs');
  await build({
    ...common,
    entryPoints: [source('index')],
    outfile: door,
    ...commonJs,
    plugins: [onlyWhatIsUsed],
  });
  /** File beside the door → source. What a daemon starts stands beside it. */
  const programs = { 'daemon/main': 'daemon/main', 'daemon/worker': 'daemon/instances/worker' };
  const found = Object.entries(programs).filter(([, name]) => existsSync(source(name)));
  await build({
    ...common,
    entryPoints: Object.fromEntries(found.map(([file, name]) => [file, source(name)])),
    outdir: out,
    format: 'esm',
    plugins: [onlyWhatIsUsed],
    banner: {
      js: 'import{createRequire as __sfxRequire}from"node:module";const require=__sfxRequire(import.meta.url);',
    },
  });
}

/** The inside of a Python instance, beside the daemon that starts it. */
async function copyHosts(dir) {
  const host = join(dir, 'src/daemon/instances/process/host.py');
  if (existsSync(host)) await cp(host, join(dir, 'dist/bundle/daemon/host.py'));
}

/** What `sfx init` writes is what the docs show and the tests deploy. */
async function copyTemplates() {
  const templates = join(root, 'packages/cli/dist/templates');
  await rm(templates, { recursive: true, force: true });
  for (const name of ['hello', 'shop']) {
    for (const part of ['serverless.yml', 'src']) {
      await cp(join(root, 'examples', name, part), join(templates, name, part), { recursive: true });
    }
  }
}

/**
 * Leaves what V8 compiled beside the bundle, so that the first command starts as fast as the next. Good for this version of
 * Node only; any other makes its own between runs, so packages go without it.
 */
async function compileAhead() {
  const code = join(root, 'packages/cli/dist/code');
  await rm(code, { recursive: true, force: true });
  await mkdir(code, { mode: 0o755 });
  const options = {
    cwd: join(root, 'examples/shop'),
    env: { ...process.env, SFX_CODE_CACHE: code },
    stdio: ['ignore', 'ignore', 'inherit'],
  };
  for (const words of [['--help'], ['validate']]) {
    execFileSync(process.execPath, [join(root, 'packages/cli/bin/sfx.cjs'), ...words], options);
  }
  for (const file of await readdir(code)) await chmod(join(code, file), 0o644);
}

async function providers() {
  const packages = join(root, 'packages');
  const names = await readdir(packages);
  return names.filter((name) => name.startsWith('provider-')).map((name) => join(packages, name));
}

await bundleCli();
await bundleRuntime();
await copyTemplates();
for (const dir of await providers()) {
  await bundleProvider(dir);
  await copyHosts(dir);
}
// Newer ones keep what they compile in a form of their own.
if (module.enableCompileCache === undefined) await compileAhead();
