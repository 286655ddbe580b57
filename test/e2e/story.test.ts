import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { after, before, describe, it } from 'mocha';
import { copyOf, edit, filesIn, type Home, openHome, root } from '../support.js';

interface Status {
  readonly service: string;
  readonly stage: string;
  readonly provider: string;
  readonly state: string;
  readonly release: { readonly number: number; readonly digest: string; readonly status: string };
  readonly candidate?: { readonly release: number; readonly percent: number };
  readonly units: readonly { readonly name: string; readonly stable: string; readonly candidate?: string }[];
  readonly urls: { readonly http: string };
}

const dev = ['--stage', 'dev'];
const anywhere = ['--service', 'shop', '--provider', 'local', ...dev];

describe('a service from its first deploy to its rollback, from three folders', () => {
  let home: Home;
  let clone = '';
  let second = '';
  let config: string[] = [];

  const git = (dir: string, ...words: string[]): void => {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid'];
    execFileSync('git', [...who, '-C', dir, ...words], { env: home.env, stdio: 'pipe' });
  };

  /** As `sfx status --json` prints it, which is checked against the schema every time. */
  async function status(cwd: string, words: readonly string[]): Promise<Status> {
    const { exit, out, err } = await home.sfx(cwd, 'status', '--json', ...words);
    assert.deepEqual([exit, err], [0, '']);
    const value: unknown = JSON.parse(out);
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const valid = ajv.compile(JSON.parse(await readFile(join(root, 'schemas/status.schema.json'), 'utf8')));
    assert.ok(valid(value), JSON.stringify(valid.errors));
    return value as Status;
  }

  /** What the engine keeps of versions, aliases and routes; logs and numbers of calls go on by themselves. */
  async function engineDocuments(): Promise<Readonly<Record<string, string>>> {
    const all = Object.entries(await filesIn(home.engine));
    return Object.fromEntries(all.filter(([path]) => /\/(version|aliases|triggers|stage)\.json$/.test(path)));
  }

  async function done(cwd: string, ...words: string[]): Promise<string> {
    const { exit, out, err } = await home.sfx(cwd, ...words);
    assert.equal(exit, 0, `sfx ${words.join(' ')}: ${out}${err}`);
    return out;
  }

  before(async function () {
    this.timeout(60_000);
    home = await openHome('story');
    const origin = join(home.dir, 'origin');
    await mkdir(join(origin, 'services'), { recursive: true });
    await copyOf('shop', join(origin, 'services/shop'));
    git(origin, 'init', '-q', '-b', 'main');
    git(origin, 'add', '.');
    git(origin, 'commit', '-q', '-m', 'a shop');
    for (const name of ['clone', 'second']) {
      execFileSync('git', ['clone', '-q', origin, join(home.dir, name)], { env: home.env, stdio: 'pipe' });
    }
    clone = join(home.dir, 'clone/services/shop');
    second = join(home.dir, 'second/services/shop');
    config = ['--config', 'clone/services/shop/serverless.yml'];
  });

  after(async function () {
    this.timeout(60_000);
    await home.close();
  });

  it('deploys with the file named from elsewhere, and its URL answers', async () => {
    const out = await done(home.dir, 'deploy', ...dev, ...config);
    assert.match(out, /^Release 1 is live on dev\./m);
    const now = await status(home.dir, [...dev, ...config]);
    assert.deepEqual([now.service, now.stage, now.provider, now.state], ['shop', 'dev', 'local', 'settled']);
    assert.deepEqual([now.release.number, now.release.status, now.candidate], [1, 'live', undefined]);
    assert.match(now.release.digest, /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual(now.units.map((unit) => unit.name).sort(), [
      'front',
      'list',
      'order',
      'product',
      'sweep',
      'worker',
    ]);
    const answer = await fetch(`${now.urls.http}/products/2`);
    assert.deepEqual([answer.status, answer.headers.get('x-sfx-release')], [200, '1']);
    assert.match(answer.headers.get('x-sfx-version') ?? '', /^product@[0-9a-f]{7}$/);
    assert.deepEqual(await answer.json(), { currency: 'EUR', id: '2', name: 'Cup', price: 900 });
  }).timeout(60_000);

  it('an identical second deploy changes nothing, takes no lease, writes nothing', async () => {
    const before = await filesIn(join(home.engine, 'state'));
    assert.ok(Object.keys(before).length > 3);
    const kept = await engineDocuments();
    assert.ok(Object.keys(kept).length > 4);
    for (const words of [
      ['deploy', ...dev],
      ['deploy', '--canary', '5'],
    ]) {
      const out = await done(clone, ...words);
      assert.match(out, /^Nothing changed\. Release 1 stays live on dev\. 0 writes\./);
    }
    assert.deepEqual(await filesIn(join(home.engine, 'state')), before);
    assert.deepEqual(await engineDocuments(), kept);
    assert.equal((await status(clone, dev)).release.number, 1);
  }).timeout(60_000);

  it('puts a changed build at 5 %, which an empty folder sees', async () => {
    await edit(join(clone, 'src/catalog.ts'), (text) => text.replace('Teapot', 'Samovar'));
    assert.match(
      await done(clone, 'deploy', '--canary', '5'),
      /● Release 2 takes 5 % of dev, 1 takes 95 %\./,
    );
    const now = await status(home.empty, anywhere);
    assert.deepEqual([now.state, now.candidate?.release, now.candidate?.percent], ['canary', 2, 5]);
    const moved = now.units.filter((unit) => unit.candidate !== undefined).map((unit) => unit.name);
    assert.deepEqual(moved.sort(), ['list', 'order', 'product', 'worker']);
    const asked = await fetch(`${now.urls.http}/products`, { headers: { 'x-sfx-candidate': '1' } });
    assert.match(await asked.text(), /Samovar/);
  }).timeout(60_000);

  it('has nothing to resume while the canary waits for a decision', async () => {
    const { exit, out } = await home.sfx(home.empty, 'resume', ...anywhere);
    assert.equal(exit, 5);
    assert.match(out, /Release 2 takes 5 % and waits for a decision/);
  }).timeout(60_000);

  it('is promoted and rolled back from an empty folder', async () => {
    assert.match(await done(home.empty, 'promote', ...anywhere), /^Release 2 is live on dev\./m);
    const { urls } = await status(home.empty, anywhere);
    assert.match(await (await fetch(`${urls.http}/products`)).text(), /Samovar/);
    assert.match(
      await done(home.empty, 'resume', ...anywhere),
      /Nothing to resume\. Release 2 is live on dev\./,
    );
    assert.match(await done(home.empty, 'rollback', ...anywhere), /^Release 3 \(= 1\) is live on dev\./m);
    assert.match(await (await fetch(`${urls.http}/products`)).text(), /Teapot/);
  }).timeout(60_000);

  it('goes on from a second clone: the same service, the same builds', async () => {
    assert.match(await done(second, 'deploy', ...dev), /^Nothing changed\. Release 3 stays live on dev\./);
    await edit(join(second, 'src/catalog.ts'), (text) => text.replace('Kettle', 'Urn'));
    await done(second, 'deploy', '--canary', '5');
    assert.equal((await status(clone, dev)).candidate?.release, 4);
    assert.match(await done(second, 'rollback'), /Release 3 takes 100 % of dev\./);
    assert.match(await done(second, 'resume'), /Nothing to resume\. Release 3 is live/);
    await edit(join(second, 'src/catalog.ts'), (text) => text.replace('Urn', 'Boiler'));
    await done(second, 'deploy', '--canary', '5');
    assert.match(await done(second, 'promote'), /^Release 5 is live on dev\./m);
    const now = await status(second, dev);
    assert.deepEqual([now.state, now.release.number], ['settled', 5]);
  }).timeout(60_000);

  it('deployed from two clones at once is that of one of them, whole', async () => {
    await edit(join(clone, 'src/catalog.ts'), (text) => text.replace(/price: \d+/, 'price: 111'));
    await edit(join(second, 'src/catalog.ts'), (text) => text.replace(/price: \d+/, 'price: 222'));
    const both = await Promise.all([clone, second].map((cwd) => home.sfx(cwd, 'deploy', '--wait', '20')));
    for (const { exit, err } of both)
      assert.ok(exit === 0 || (exit === 75 && /✖ SFX41(01|22) /.test(err)), err);
    const went = both.filter(({ exit }) => exit === 0).length;
    assert.ok(went >= 1);
    const now = await status(home.empty, anywhere);
    assert.deepEqual([now.state, now.release.number], ['settled', 5 + went]);
    const [listed, one] = await Promise.all(
      ['/products', '/products/1'].map(async (path) => (await fetch(`${now.urls.http}${path}`)).text()),
    );
    assert.ok(listed!.includes('"price":111') !== listed!.includes('"price":222'), listed);
    assert.equal(one!.includes('"price":111'), listed!.includes('"price":111'));
  }).timeout(60_000);

  it('belongs to its origin: a folder that is none of its clones is refused, unless it adopts', async () => {
    const stranger = join(home.dir, 'stranger');
    await cp(second, stranger, { recursive: true });
    await edit(join(stranger, 'src/catalog.ts'), (text) => text.replace('Boiler', 'Cauldron'));
    const before = await filesIn(join(home.engine, 'state'));
    const { exit, err } = await home.sfx(stranger, 'deploy', ...dev);
    assert.equal(exit, 1);
    assert.match(err, /✖ SFX4114 /);
    assert.ok(err.replaceAll(/\s+/g, ' ').includes(`${join(home.dir, 'origin')}#services/shop`), err);
    assert.match(err, /sfx adopt/);
    assert.deepEqual(await filesIn(join(home.engine, 'state')), before);
    assert.match(await done(stranger, 'deploy', '--adopt', ...dev), /is live on dev\./);
    const { urls } = await status(stranger, dev);
    assert.match(await (await fetch(`${urls.http}/products`)).text(), /Cauldron/);
    assert.match((await home.sfx(clone, 'deploy', ...dev)).err, /SFX4114/);
  }).timeout(60_000);
});
