import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { commitOf, originOf } from '../../src/origin.js';

describe('where a service comes from', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await realpath(await mkdtemp(join(tmpdir(), 'sfx-origin-')));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const git = (at: string, ...words: string[]): string =>
    execFileSync(
      'git',
      ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid', '-C', at, ...words],
      {
        encoding: 'utf8',
        stdio: 'pipe',
      },
    );

  async function repository(name: string, remote?: string): Promise<string> {
    const at = join(dir, name);
    await mkdir(join(at, 'services/shop'), { recursive: true });
    await writeFile(join(at, 'services/shop/serverless.yml'), 'service: shop\n');
    git(at, 'init', '-q', '-b', 'main');
    git(at, 'add', '.');
    git(at, 'commit', '-q', '-m', 'a shop');
    if (remote !== undefined) git(at, 'remote', 'add', 'origin', remote);
    return at;
  }

  it('is its path, without git', async () => {
    await mkdir(join(dir, 'plain'));
    await symlink(join(dir, 'plain'), join(dir, 'link'));
    assert.equal(await originOf(join(dir, 'plain')), join(dir, 'plain'));
    assert.equal(await originOf(join(dir, 'link')), join(dir, 'plain'));
  });

  it('is the remote with the folder, the same for every way of writing it, without credentials', async () => {
    const ways = [
      'https://example.invalid/acme/shop.git',
      'https://example.invalid/acme/shop',
      'https://ana:hunter2@example.invalid/acme/shop.git',
      'https://token@example.invalid/acme/shop/',
      'git@example.invalid:acme/shop.git',
      'ssh://git@example.invalid/acme/shop.git',
    ];
    for (const [index, url] of ways.entries()) {
      const at = await repository(`way-${index}`, url);
      assert.equal(await originOf(at), 'example.invalid/acme/shop', url);
      assert.equal(await originOf(join(at, 'services/shop')), 'example.invalid/acme/shop#services/shop', url);
    }
  });

  it('keeps a port, which is another server', async () => {
    const at = await repository('port', 'ssh://git@example.invalid:2222/acme/shop.git');
    assert.equal(await originOf(at), 'example.invalid:2222/acme/shop');
  });

  it('is that of the first repository, for a clone and for a clone of a clone', async () => {
    const first = await repository('first');
    for (const [from, to] of [
      ['first', 'second'],
      ['second', 'third'],
    ] as const) {
      git(dir, 'clone', '-q', join(dir, from), join(dir, to));
    }
    git(dir, 'clone', '-q', `file://${join(dir, 'third')}`, join(dir, 'fourth'));
    for (const name of ['first', 'second', 'third', 'fourth']) {
      assert.equal(await originOf(join(dir, name, 'services/shop')), `${first}#services/shop`, name);
    }
  });

  it('is that of a server, for a clone of a clone of it', async () => {
    await repository('first', 'https://example.invalid/acme/shop.git');
    git(dir, 'clone', '-q', join(dir, 'first'), join(dir, 'second'));
    assert.equal(await originOf(join(dir, 'second')), 'example.invalid/acme/shop');
  });

  it('is the path of a remote that is gone, and does not turn in circles', async () => {
    const at = await repository('alone', join(dir, 'gone.git'));
    assert.equal(await originOf(at), join(dir, 'gone'));
    const self = await repository('self');
    git(self, 'remote', 'add', 'origin', self);
    assert.equal(await originOf(self), self);
  });

  it('has a commit, which is dirty when what git knows was changed', async () => {
    const at = await repository('commits');
    const sha = git(at, 'rev-parse', 'HEAD').trim();
    assert.deepEqual(await commitOf(join(at, 'services/shop')), { sha, subject: 'a shop' });
    await writeFile(join(at, 'new.txt'), '');
    assert.deepEqual(await commitOf(at), { sha, subject: 'a shop' });
    await writeFile(join(at, 'services/shop/serverless.yml'), 'service: shop2\n');
    assert.deepEqual(await commitOf(at), { sha, subject: 'a shop', dirty: true });
    assert.equal(await commitOf(dir), undefined);
  });
});
