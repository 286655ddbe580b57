import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isSfxError } from '../../src/errors.js';
import { listProviders, loadProvider, providerPackages } from '../../src/provider/loader.js';

const good = `export const provider = {
  name: 'x', apiVersion: 0, schema: {}, documented: { unit: 'function' }, compile() {}, async connect() {},
};`;

describe('a provider package', () => {
  let dir = '';
  let project = '';
  let sfx = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sfx-loader-'));
    project = join(dir, 'work/services/shop');
    sfx = join(dir, 'sfx/dist');
    for (const one of [project, sfx]) await mkdir(one, { recursive: true });
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function install(
    at: string,
    name: string,
    code: string,
    manifest: object = { exports: './index.js' },
  ): Promise<void> {
    const folder = join(at, 'node_modules', name);
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ name, version: '1.2.3', type: 'module', ...manifest }),
    );
    await writeFile(join(folder, 'index.js'), code);
  }

  const load = (name: string) => loadProvider(name, project, sfx);

  async function refused(name: string, code: string, ...said: RegExp[]): Promise<void> {
    await assert.rejects(load(name), (error: unknown) => {
      assert.ok(isSfxError(error), String(error));
      assert.equal(error.code, code, error.message);
      const text = `${error.message} ${error.details.hint ?? ''}`;
      for (const one of said) assert.match(text, one);
      return true;
    });
  }

  it('of anybody is found by its name from the project, and from the folders above it', async () => {
    await install(join(dir, 'work'), 'sfx-provider-x', good);
    assert.equal((await load('x')).name, 'x');
  });

  it('is found beside sfx where the project has none, and the one of the project wins', async () => {
    await install(join(dir, 'sfx'), '@sfx-deploy/provider-x', good.replace("'x'", "'beside sfx'"));
    assert.equal((await load('x')).name, 'beside sfx');
    await install(project, 'sfx-provider-x', good.replace("'x'", "'of the project'"));
    assert.equal((await load('x')).name, 'of the project');
    await install(project, '@sfx-deploy/provider-x', good.replace("'x'", "'ours'"));
    assert.equal((await load('x')).name, 'ours');
  });

  it('is found by its full name, in a scope too', async () => {
    await install(project, '@acme/sfx-provider-edge', good);
    assert.equal((await load('@acme/sfx-provider-edge')).name, 'x');
  });

  it('may export it as default, by conditions, or by `main`', async () => {
    const exported = good.replace('export const provider =', 'export default');
    await install(project, 'sfx-provider-a', exported, {
      exports: { '.': { types: './index.d.ts', import: './index.js' } },
    });
    await install(project, 'sfx-provider-b', exported, { main: 'index.js' });
    await install(project, 'sfx-provider-c', exported, { exports: { node: { default: './index.js' } } });
    for (const name of ['a', 'b', 'c']) assert.equal((await load(name)).name, 'x', name);
  });

  it('that is not there is said with those that are, and what it would be called', async () => {
    await install(project, 'sfx-provider-edge', good);
    await install(join(dir, 'sfx'), '@sfx-deploy/provider-local', good);
    await refused(
      'egde',
      'SFX3001',
      /"egde"/,
      /edge, local/,
      /@sfx-deploy\/provider-egde or sfx-provider-egde/,
    );
    await refused('../evil', 'SFX3001', /"\.\.\/evil"/);
    await refused('Not a name', 'SFX3001', /"Not a name"/);
  });

  it('that is not there, where no other is either, is said so', async () => {
    await refused('edge', 'SFX3001', /"edge"/, /sfx-provider-edge/);
  });

  it('that does not load is said with why', async () => {
    await install(project, 'sfx-provider-x', "throw new Error('no SDK here');");
    await refused('x', 'SFX3002', /no SDK here/);
    await install(project, 'sfx-provider-y', 'export const = 1;');
    await refused('y', 'SFX3002', /provider y does not load/);
    await install(project, 'sfx-provider-z', good, { exports: './gone.js' });
    await refused('z', 'SFX3002', /provider z does not load/);
    await install(project, 'sfx-provider-w', good);
    await writeFile(join(project, 'node_modules/sfx-provider-w/package.json'), '{ "name": ');
    await refused('w', 'SFX3002', /w/, /package\.json/);
  });

  it('that is none is refused, with what it lacks', async () => {
    await install(project, 'sfx-provider-a', 'export const other = 1;');
    await refused('a', 'SFX3003', /exports neither/);
    await install(project, 'sfx-provider-b', good.replace('compile() {},', ''));
    await refused('b', 'SFX3003', /compile/);
    await install(project, 'sfx-provider-c', good.replace("name: 'x',", ''));
    await refused('c', 'SFX3003', /name/);
    await install(project, 'sfx-provider-d', 'export const provider = 7;');
    await refused('d', 'SFX3003');
  });

  it('of another contract version is refused before it is called', async () => {
    await install(project, 'sfx-provider-x', good.replace('apiVersion: 0', 'apiVersion: 7'));
    await refused('x', 'SFX3004', /version 7.*speaks 0/);
    await install(project, 'sfx-provider-y', good.replace('apiVersion: 0,', ''));
    await refused('y', 'SFX3004', /contract version/);
  });

  it('is listed with its version, and with its problem where it cannot be used', async () => {
    await install(project, 'sfx-provider-x', good);
    await install(project, 'sfx-provider-bad', "throw new Error('no SDK here');");
    await install(project, 'unrelated', good);
    const names = providerPackages([project, sfx]).map((one) => one.package);
    assert.deepEqual(names, ['sfx-provider-bad', 'sfx-provider-x']);
    const [bad, x] = await listProviders(project, sfx);
    assert.deepEqual([x?.name, x?.version, x?.apiVersion, x?.problem], ['x', '1.2.3', 0, undefined]);
    assert.match(bad?.problem ?? '', /^SFX3002 .*no SDK here/);
    assert.equal(bad?.capabilities, null);
  });
});
