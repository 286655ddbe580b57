import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { bundled, copyOf, edit, filesIn, type Home, openHome } from '../support.js';

describe("somebody else's provider, installed in the project", () => {
  let home: Home;
  let dir = '';

  before(async function () {
    this.timeout(60_000);
    home = await openHome('third-party');
    home.env['X_WORLD'] = join(home.dir, 'world');
    dir = await copyOf('hello', join(home.dir, 'hello'));
    await edit(join(dir, 'serverless.yml'), (text) => text.replace('name: local', 'name: x'));
    const folder = join(dir, 'node_modules/sfx-provider-x');
    await mkdir(folder, { recursive: true });
    await bundled(join(import.meta.dirname, 'third-party-provider.ts'), join(folder, 'index.js'));
    const manifest = { name: 'sfx-provider-x', version: '3.1.4', type: 'module', exports: './index.js' };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  });
  after(async function () {
    this.timeout(60_000);
    await home.close();
  });

  async function done(...words: string[]): Promise<string> {
    const { exit, out, err } = await home.sfx(dir, ...words);
    assert.equal(exit, 0, `sfx ${words.join(' ')}: ${out}${err}`);
    return out;
  }

  const change = (text: string): Promise<void> =>
    writeFile(join(dir, 'src/hello.js'), `export const get = () => '${text}';\n`);

  it('is listed beside those of sfx', async () => {
    const out = await done('providers');
    assert.match(out, /^x · sfx-provider-x 3\.1\.4/m);
    assert.match(out, /^local · @sfx-deploy\/provider-local/m);
  }).timeout(20_000);

  it('is deployed to by its name, with what every provider has', async () => {
    assert.match(await done('deploy'), /^Release 1 is live on dev\./m);
    assert.match(await done('deploy'), /^Nothing changed\. Release 1 stays live on dev\. 0 writes\./);
    await change('two');
    assert.match(await done('deploy', '--canary', '10'), /● Release 2 takes 10 % of dev, 1 takes 90 %\./);
    assert.equal((await home.sfx(dir, 'resume')).exit, 5);
    assert.match(await done('promote'), /^Release 2 is live on dev\./m);
    assert.match(
      await done('rollback', '--service', 'hello', '--provider', 'x'),
      /^Release 3 \(= 1\) is live on dev\./m,
    );
    const status = JSON.parse(await done('status', '--json')) as {
      provider: string;
      release: { number: number };
    };
    assert.deepEqual([status.provider, status.release.number], ['x', 3]);
    assert.match(await done('invoke', 'hello'), /hello/);
  }).timeout(60_000);

  it('refuses what it cannot do with the code and place that sfx gives it', async () => {
    const file = join(dir, 'serverless.yml');
    await edit(file, (text) => text.replace('- http: GET /', '- stream: arn:x'));
    const { exit, err } = await home.sfx(dir, 'deploy');
    assert.equal(exit, 64, err);
    assert.match(err, /SFX2204/);
    assert.match(err, /serverless\.yml:10:/);
    await edit(file, (text) => text.replace('- stream: arn:x', '- http: GET /'));
  }).timeout(20_000);

  it('is removed from as from any, and the local engine was never asked', async () => {
    await done('remove', '--yes');
    const files = Object.keys(await filesIn(home.dir));
    assert.ok(files.every((path) => !path.startsWith('engine/')));
    assert.match(await done('status'), /Nothing is deployed\./);
  }).timeout(20_000);
});
