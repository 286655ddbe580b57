import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { copyOf, type Home, openHome } from '../support.js';

describe('looking at a service from the folder above its file', () => {
  let home: Home;
  let above = '';
  before(async function () {
    this.timeout(60_000);
    home = await openHome('nearby');
    above = join(home.dir, 'work');
    await mkdir(join(above, 'services'), { recursive: true });
    await copyOf('shop', join(above, 'services/shop'));
    await copyOf('hello', join(above, 'services/hello'));
    const { exit, err } = await home.sfx(above, 'deploy', '--config', 'services/shop/serverless.yml');
    assert.equal(exit, 0, err);
  });
  after(() => home.close());

  it('finds the one that was deployed from there', async () => {
    const { exit, out } = await home.sfx(above, 'status', '--stage', 'dev', '--json');
    assert.equal(exit, 0);
    assert.equal((JSON.parse(out) as { service: string }).service, 'shop');
    assert.equal((await home.sfx(above, 'releases')).exit, 0);
  });

  it('is refused where nothing was deployed from, and for another stage', async () => {
    await mkdir(join(home.dir, 'elsewhere'));
    for (const [cwd, ...words] of [[join(home.dir, 'elsewhere')], [above, '--stage', 'prod']] as const) {
      const { exit, err } = await home.sfx(cwd, 'status', ...words);
      assert.equal(exit, 64);
      assert.match(err, /SFX1004/);
    }
  });

  it('never lets a command that changes something guess', async () => {
    for (const command of ['deploy', 'promote', 'rollback', 'resume', 'adopt']) {
      const { exit, err } = await home.sfx(above, command);
      assert.equal(exit, 64, command);
      assert.match(err, /SFX1004/, command);
    }
    assert.equal((await home.sfx(above, 'remove', '--yes')).exit, 64);
  });

  it('asks which one, when several were', async () => {
    await home.sfx(above, 'deploy', '--config', 'services/hello/serverless.yml');
    const { exit, err } = await home.sfx(above, 'status');
    assert.equal(exit, 64);
    assert.match(err, /hello, shop/);
  });
});
