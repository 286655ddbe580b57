#!/usr/bin/env node
'use strict';
// Starts the bundle in `dist`. Most of a cold start is V8 compiling it, so what V8 compiled is kept: by the build, beside
// the bundle, and between runs, in a folder that only its owner can write. Whatever goes wrong with that, the bundle is
// compiled anew and nothing is said.

const { join } = require('node:path');

const words = process.argv.slice(2);
/** Names of the commands whose code is in the cache stand before it, in this many bytes. */
const HEAD = 512;

if (words.length === 1 && (words[0] === '--version' || words[0] === '-v')) {
  process.stdout.on('error', () => {});
  process.stdout.write(`${require('../package.json').version}\n`);
} else {
  run(join(__dirname, '..', 'dist', 'sfx.cjs'));
}

function run(bundle) {
  const fs = require('node:fs');
  if (!fs.existsSync(bundle)) {
    process.stderr.write('sfx is not built here. In a clone, run: npm run build\n');
    process.exitCode = 70;
    return;
  }
  const dir = words.includes('--debug') ? undefined : cacheFolder(fs);
  const { createRequire, enableCompileCache } = require('node:module');
  const load = createRequire(bundle);
  if (!enableCompileCache) optimizeLater();
  if (dir === undefined || enableCompileCache) {
    // Readable stacks for `--debug`.
    if (words.includes('--debug')) process.setSourceMapsEnabled(true);
    if (dir !== undefined) enableCompileCache(dir);
    start(load(bundle));
    return;
  }
  start(loadCached(fs, dir, bundle));
}

function start(bundle) {
  bundle.start(words);
}

/** `SFX_CODE_CACHE` names it, or turns it off; default: below XDG_CACHE_HOME, else the folder for temporary files. */
function cacheFolder(fs) {
  const { SFX_CODE_CACHE: asked, XDG_CACHE_HOME: xdg } = process.env;
  if (asked === 'off' || typeof process.getuid !== 'function') return undefined;
  const uid = process.getuid();
  const dir = asked || (xdg ? join(xdg, 'sfx') : join(require('node:os').tmpdir(), `sfx-code-${uid}`));
  try {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    const found = fs.lstatSync(dir);
    // Somebody else who could write there could make this user run their code.
    return found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0 ? dir : undefined;
  } catch {
    return undefined;
  }
}

function loadCached(fs, dir, bundle) {
  const { Script } = require('node:vm');
  const load = require('node:module').createRequire(bundle);
  // What is bundled apart is bundled in the same way.
  const parts = new Map();
  const part = (id) => parts.get(id) ?? parts.set(id, loadCached(fs, dir, join(bundle, '..', id))).get(id);
  const source = fs.readFileSync(bundle, 'utf8');
  // The bundle ends with its own digest: V8 itself compares no more than its length.
  const digest = source.slice(-64);
  const name = `${digest.slice(0, 32)}-${process.versions.v8}-${process.arch}`;
  const file = join(dir, name);
  const cached = read(fs, file) ?? read(fs, join(bundle, '..', 'code', name));
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: bundle,
    cachedData: cached?.data,
  });
  const known = cached === undefined || script.cachedDataRejected ? [] : cached.names;
  const command = words.find((word) => /^[a-z]+$/.test(word)) ?? 'help';
  const key = words.includes('--help') || words.includes('-h') ? 'help' : command;
  if (!known.includes(key)) process.once('exit', () => write(fs, file, script, [...known, key]));
  // A script that comes from the cache has lost its way to import: it is lent this file's.
  const module = { exports: {}, sfxImport: (specifier) => import(specifier) };
  const find = (id) => (id.startsWith('./') ? part(id) : load(id));
  script.runInThisContext()(module.exports, find, module, bundle, join(bundle, '..'));
  return module.exports;
}

/**
 * In Node 20, a command that reads 500 functions is over before what V8 optimizes for it pays off, and waits for it all the
 * same. Ten times the default: what computes for long is still optimized. Set in every run: V8 checks it with the cache.
 */
function optimizeLater() {
  require('node:v8').setFlagsFromString('--interrupt-budget=1320000');
}

function read(fs, file) {
  try {
    const bytes = fs.readFileSync(file);
    return { names: bytes.toString('latin1', 0, HEAD).trimEnd().split(' '), data: bytes.subarray(HEAD) };
  } catch {
    return undefined;
  }
}

/** Written whole under another name first: a reader never sees half of it. */
function write(fs, file, script, names) {
  const head = names.join(' ').padEnd(HEAD);
  if (head.length > HEAD) return;
  const temporary = `${file}.${process.pid}`;
  try {
    fs.writeFileSync(temporary, Buffer.concat([Buffer.from(head, 'latin1'), script.createCachedData()]), {
      mode: 0o600,
    });
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}
