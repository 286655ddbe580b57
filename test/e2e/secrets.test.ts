import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { copyOf, edit, filesIn, type Home, modeOf, openHome } from '../support.js';

describe('a value from the environment', () => {
  const secret = `hunter2${randomBytes(8).toString('hex')}`;
  const rotated = `hunter3${randomBytes(8).toString('hex')}`;
  let home: Home;
  let dir = '';
  const all: string[] = [];

  before(async () => {
    home = await openHome('secrets', { SHOP_TOKEN: secret });
    dir = await copyOf('shop', join(home.dir, 'shop'));
    await edit(join(dir, 'serverless.yml'), (text) =>
      text.replace(
        '      GREETING: Welcome\n',
        "      GREETING: Welcome\n      TOKEN: ${env:SHOP_TOKEN}\n      DSN: 'db://user:${env:SHOP_TOKEN}@host'\n",
      ),
    );
  });
  after(async function () {
    this.timeout(60_000);
    await home.close();
  });

  async function sfx(...words: string[]): Promise<number> {
    const { exit, out, err } = await home.sfx(dir, ...words);
    all.push(out, err);
    return exit ?? -1;
  }

  const change = (): Promise<void> =>
    edit(join(dir, 'src/catalog.ts'), (text) =>
      text.replace(/price: (\d+)/, (_, price) => `price: ${Number(price) + 1}`),
    );

  const holds = (text: string): boolean => text.includes(secret) || text.includes(rotated);

  it('is said by no command, in no form', async () => {
    const forms = [[], ['--json'], ['--verbose'], ['--debug'], ['--json', '--debug']];
    for (const form of forms) {
      await change();
      for (const command of ['validate', 'print', 'compile', 'package', 'plan'])
        assert.equal(await sfx(command, ...form), 0);
      assert.equal(await sfx('deploy', ...form), 0);
      await change();
      assert.equal(await sfx('plan', '--out', 'plan.json', ...form), 0);
      assert.equal(await sfx('deploy', '--canary', '5', ...form), 0);
      for (const command of ['status', 'releases', 'resume', 'logs', 'promote', 'rollback']) {
        assert.ok([0, 5].includes(await sfx(command, ...form)), command);
      }
    }
    assert.equal(all.findIndex(holds), -1);
  }).timeout(120_000);

  it('is in no file but that of the versions that need it, which only their owner can read', async () => {
    assert.equal(await sfx('package', '--out', 'built'), 0);
    const files = await filesIn(home.dir);
    for (const part of ['engine/state/', 'shop/.sfx/', 'shop/built/', 'shop/plan.json']) {
      assert.ok(
        Object.keys(files).some((path) => path.startsWith(part)),
        `${part} is looked at`,
      );
    }
    const found = Object.keys(files).filter((path) => holds(files[path]!));
    assert.ok(found.length > 0);
    for (const path of found) {
      assert.match(path, /^engine\/.*\/front\/[0-9a-f]{64}\/version\.json$/);
      assert.equal(await modeOf(join(home.dir, path)), 0o600);
    }
  }).timeout(60_000);

  it('is said by no error', async () => {
    // In a place that is checked, in one that cannot be found, and in a handler that cannot be loaded.
    const file = join(dir, 'serverless.yml');
    await edit(file, (text) =>
      text.replace('      - http: GET /\n', '      - http: GET /\n    timeout: ${env:SHOP_TOKEN}\n'),
    );
    assert.equal(await sfx('deploy'), 64);
    assert.equal(await sfx('deploy', '--debug', '--json'), 64);
    await edit(file, (text) =>
      text
        .replace('timeout: ${env:SHOP_TOKEN}', 'timeout: 5')
        .replace('src/list.get', 'src/${env:SHOP_TOKEN}.get'),
    );
    assert.equal(await sfx('deploy'), 64);
    assert.equal(await sfx('deploy', '--debug'), 64);
    assert.equal(all.findIndex(holds), -1, all.find(holds));
  }).timeout(60_000);

  it('that changed is used when asked, and told nowhere either', async () => {
    await edit(join(dir, 'serverless.yml'), (text) =>
      text.replace('src/${env:SHOP_TOKEN}.get', 'src/list.get').replace('\n    timeout: 5', ''),
    );
    home.env['SHOP_TOKEN'] = rotated;
    assert.equal(await sfx('deploy', '--force', '--refresh-secrets'), 0);
    const files = await filesIn(home.dir);
    const found = Object.keys(files).filter((path) => files[path]!.includes(rotated));
    assert.equal(found.length, 1);
    assert.match(found[0]!, /^engine\/.*\/front\/[0-9a-f]{64}\/version\.json$/);
    assert.equal(all.findIndex(holds), -1);
  }).timeout(60_000);
});
