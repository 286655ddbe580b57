import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'mocha';

const bin = fileURLToPath(new URL('../bin/sfx.cjs', import.meta.url));

/** The bundle, as `npm run build` made it. */
describe('the program', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sfx-bin-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const env = (more: Record<string, string> = {}) => ({
    PATH: process.env['PATH'],
    SFX_CODE_CACHE: join(dir, 'code'),
    ...more,
  });
  const sfx = (words: readonly string[], more: Record<string, string> = {}) =>
    spawnSync(process.execPath, [bin, ...words], { cwd: dir, env: env(more), encoding: 'utf8' });

  it('says its version, which is that of its package', async () => {
    const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    assert.equal(sfx(['--version']).stdout, `${manifest.version}\n`);
  });

  it('ends with the exit code of the command, and says only what the command says', () => {
    const done = sfx(['explain', 'SFX4103']);
    assert.deepEqual([done.status, done.stderr], [0, '']);
    assert.equal(sfx(['delpoy']).status, 64);
    assert.equal(sfx(['providers']).stderr, '');
  });

  it('keeps compiled code where only its owner can write, and works from it', async () => {
    const first = sfx(['explain', 'SFX4103']);
    const kept = await readdir(join(dir, 'code'));
    assert.ok(kept.length > 0);
    assert.equal((await stat(join(dir, 'code'))).mode & 0o077, 0);
    const written = async () =>
      Promise.all(kept.map(async (name) => (await stat(join(dir, 'code', name))).ino));
    const before = await written();
    assert.equal(sfx(['explain', 'SFX4103']).stdout, first.stdout);
    assert.deepEqual(await written(), before, 'a second run uses what the first one kept');
    assert.equal(sfx(['explain', 'SFX4104']).status, 0);
    for (let times = 0; times < 2; times++)
      assert.match(sfx(['providers']).stdout, /^local - @sfx-deploy/, 'imports work from it');
  });

  it('ignores compiled code that is broken, or in a folder that others can write', async () => {
    sfx(['--help']);
    for (const name of await readdir(join(dir, 'code'), { recursive: true })) {
      const path = join(dir, 'code', name);
      if ((await stat(path)).isFile()) await writeFile(path, 'not compiled code');
    }
    assert.deepEqual([sfx(['explain', 'SFX4103']).status, sfx(['explain', 'SFX4103']).stderr], [0, '']);
    await rm(join(dir, 'code'), { recursive: true });
    sfx(['--help']);
    const before = await readdir(join(dir, 'code'));
    await chmod(join(dir, 'code'), 0o777);
    assert.equal(sfx(['explain', 'SFX4103'], { TERM: 'dumb' }).status, 0);
    assert.deepEqual(await readdir(join(dir, 'code')), before);
    assert.equal(sfx(['--help'], { SFX_CODE_CACHE: '/dev/null/no' }).status, 0);
    assert.match(sfx(['providers'], { SFX_CODE_CACHE: 'off' }).stdout, /^local - @sfx-deploy/);
    assert.match(sfx(['providers', '--debug']).stdout, /^local - @sfx-deploy/);
  });

  it('goes on quietly when nobody reads what it says', async () => {
    for (const words of [['explain'], ['--help'], ['explain', '--json']]) {
      const child = spawn(process.execPath, [bin, ...words], {
        cwd: dir,
        env: env(),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.stdout.destroy();
      let said = '';
      child.stderr.on('data', (data: Buffer) => (said += data.toString()));
      const exit = await new Promise((resolve) => child.on('close', resolve));
      assert.deepEqual([exit, said], [0, ''], words.join(' '));
    }
  });
});
