import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { fileStore } from '../../packages/core/src/state/file-store.js';
import { type Load, startLoad } from '../load.js';
import { copyOf, edit, type Home, openHome } from '../support.js';

/** Calls that a test makes at least. */
const CALLS = 3000;

describe('calls under way while a service changes', () => {
  let home: Home;
  let shop = '';
  const urls: Record<string, string> = {};

  async function done(...words: string[]): Promise<void> {
    const { exit, out, err } = await home.sfx(shop, ...words);
    assert.equal(exit, 0, `sfx ${words.join(' ')}: ${out}${err}`);
  }

  const stock = (name: string): Promise<void> =>
    edit(join(shop, 'src/catalog.ts'), (text) => text.replace(/name: '\w+'/, `name: '${name}'`));

  before(async function () {
    this.timeout(60_000);
    home = await openHome('load');
    shop = await copyOf('shop', join(home.dir, 'shop'));
    for (const stage of ['dev', 'prod']) {
      await done('deploy', '--stage', stage);
      const { out } = await home.sfx(shop, 'status', '--json', '--stage', stage);
      urls[stage] = (JSON.parse(out) as { urls: { http: string } }).urls.http;
    }
  });

  after(async function () {
    this.timeout(60_000);
    await home.close();
  });

  /** Load on a stage while something is done, and until enough calls were made. */
  async function under(stage: string, act: () => Promise<void>): Promise<Load> {
    const load = startLoad(`${urls[stage]}/products`);
    await act();
    const { calls } = load.met;
    while (load.met.calls < Math.max(CALLS, calls + 200))
      await new Promise((resolve) => setTimeout(resolve, 20));
    return load.stop();
  }

  it('none is lost through deploy, canary, promote and rollback', async () => {
    const met = await under('prod', async () => {
      await stock('Samovar');
      await done('deploy', '--stage', 'prod');
      await stock('Urn');
      await done('deploy', '--stage', 'prod', '--canary', '30');
      await done('promote', '--stage', 'prod');
      await done('rollback', '--stage', 'prod');
      await stock('Boiler');
      await done('deploy', '--stage', 'prod', '--canary', '30');
      await done('rollback', '--stage', 'prod');
    });
    assert.ok(met.calls >= CALLS);
    assert.deepEqual(met.lost, []);
    assert.equal(
      [...met.bodies.values()].reduce((a, b) => a + b, 0),
      met.calls,
    );
    const seen = ['Teapot', 'Samovar', 'Urn', 'Boiler'].filter((name) =>
      [...met.bodies.keys()].some((body) => body.includes(name)),
    );
    assert.deepEqual(seen, ['Teapot', 'Samovar', 'Urn', 'Boiler']);
  }).timeout(120_000);

  it('the same source is the same bytes in dev and prod', async () => {
    await done('deploy', '--stage', 'dev');
    await done('deploy', '--stage', 'prod', '--force');
    const store = fileStore(join(home.engine, 'state'));
    const newest = async (stage: string): Promise<unknown> => {
      const keys = await store.list(`shop/${stage}/releases/`);
      const { artifacts } = (await store.get(keys.at(-1)!))!.value as { artifacts: object };
      assert.equal(Object.keys(artifacts).length, 6);
      return artifacts;
    };
    assert.deepEqual(await newest('dev'), await newest('prod'));
  }).timeout(60_000);

  it('removing dev loses no call on prod', async () => {
    const met = await under('prod', () => done('remove', '--stage', 'dev', '--yes'));
    assert.deepEqual(met.lost, []);
    await assert.rejects(fetch(`${urls['dev']}/products`));
    const store = fileStore(join(home.engine, 'state'));
    assert.deepEqual(await store.list('shop/dev/'), []);
    assert.ok((await store.list('shop/prod/')).length > 0);
  }).timeout(60_000);
});
