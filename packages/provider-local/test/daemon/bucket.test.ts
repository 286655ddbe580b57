import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Call } from '../../src/daemon/calls/caller.js';
import { bucketFeeds } from '../../src/daemon/feeds/bucket-feed.js';
import { bucketFolder } from '../../src/daemon/feeds/bucket-folder.js';
import { scanFolder } from '../../src/daemon/feeds/bucket-scan.js';
import type { Feed } from '../../src/daemon/feeds/feeds.js';
import { DONE, eventOf, type FeedBench, feedBench, THREW, triggerOf, until } from './feed-bench.js';

const NOBODY = 65_534;
const ALL = ['created', 'changed', 'removed'];

describe('a bucket', function () {
  this.timeout(20_000);
  let bench: FeedBench;
  let feed: Feed | undefined;
  let root: string;
  beforeEach(async () => {
    bench = await feedBench(Date.parse('2026-05-01T12:00:00Z'));
    root = join(bench.dir, 'buckets', 'uploads');
  });
  afterEach(async () => {
    await feed?.close(0);
    feed = undefined;
    await bench.close();
  });

  const open = async (props: Record<string, unknown> = {}, timings = {}) => {
    feed = await bucketFeeds({ lookMs: 30, quietMs: 30, retryMs: 5, ...timings })(
      triggerOf('bucket', { bucket: 'uploads', events: ALL, enabled: true, ...props } as never),
      bench.host(),
    );
    bench.fresh = false;
  };
  /** The daemon is not there in between. */
  const down = async () => {
    await feed!.close(0);
    await bench.closeQueue();
  };
  const put = (key: string, text = key) => writeFile(join(root, key), text);
  const told = () => bench.events().map(({ change, key }) => `${change} ${key}`);
  /** Long enough for several looks: what would be told has been told. */
  const settled = () => sleep(250);

  it('tells of a file that comes, changes and goes', async () => {
    await open();
    await put('a.txt', 'one');
    await until(() => told().length === 1);
    await put('a.txt', 'other');
    await until(() => told().length === 2);
    await rm(join(root, 'a.txt'));
    await until(() => told().length === 3);
    assert.deepEqual(told(), ['created a.txt', 'changed a.txt', 'removed a.txt']);
    const [created, changed, removed] = bench.events();
    const etag = (text: string) => createHash('md5').update(text).digest('hex');
    assert.deepEqual(created, {
      kind: 'bucket',
      id: bench.calls[0]!.input.requestId,
      bucket: 'uploads',
      change: 'created',
      key: 'a.txt',
      size: 3,
      etag: etag('one'),
      at: '2026-05-01T12:00:00.000Z',
      file: join(root, 'a.txt'),
    });
    assert.equal(changed!['etag'], etag('other'));
    assert.deepEqual([removed!['size'], removed!['etag']], [undefined, undefined]);
  });

  it('says nothing of what was there when it was first enabled', async () => {
    await mkdir(root, { recursive: true });
    await put('old');
    await open();
    await put('new');
    await until(() => told().length === 1);
    await settled();
    assert.deepEqual(told(), ['created new']);
    await put('old', 'changed now');
    await until(() => told().length === 2);
    assert.deepEqual(told()[1], 'changed old');
  });

  it('tells what happened while the daemon was down, and nothing of when it was not enabled', async () => {
    await open();
    for (const key of ['goes', 'stays', 'changes']) await put(key);
    await until(() => told().length === 3);
    bench.calls.length = 0;
    await down();
    await rm(join(root, 'goes'));
    await put('changes', 'so');
    await put('comes');
    await open();
    await until(() => told().length === 3);
    assert.deepEqual(told().sort(), ['changed changes', 'created comes', 'removed goes']);
    await down();
    await put('unseen');
    bench.fresh = true;
    await open();
    await settled();
    assert.equal(told().length, 3);
  });

  it('waits until a file is written, takes one that is moved into place, leaves out temporary ones', async () => {
    await open({}, { quietMs: 150 });
    for (let n = 0; n < 12; n += 1) {
      await appendFile(join(root, 'grows'), 'x'.repeat(1_000));
      await sleep(25);
    }
    for (const name of ['.hidden', 'half.part', 'half.tmp']) await put(name);
    await mkdir(join(root, '.git'));
    await put('.git/config');
    await put('moved.tmp', 'whole');
    await rename(join(root, 'moved.tmp'), join(root, 'moved'));
    await until(() => told().length === 2);
    await settled();
    assert.deepEqual(told().sort(), ['created grows', 'created moved']);
    assert.equal(bench.events().find(({ key }) => key === 'grows')!['size'], 12_000);
  });

  it('tells of one file while another one is written all the time', async function () {
    this.timeout(10_000);
    await open();
    let over = false;
    const writing = (async () => {
      while (!over) {
        await appendFile(join(root, 'log'), 'line\n');
      }
    })();
    try {
      await sleep(50);
      await put('a');
      await until(() => told().length === 1);
      assert.deepEqual(told(), ['created a']);
    } finally {
      over = true;
      await writing;
    }
  });

  it('says nothing of a file that is touched, or written with the same content', async () => {
    await open();
    await put('a', 'same');
    await until(() => told().length === 1);
    await utimes(join(root, 'a'), 1, 1);
    await settled();
    await put('a', 'same');
    await settled();
    assert.deepEqual(told(), ['created a']);
  });

  it('tells the same change again when it happens again', async () => {
    await open({ events: ['created'] });
    await put('a');
    await until(() => told().length === 1);
    await rename(join(root, 'a'), join(root, 'b'));
    await until(() => told().length === 2);
    await rename(join(root, 'b'), join(root, 'a'));
    await until(() => told().length === 3);
    assert.deepEqual(told(), ['created a', 'created b', 'created a']);
  });

  it('has keys of any letters in any folder, and takes the ones that its rules name', async () => {
    await mkdir(join(root, 'in', 'Größe'), { recursive: true });
    await open({ prefix: 'in/', suffix: '.csv' });
    const keys = ['in/Größe/日本 🚀.csv', "in/it's\n100%.csv"];
    for (const key of [...keys, 'out.csv', 'in/a.txt', 'in/Größe/a.csv.gz']) await put(key, 'x');
    await until(() => told().length === 2);
    await settled();
    assert.deepEqual(
      bench
        .events()
        .map(({ key }) => key)
        .sort(),
      keys.sort(),
    );
  });

  it('does not follow links out of its folder', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'sfx-outside-'));
    try {
      await writeFile(join(outside, 'secret'), 'no');
      await open();
      await symlink(outside, join(root, 'link'));
      await symlink(join(outside, 'secret'), join(root, 'file'));
      await put('real');
      await until(() => told().length === 1);
      await settled();
      assert.deepEqual(told(), ['created real']);
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it('with a folder of its own is made again when it is deleted; its files are gone then', async () => {
    await open();
    await put('a');
    await until(() => told().length === 1);
    await rm(root, { recursive: true });
    await until(() => told().length === 2);
    await until(async () => (await readdir(join(root, '..'))).length === 1);
    await put('b');
    await until(() => told().length === 3);
    assert.deepEqual(told(), ['created a', 'removed a', 'created b']);
  });

  it('with a folder of somebody else waits for it, and takes nothing for gone', async () => {
    const path = join(bench.dir, 'disk');
    await mkdir(path);
    await open({ path });
    await writeFile(join(path, 'a'), 'a');
    await until(() => told().length === 1);
    await rename(path, `${path}-away`);
    await until(() => bench.lines.length === 1);
    await settled();
    await writeFile(join(`${path}-away`, 'b'), 'b');
    await rename(`${path}-away`, path);
    await until(() => told().length === 2);
    assert.deepEqual(told(), ['created a', 'created b']);
    assert.match(bench.lines[0]!, /disk is gone; nothing is noticed until it is back/);
    assert.match(bench.lines[1]!, /disk is there again/);
  });

  /** Root may read everything: what is about rights is tried as a user who has none but his own. */
  const asSomebody = async (act: () => Promise<void>) => {
    if (process.geteuid?.() !== 0) return act();
    await chown(bench.dir, NOBODY, NOBODY);
    for (const entry of await readdir(bench.dir, { recursive: true }))
      await chown(join(bench.dir, entry), NOBODY, NOBODY);
    process.seteuid!(NOBODY);
    try {
      await act();
    } finally {
      process.seteuid!(0);
    }
  };

  it('leaves out what it may not read, says so once, and takes it when it may', async () => {
    await asSomebody(async () => {
      await open();
      await put('closed');
      await chmod(join(root, 'closed'), 0);
      await until(() => bench.lines.length === 1);
      await settled();
      assert.equal(bench.lines.length, 1);
      await chmod(join(root, 'closed'), 0o600);
      await until(() => told().length === 1);
      await feed!.close(0);
    });
  });

  it('leaves out a name that is no text, and says so once', async function () {
    if (process.platform !== 'linux') this.skip();
    await open();
    const [path, name] = [Buffer.from(`${root}/`), Buffer.from([0x61, 0xff, 0x62])];
    await writeFile(Buffer.concat([path, name]), 'x');
    await put('real');
    await until(() => told().length === 1 && bench.lines.length === 1);
    await settled();
    assert.match(bench.lines.join(), /cannot be read, and is left out: its name is not UTF-8$/);
    assert.deepEqual(told(), ['created real']);
  });

  it('keeps the order of one file, and calls for several files at once', async () => {
    const running = new Set<string>();
    const twice: string[] = [];
    let most = 0;
    bench.answer = async (call: Call) => {
      const key = String(eventOf(call)['key']);
      if (running.has(key)) twice.push(key);
      running.add(key);
      most = Math.max(most, running.size);
      await sleep(200);
      running.delete(key);
      return DONE;
    };
    await open();
    for (const text of ['1', '22', '333']) {
      for (const key of ['a', 'b', 'c']) await put(key, text);
      await sleep(100);
    }
    await until(
      () => bench.queue()!.counts().inFlight + bench.queue()!.counts().visible === 0 && told().length >= 9,
    );
    assert.deepEqual(twice, []);
    assert.ok(most > 1);
    const sizes = bench.events().flatMap(({ key, size }) => (key === 'a' ? [size] : []));
    assert.deepEqual(sizes, [1, 2, 3]);
  });

  it('tries three times, and owes what was under way when the daemon ended', async () => {
    bench.answer = async () => THREW;
    await open();
    await put('bad');
    await until(() => bench.lines.length === 1);
    assert.deepEqual(
      bench.calls.map((call) => call.attempt),
      [1, 2, 3],
    );
    bench.answer = () => new Promise(() => undefined);
    await put('slow');
    await until(() => bench.calls.length === 4);
    bench.answer = async () => DONE;
    await down();
    await open();
    await until(() => bench.calls.length === 5);
    assert.equal(bench.calls[3]!.input.requestId, bench.calls[4]!.input.requestId);
  });

  it('rests with a key that its own function writes again and again', async () => {
    bench.answer = async (call) => {
      await appendFile(String(eventOf(call)['file']), 'more');
      return DONE;
    };
    await open({}, { quietMs: 5, lookMs: 10 });
    await put('loop');
    await until(() => bench.lines.length === 1);
    assert.match(bench.lines[0]!, /"loop" changes again and again, so it rests for a minute/);
    await settled();
    const { length } = bench.calls;
    assert.ok(length >= 17 && length <= 18, String(length));
    bench.answer = async () => DONE;
    await put('other');
    await until(() => bench.calls.length > length);
    assert.equal(told().at(-1), 'created other');
  });

  it('tells of 10,000 files, each once, and looks at them again cheaply', async function () {
    this.timeout(90_000);
    await open();
    for (const folder of ['a', 'b']) await mkdir(join(root, folder));
    for (let n = 0; n < 100; n += 1) {
      const some = Array.from({ length: 100 }, (_, m) =>
        put(`${n % 2 === 0 ? 'a' : 'b'}/${n}-${m}`, `${n}.${m}`),
      );
      await Promise.all(some);
    }
    await until(() => bench.calls.length >= 10_000);
    await until(() => bench.queue()!.counts().inFlight === 0);
    assert.equal(new Set(told()).size, 10_000);
    assert.equal(told().length, 10_000);
    const scan = await scanFolder(root);
    assert.ok(scan !== 'gone' && scan.files.size === 10_000);
  });

  it('takes nothing for noticed that could not be kept, and says so once', async () => {
    await open();
    bench.full = true;
    await put('a');
    await until(() => bench.lines.length === 1);
    await settled();
    await down();
    await open();
    await until(() => bench.lines.length === 2);
    bench.full = false;
    await until(() => told().length === 1);
    await settled();
    assert.deepEqual(told(), ['created a']);
    assert.deepEqual(new Set(bench.lines), new Set(['bucket uploads: the disk is full']));
  }).timeout(10_000);

  it('that is no folder is refused', async () => {
    await assert.rejects(open({ bucket: '../up' }), { code: 'SFX6007' });
    await assert.rejects(open({ bucket: 'a/b' }), { code: 'SFX6007' });
    await assert.rejects(open({ path: 'data' }), { code: 'SFX6010' });
    assert.equal(bucketFolder('/stage', { bucket: 'my.uploads' }), '/stage/buckets/my.uploads');
  });

  it('that the file does not enable owes nothing for that time', async () => {
    await open();
    await down();
    await open({ enabled: false });
    await put('then');
    await settled();
    await down();
    await open();
    await put('now');
    await until(() => told().length === 1);
    await settled();
    assert.deepEqual(told(), ['created now']);
  });
});
