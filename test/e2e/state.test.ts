import assert from 'node:assert/strict';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'mocha';
import type { Json } from '../../packages/core/src/json.js';
import type { Head } from '../../packages/core/src/state/documents.js';
import { fileStore } from '../../packages/core/src/state/file-store.js';
import { copyOf, type Ended, filesIn, type Home, openHome } from '../support.js';

describe('the state of a stage', () => {
  let home: Home;
  let dir = '';
  let state = '';

  before(async () => {
    home = await openHome('state');
    state = join(home.engine, 'state');
    dir = await copyOf('hello', join(home.dir, 'hello'));
  });
  after(async function () {
    this.timeout(60_000);
    await home.close();
  });
  beforeEach(async function () {
    this.timeout(60_000);
    await home.sfx(dir, 'remove', '--yes');
    await says('one');
    await done('deploy');
  });

  const says = (text: string): Promise<void> =>
    writeFile(join(dir, 'src/hello.js'), `export const get = () => ({ says: '${text}' });\n`);

  async function done(...words: string[]): Promise<string> {
    const { exit, out, err } = await home.sfx(dir, ...words);
    assert.equal(exit, 0, `sfx ${words.join(' ')}: ${out}${err}`);
    return out;
  }

  async function refused(words: readonly string[], exit: number, said: RegExp): Promise<Ended> {
    const ended = await home.sfx(dir, ...words);
    assert.equal(ended.exit, exit, `sfx ${words.join(' ')}: ${ended.out}${ended.err}`);
    assert.match(ended.err.replaceAll(/\s+/g, ' '), said);
    return ended;
  }

  async function heard(): Promise<string> {
    const { urls } = JSON.parse(await done('status', '--json')) as { urls: { http?: string } };
    return urls.http === undefined ? '' : ((await (await fetch(urls.http)).json()) as { says: string }).says;
  }

  async function changeHead(change: (head: Head) => Head): Promise<void> {
    const store = fileStore(state);
    const there = await store.get('hello/dev/head');
    assert.ok(there);
    const head = change(there.value as unknown as Head) as unknown as Json;
    assert.notEqual(await store.put('hello/dev/head', head, there.tag), 'conflict');
  }

  async function headNow(): Promise<Head> {
    return (await fileStore(state).get('hello/dev/head'))!.value as unknown as Head;
  }

  it('when lost, is refused before the first write, and rebuilt from what is live', async () => {
    await rm(join(state, 'hello'), { recursive: true });
    await says('two');
    await refused(['deploy'], 1, /✖ SFX4106 .*local\/live is live.*sfx adopt/);
    assert.deepEqual(await filesIn(state), {});
    await says('one');
    assert.match(await done('adopt'), /^Release 2 is what was live on dev\. No traffic moved\./m);
    assert.equal(await heard(), 'one');
    await says('two');
    await done('deploy');
    assert.equal(await heard(), 'two');
    await done('rollback');
    assert.equal(await heard(), 'one');
  }).timeout(60_000);

  it('when older than what is live, is refused before the first write, and adopted', async () => {
    await cp(state, join(home.dir, 'older'), { recursive: true });
    await says('two');
    await done('deploy');
    await rm(state, { recursive: true });
    await cp(join(home.dir, 'older'), state, { recursive: true });
    const before = await filesIn(state);
    await says('three');
    await refused(['deploy'], 1, /✖ SFX4107 .*release 2.*none after 1.*sfx adopt/);
    await refused(['rollback'], 1, /✖ SFX41(07|12) /);
    assert.deepEqual(await filesIn(state), before);
    await says('two');
    await done('adopt');
    assert.equal(await heard(), 'two');
    await says('three');
    await done('deploy');
    assert.equal(await heard(), 'three');
    assert.equal((await headNow()).live, 4);
  }).timeout(60_000);

  it('when written by a newer sfx, is left alone by every command', async () => {
    const before = await headNow();
    await changeHead((head) => ({ ...head, version: 2 }));
    const newer = await filesIn(state);
    await says('two');
    for (const words of [
      ['deploy'],
      ['status'],
      ['rollback'],
      ['promote'],
      ['resume'],
      ['adopt'],
      ['releases'],
      ['remove', '--yes'],
    ]) {
      await refused(words, 64, /✖ SFX4108 .*version 2.*knows 1.*Update sfx\./);
    }
    assert.deepEqual(await filesIn(state), newer);
    await changeHead(() => before);
    await done('deploy');
    assert.equal(await heard(), 'two');
  }).timeout(60_000);

  it('when damaged, is said with the file that is', async () => {
    const file = Object.keys(await filesIn(state))
      .filter((path) => path.startsWith('hello/dev/head'))
      .sort()
      .at(-1)!;
    await writeFile(join(state, file), 'half a docu');
    const ended = await refused(['deploy'], 1, /✖ SFX4109 /);
    assert.ok(ended.err.replaceAll(/\s+/g, '').includes(join(state, file)), ended.err);
    assert.match(ended.err, /sfx adopt|Restore/);
    await rm(join(state, 'hello'), { recursive: true });
    await done('adopt');
    assert.equal(await heard(), 'one');
  }).timeout(60_000);

  it('held by another who lives elsewhere is waited for as long as was asked, with the holder named', async () => {
    const holder = { name: 'ci run 9001 on runner-7', process: 'runner-7|boot|pid|17|4711' };
    await changeHead((head) => ({
      ...head,
      fence: head.fence + 1,
      lease: { fence: head.fence + 1, holder, command: 'deploy', ttlMs: 2_500, beat: Date.now() },
    }));
    await says('two');
    await refused(['deploy', '--wait', '0'], 75, /✖ SFX4101 held by ci run 9001 on runner-7 for `deploy`/);
    const { out } = await home.sfx(dir, 'status', '--json');
    assert.equal((JSON.parse(out) as { lease: { holder: string } }).lease.holder, holder.name);
    // Its beat does not change any more: after its time it is taken over.
    await done('deploy', '--wait', '30');
    assert.equal(await heard(), 'two');
    assert.equal((await headNow()).lease, null);
  }).timeout(60_000);

  it('is not waited for any longer when the command is interrupted', async () => {
    const holder = { name: 'ci run 9001 on runner-7', process: 'runner-7|boot|pid|17|4711' };
    const lease = { fence: 99, holder, command: 'deploy', ttlMs: 600_000, beat: Date.now() };
    const before = await headNow();
    await changeHead((head) => ({ ...head, fence: 99, lease }));
    await says('two');
    const held = await filesIn(state);
    const running = home.start(dir, ['deploy', '--wait', '60']);
    while (!running.said().includes('runner-7')) await new Promise((resolve) => setTimeout(resolve, 10));
    running.child.kill('SIGINT');
    const { exit, err } = await running.ended;
    assert.equal(exit, 4, err);
    assert.match(err, /✖ SFX4120 /);
    assert.deepEqual(await filesIn(state), held);
    await changeHead(() => before);
  }).timeout(60_000);

  it('changed by two deploys at once is that of one of them', async () => {
    const { live } = await headNow();
    for (let time = 0; time < 3; time++) {
      await says(`two-${time}`);
      const words = ['deploy', '--wait', '20'];
      const both = await Promise.all([home.sfx(dir, ...words), home.sfx(dir, ...words)]);
      const exits = both.map((ended) => ended.exit).sort();
      assert.ok(exits[0] === 0 && (exits[1] === 0 || exits[1] === 75), both.map(({ err }) => err).join('\n'));
      const late = both.find((ended) => ended.exit === 75);
      if (late !== undefined) assert.match(late.err, /✖ SFX41(01|22) /);
      const head = await headNow();
      assert.deepEqual([head.open, head.lease, head.live], [null, null, (live ?? 0) + 1 + time]);
      assert.equal(await heard(), `two-${time}`);
    }
  }).timeout(90_000);
});
