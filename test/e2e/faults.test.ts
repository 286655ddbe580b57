import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { copyOf, type Ended, type Home, openHome } from '../support.js';

const where = ['--service', 'hello', '--provider', 'local', '--stage', 'dev'];

interface Status {
  readonly state: string;
  readonly lease: unknown;
  readonly release: { readonly number: number } | null;
  readonly urls: { readonly http: string };
}

describe('faults while a service is deployed', () => {
  let home: Home;
  let dir = '';

  beforeEach(async function () {
    this.timeout(60_000);
    home = await openHome('faults');
    dir = await copyOf('hello', join(home.dir, 'hello'));
    await done('deploy');
  });
  afterEach(async function () {
    this.timeout(60_000);
    await home.close();
  });

  async function done(...words: string[]): Promise<string> {
    const { exit, out, err } = await home.sfx(dir, ...words);
    assert.equal(exit, 0, `sfx ${words.join(' ')}: ${out}${err}`);
    return out;
  }

  const status = async (): Promise<Status> => JSON.parse(await done('status', '--json')) as Status;

  async function heard(): Promise<string> {
    return (await fetch((await status()).urls.http)).text();
  }

  const says = (text: string, before = ''): Promise<void> =>
    writeFile(join(dir, 'src/hello.js'), `${before}export const get = () => ({ message: '${text}' });\n`);

  it('an engine that died is there again with the next command, with all that it kept', async () => {
    await says('two');
    await done('deploy', '--canary', '50');
    const { urls } = await status();
    const pid = await home.killEngine();
    await assert.rejects(fetch(urls.http));
    const now = await status();
    assert.deepEqual([now.state, now.release?.number, now.urls], ['canary', 1, urls]);
    assert.equal((await fetch(urls.http)).status, 200);
    assert.notEqual(JSON.parse(await readFile(join(home.engine, 'engine.json'), 'utf8')).pid, pid);
    await home.killEngine();
    await done('promote');
    await home.killEngine();
    await says('three');
    await done('deploy');
    assert.match(await heard(), /three/);
  }).timeout(60_000);

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal} in the middle ends within five seconds, says where it stands, and gives the lease back`, async () => {
      // It takes its time to come up.
      await says('two', 'await new Promise((resolve) => setTimeout(resolve, 2000));\n');
      const running = home.start(dir, ['deploy']);
      while (!/stage /.test(running.said())) await new Promise((resolve) => setTimeout(resolve, 10));
      const began = Date.now();
      running.child.kill(signal);
      const { exit, err } = await running.ended;
      assert.equal(exit, 4, err);
      assert.ok(Date.now() - began < 5_000, `${Date.now() - began} ms`);
      assert.match(err, /✖ SFX4120 /);
      assert.match(
        err,
        /^ {2}Release 2 was interrupted; nothing new starts on dev before that is settled\.$/m,
      );
      assert.match(err, /^ {2}callers now +local\/live: [0-9a-f]{7}$/m);
      assert.match(err, /sfx resume --stage dev/);
      assert.match(err, /sfx rollback --stage dev/);
      const now = await status();
      assert.deepEqual([now.state, now.lease], ['interrupted', null]);
      const next = await home.sfx(dir, 'deploy');
      assert.equal(next.exit, 4);
      assert.match(next.err, /✖ SFX4103 release 2 was cut off/);
      const settled = await home.sfx(home.empty, signal === 'SIGINT' ? 'rollback' : 'resume', ...where);
      assert.ok([0, 1, 3].includes(settled.exit ?? -1), settled.err);
      assert.equal((await status()).state, 'settled');
      await done('deploy', '--force');
      assert.match(await heard(), /two/);
    }).timeout(60_000);
  }

  it('a second signal ends at once', async () => {
    await says('two', 'await new Promise((resolve) => setTimeout(resolve, 4000));\n');
    const running = home.start(dir, ['deploy']);
    while (!/stage /.test(running.said())) await new Promise((resolve) => setTimeout(resolve, 10));
    running.child.kill('SIGINT');
    while (!/interrupted/.test(running.said())) await new Promise((resolve) => setTimeout(resolve, 10));
    running.child.kill('SIGINT');
    const { exit, err } = await running.ended;
    assert.equal(exit, 4, err);
    assert.doesNotMatch(err, /SFX4120/);
    const settled = await home.sfx(home.empty, 'rollback', ...where);
    assert.equal(settled.exit, 0, settled.err);
    assert.equal((await status()).state, 'settled');
    assert.match(await heard(), /Hello/);
  }).timeout(60_000);
});

/** Whether this user may mount; else a limit on the size of files stands for the full disk. */
function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt'], {
      stdio: 'pipe',
    });
    return true;
  } catch {
    return false;
  }
}

describe('a full disk', () => {
  let home: Home;
  let dir = '';
  const mounted: string[] = [];
  const disk = mayMount();

  before(async function () {
    this.timeout(60_000);
    home = await openHome('disk');
    dir = await copyOf('hello', join(home.dir, 'hello'));
  });
  afterEach(() => {
    for (const path of mounted.splice(0)) execFileSync('umount', ['--lazy', path]);
  });
  after(async function () {
    this.timeout(60_000);
    await home.close();
  });

  async function smallDisk(path: string, size: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path]);
    mounted.push(path);
  }

  /** Writes until nothing more goes in; answers how it is freed again. */
  async function fill(path: string): Promise<() => Promise<void>> {
    const ballast = join(path, 'ballast');
    for (const size of [256 * 1024, 16 * 1024, 4096, 1]) {
      const write = (): Promise<boolean> =>
        writeFile(ballast, Buffer.alloc(size), { flag: 'a' }).then(
          () => true,
          () => false,
        );
      while (await write());
    }
    return () => rm(ballast);
  }

  /** A command whose files may not grow: what the system answers where nothing can be mounted. */
  const limited = (...words: string[]): Promise<Ended> =>
    home.start(dir, words, { shell: "trap '' XFSZ; ulimit -f 0; exec" }).ended;

  const change = (text: string): Promise<void> =>
    writeFile(join(dir, 'src/hello.js'), `export const get = () => ({ message: '${text}' });\n`);

  it(`of the project stops a build, which says so (${disk ? 'a small disk' : 'a limit'})`, async () => {
    let free: (() => Promise<void>) | undefined;
    if (disk) {
      await smallDisk(join(dir, '.sfx'), '64k');
      free = await fill(join(dir, '.sfx'));
    }
    const ended = disk ? await home.sfx(dir, 'package') : await limited('package');
    assert.equal(ended.exit, 1, ended.err);
    assert.match(ended.err, /✖ SFX2305 /);
    assert.ok(ended.err.includes('.sfx'), ended.err);
    await free?.();
    assert.equal((await home.sfx(dir, 'package')).exit, 0);
  }).timeout(60_000);

  it(`of the state stops a deploy before it moves anything (${disk ? 'a small disk' : 'a limit'})`, async () => {
    assert.equal((await home.sfx(dir, 'deploy')).exit, 0);
    const state = join(home.engine, 'state');
    let free: (() => Promise<void>) | undefined;
    if (disk) {
      await smallDisk(state, '64k');
      // What was there is under the mount: a stage of its own begins here.
      free = await fill(state);
    }
    await change('full');
    const words = ['deploy', '--stage', 'full'];
    await home.sfx(dir, 'package');
    const ended = disk ? await home.sfx(dir, ...words) : await limited(...words);
    assert.equal(ended.exit, 1, ended.err);
    assert.match(ended.err, disk ? /✖ SFX4118 .*the disk is full/s : /✖ SFX4118 /);
    assert.ok(ended.err.replaceAll(/\s+/g, ' ').includes('No traffic moved.'), ended.err);
    await free?.();
    const again = await home.sfx(dir, ...words);
    assert.equal(again.exit, 0, again.err);
    if (!disk) assert.equal((await home.sfx(dir, 'remove', '--stage', 'full', '--yes')).exit, 0);
  }).timeout(60_000);

  it(`of the engine leaves what is live as it is (${disk ? 'a small disk' : 'a limit'})`, async () => {
    const other = await openHome('disk-engine');
    const limit = { shell: "trap '' XFSZ; ulimit -f 512; exec" };
    try {
      if (disk) await smallDisk(other.engine, '3m');
      await change('small');
      const first = disk ? await other.sfx(dir, 'deploy') : await other.start(dir, ['deploy'], limit).ended;
      assert.equal(first.exit, 0, first.err);
      await writeFile(
        join(dir, 'src/data.js'),
        `export default '${randomBytes(3_000_000).toString('base64')}';\n`,
      );
      await writeFile(
        join(dir, 'src/hello.js'),
        "import data from './data.js';\nexport const get = () => ({ message: data });\n",
      );
      const ended = await other.sfx(dir, 'deploy');
      assert.equal(ended.exit, 1, ended.err);
      if (disk) assert.match(ended.err, /✖ SFX6004 .*the disk is full/s);
      else assert.match(ended.err, /✖ SFX\d{4} /);
      assert.match(ended.err.replaceAll(/\s+/g, ' '), /Release 1 takes 100 % of dev/);
      const { out } = await other.sfx(dir, 'status', '--json');
      const { urls, state, lease } = JSON.parse(out) as Status;
      assert.deepEqual([state, lease], ['settled', null]);
      assert.match(await (await fetch(urls.http)).text(), /small/);
      await change('small again');
      const after = await other.sfx(dir, 'deploy');
      assert.equal(after.exit, 0, after.err);
    } finally {
      await other.sfx(other.empty, 'local', 'stop');
      for (const path of mounted.splice(0)) execFileSync('umount', ['--lazy', path]);
      await other.close();
    }
  }).timeout(60_000);
});
