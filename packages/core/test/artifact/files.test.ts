import assert from 'node:assert/strict';
import { chmod, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Unit } from '../../src/provider/contract.js';
import { buildOne, bytesOf, filesIn, realRun, refused, settle, temporary, write } from './samples.js';

function python(handler: string, include: readonly string[] = []): Unit {
  return files('python', { function: 'stats', handler }, include);
}

function program(command: readonly string[], include: readonly string[] = []): Unit {
  return files('program', { function: 'web', command: [...command] }, include);
}

function files(
  language: string,
  entry: { readonly function: string; readonly handler?: string; readonly command?: string[] },
  include: readonly string[],
): Unit {
  const build = { kind: 'files', host: 'local', language, include, entries: [{ ...entry }] };
  return { id: entry.function, functions: [entry.function], build, config: {}, dependsOn: [] };
}

const names = async (dir: string, unit: Unit) => Object.keys(await filesIn(await buildOne(dir, unit))).sort();

describe('an artifact of files as they are', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await temporary();
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('in Python holds every module of the project, what patterns name, and what to run', async () => {
    await write(dir, {
      'src/stats.py': 'def handler(event, context): return 1',
      'src/env/deep.py': '',
      'util.py': '',
      'data/table.csv': 'a,b',
      'tests/test_stats.py': '',
      'notes.txt': '',
      'node_modules/x/a.py': '',
      '.tox/a.py': '',
      'src/__pycache__/a.py': '',
      'mine/pyvenv.cfg': '',
      'mine/lib/b.py': '',
      '.sfx/c.py': '',
    });
    const unit = python('src/stats.handler', ['!tests/**', 'data/**']);
    const made = await filesIn(await buildOne(dir, unit));
    assert.deepEqual(Object.keys(made).sort(), [
      'data/table.csv',
      'src/env/deep.py',
      'src/stats.py',
      'stats.json',
      'util.py',
    ]);
    assert.deepEqual(JSON.parse(made['stats.json']!), { handler: 'src/stats.handler' });
  });

  it('of a program holds what its patterns name, and nothing else', async () => {
    await write(dir, { 'server.js': '1', 'lib/a.js': '2', 'lib/b.txt': '3', 'other.js': '4' });
    assert.deepEqual(await names(dir, program(['node', 'server.js'], ['server.js', 'lib/**', '!**/*.txt'])), [
      'lib/a.js',
      'server.js',
      'web.json',
    ]);
  });

  it('of patterns that match a file heeds the last', async () => {
    await write(dir, { 'a.py': '', 'lib/b.py': '', 'lib/c.py': '', 'lib/d.txt': '', 'server.js': '' });
    const patterns = ['!**', 'a.*', 'lib/**', '!./lib/c.py'];
    assert.deepEqual(await names(dir, python('a.handler', patterns)), [
      'a.py',
      'lib/b.py',
      'lib/d.txt',
      'stats.json',
    ]);
    assert.deepEqual(await names(dir, program(['node', 'server.js'], ['!**', 'server.js', 'l*/*.txt'])), [
      'lib/d.txt',
      'server.js',
      'web.json',
    ]);
  });

  it('in Python is refused when the patterns leave out the file of the handler', async () => {
    await write(dir, { 'src/a.py': '', 'b.py': '' });
    await assert.rejects(names(dir, python('src/a.handler', ['!src/**'])), {
      code: 'SFX2301',
      message: /src\/a\.py is left out by the patterns/,
    });
  });

  it('of a program without patterns holds the project, but no secrets, packages or configuration', async () => {
    await write(dir, {
      'server.js': '1',
      'public/index.html': '2',
      'serverless.yml': 'service: x',
      '.env': 'KEY=1',
      '.npmrc': 'x',
      'keys/server.pem': 'x',
      'config/secrets.json': '{}',
      'node_modules/x/index.js': '',
      '.git/config': '',
    });
    const run = realRun();
    const made = await filesIn(await buildOne(dir, program(['node', 'server.js']), {}, run));
    assert.deepEqual(Object.keys(made).sort(), ['public/index.html', 'server.js', 'web.json']);
    assert.deepEqual(JSON.parse(made['web.json']!), { command: ['node', 'server.js'] });
    const told = run.events.flatMap((event) => (event.code === 'warning' ? [event.message] : []));
    assert.deepEqual(told, [
      'config/secrets.json is left out: files like it hold secrets',
      'keys/server.pem is left out: files like it hold secrets',
    ]);
  });

  it('is the same bytes from the same files, and keeps what may be executed', async () => {
    await write(dir, { 'run.sh': '#!/bin/sh\n', 'a.txt': 'a' });
    await chmod(join(dir, 'run.sh'), 0o755);
    const first = await buildOne(dir, program(['./run.sh']));
    const again = await buildOne(dir, program(['./run.sh']), { cacheDir: join(dir, '.sfx', 'other') });
    assert.equal(again.digest, first.digest);
    const bytes = Buffer.from(await bytesOf(first));
    const modes = new Map<string, number>();
    for (let at = bytes.indexOf('PK\u0001\u0002'); at >= 0; at = bytes.indexOf('PK\u0001\u0002', at + 1)) {
      const name = bytes.toString('utf8', at + 46, at + 46 + bytes.readUInt16LE(at + 28));
      modes.set(name, (bytes.readUInt32LE(at + 38) >>> 16) & 0o777);
    }
    assert.equal(modes.get('run.sh'), 0o755);
    assert.equal(modes.get('a.txt'), 0o644);
    assert.equal(Object.keys(unzipSync(bytes)).length, 3);
  });

  it('is remembered until a file changes, comes or goes', async () => {
    await write(dir, { 'a.py': 'def h(e, c): return 1' });
    await settle(dir);
    const unit = python('a.h');
    const first = await buildOne(dir, unit);
    assert.equal((await buildOne(dir, unit)).digest, first.digest);
    await write(dir, { 'b.py': '' });
    const more = await buildOne(dir, unit);
    assert.notEqual(more.digest, first.digest);
    await write(dir, { 'b.py': 'x = 1' });
    assert.notEqual((await buildOne(dir, unit)).digest, more.digest);
    await rm(join(dir, 'b.py'));
    assert.equal((await buildOne(dir, unit)).digest, first.digest);
  });

  it('takes links inside of the project, and refuses those that leave it', async () => {
    await write(dir, { 'real.py': 'x = 1', 'sub/other.py': '' });
    await symlink(join(dir, 'real.py'), join(dir, 'linked.py'));
    await symlink(dir, join(dir, 'sub', 'circle'));
    await symlink(join(dir, 'nowhere'), join(dir, 'sub', 'broken.py'));
    await symlink('itself.py', join(dir, 'itself.py'));
    assert.deepEqual(await names(dir, python('real.x')), [
      'linked.py',
      'real.py',
      'stats.json',
      'sub/other.py',
    ]);
    const outside = await temporary();
    try {
      await write(outside, { 'theirs.py': '' });
      await symlink(join(outside, 'theirs.py'), join(dir, 'mine.py'));
      const error = await refused(buildOne(dir, python('real.x')));
      assert.equal(error.code, 'SFX2306');
      assert.match(error.message, /mine.py lies outside of the project/);
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it('is refused without its handler, without files, and where a file has the name of what to run', async () => {
    await write(dir, { 'src/stats.py': '', 'web.json': '{}', 'a.txt': '' });
    const missing = await refused(buildOne(dir, python('src/stat.handler')));
    assert.equal(missing.code, 'SFX2301');
    assert.match(missing.message, /no src\/stat.py; did you mean src\/stats\?/);
    assert.equal((await refused(buildOne(dir, program(['x'], ['*.rb'])))).code, 'SFX2313');
    const clash = await refused(buildOne(dir, program(['x'])));
    assert.equal(clash.code, 'SFX2307');
    assert.match(clash.message, /web.json is both a file of the project and the entry of function web/);
  });

  it('is refused with more bytes than an artifact takes', async () => {
    await write(dir, { 'video.mp4': '' });
    await truncate(join(dir, 'video.mp4'), 251_000_000);
    const error = await refused(buildOne(dir, program(['x'])));
    assert.equal(error.code, 'SFX2314');
    assert.match(error.message, /web would hold 251 MB; an artifact takes 250 MB/);
  });

  it('is refused from a recipe that is none', async () => {
    const unit = {
      ...program(['x']),
      build: { kind: 'files', host: 'local', language: 'ruby', include: [], entries: [] },
    };
    assert.equal((await refused(buildOne(dir, unit))).code, 'SFX2310');
  });
});
