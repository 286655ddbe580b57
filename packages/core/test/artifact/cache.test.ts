import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildUnits, findArtifact } from '../../src/artifact/index.js';
import type { Artifact } from '../../src/provider/contract.js';
import { buildOne, bytesOf, filesIn, realRun, refused, settle, temporary, unit, write } from './samples.js';

describe('the cache of built code', () => {
  let dir: string;
  let cacheDir: string;
  beforeEach(async () => {
    dir = await temporary();
    cacheDir = join(dir, '.sfx');
    await write(dir, {
      'src/a.ts': "import { b } from './b.js';\nimport c from 'c';\nexport const run = () => [b, c];",
      'src/b.ts': 'export const b = 1;',
      'node_modules/c/index.js': 'module.exports = 1;',
      'node_modules/c/package.json': '{"main":"index.js"}',
      'data/x.txt': 'x',
      'base.json': '{}',
      'tsconfig.json': '{ "extends": "./base.json" }',
    });
    await settle(dir);
  });
  afterEach(() => rm(dir, { recursive: true }));

  const build = () => buildOne(dir, unit({ a: 'src/a.run' }, { include: ['data/*'] }));

  /** Whether the next build runs the bundler: it writes what it has found out anew. */
  async function isBuiltAgain(): Promise<boolean> {
    const notes = join(cacheDir, 'builds');
    const before = await Promise.all(
      (await readdir(notes)).map(async (name) => [name, (await stat(join(notes, name))).ino]),
    );
    const zips = await readdir(join(cacheDir, 'artifacts'));
    await build();
    const after = await Promise.all(
      (await readdir(notes)).map(async (name) => [name, (await stat(join(notes, name))).ino]),
    );
    const now = await readdir(join(cacheDir, 'artifacts'));
    return JSON.stringify([before, zips]) !== JSON.stringify([after, now]);
  }

  it('ignores itself in git and holds the artifact under its digest', async () => {
    const artifact = await build();
    assert.equal(await readFile(join(cacheDir, '.gitignore'), 'utf8'), '*\n');
    assert.deepEqual(await readdir(join(cacheDir, 'artifacts')), [`${artifact.digest.slice(7)}.zip`]);
  });

  it('keeps a .gitignore that is there', async () => {
    await write(dir, { '.sfx/.gitignore': 'mine' });
    await build();
    assert.equal(await readFile(join(cacheDir, '.gitignore'), 'utf8'), 'mine');
  });

  it('answers without building while nothing has changed', async () => {
    const first = await build();
    assert.equal(await isBuiltAgain(), false);
    const second = await build();
    assert.equal(second.digest, first.digest);
    assert.deepEqual(await filesIn(second), await filesIn(first));
  });

  it('answers without building when only dates have changed', async () => {
    await build();
    const text = await readFile(join(dir, 'src/b.ts'));
    await writeFile(join(dir, 'src/b.ts'), text);
    assert.equal(await isBuiltAgain(), false);
  });

  for (const [what, name, text] of [
    ['the handler', 'src/a.ts', 'export const run = 2;'],
    ['an import, to one of equal length', 'src/b.ts', 'export const b = 2;'],
    ['a package', 'node_modules/c/index.js', 'module.exports = 2;'],
    ['the entry of a package', 'node_modules/c/package.json', '{"main":"./index.js"}'],
    ['compiler settings', 'tsconfig.json', '{"compilerOptions":{}}'],
    ['the settings that those extend', 'base.json', '{"compilerOptions":{}}'],
    ['a file that hides an import', 'src/b.js', 'export const b = 1;'],
    ['package.json, new', 'package.json', '{"sideEffects":false}'],
    ['an included file', 'data/x.txt', 'y'],
    ['a file that is included now', 'data/new.txt', 'y'],
  ] as const) {
    it(`builds again after a change of ${what}`, async () => {
      await build();
      await writeFile(join(dir, name), text);
      await utimes(join(dir, name), 1_600_000_100, 1_600_000_100);
      assert.equal(await isBuiltAgain(), true);
    });
  }

  it('does not trust a file that changed while it was built', async () => {
    const soon = Date.now() / 1000 + 60;
    await utimes(join(dir, 'src/b.ts'), soon, soon);
    await build();
    assert.deepEqual(await readdir(cacheDir), ['.gitignore', 'artifacts']);
  });

  it('builds again what is damaged, cut off or gone', async () => {
    const { digest } = await build();
    const file = join(cacheDir, 'artifacts', `${digest.slice(7)}.zip`);
    for (const harm of [
      () => writeFile(file, 'x'),
      () => truncate(file, 100),
      () => rm(file),
      () => rm(cacheDir, { recursive: true }),
    ]) {
      await harm();
      assert.equal(findArtifact(cacheDir, digest), undefined);
      assert.equal((await build()).digest, digest);
      assert.equal(findArtifact(cacheDir, digest)?.digest, digest);
    }
  });

  it('builds again when its note is damaged', async () => {
    const { digest } = await build();
    for (const text of ['{', 'null', '{"digest":1}']) {
      for (const name of await readdir(join(cacheDir, 'builds')))
        await writeFile(join(cacheDir, 'builds', name), text);
      assert.equal((await build()).digest, digest);
    }
  });

  it('gives an artifact by its digest to whoever resumes a release', async () => {
    const built = await build();
    const found = findArtifact(cacheDir, built.digest) as Artifact;
    assert.equal(found.size, built.size);
    assert.deepEqual(await bytesOf(found), await bytesOf(built));
    assert.equal(findArtifact(cacheDir, `sha256:${'0'.repeat(64)}`), undefined);
    assert.equal(findArtifact(cacheDir, 'sha256:../../x'), undefined);
  });

  it('may be written by several builds at once', async () => {
    const all = await Promise.all([build(), build(), build()]);
    assert.equal(new Set(all.map((one) => one.digest)).size, 1);
    assert.deepEqual(await readdir(join(cacheDir, 'artifacts')), [`${all[0]!.digest.slice(7)}.zip`]);
  });

  it('that cannot be made is a coded error that names the place', async () => {
    await writeFile(join(dir, 'file'), '');
    const error = await refused(
      buildOne(dir, unit({ a: 'src/a.run' }), { cacheDir: join(dir, 'file/cache') }),
    );
    assert.equal(error.code, 'SFX2305');
    assert.match(String(error.details.resource), /file\/cache$/);
  });

  it('that has no room leaves nothing half-written, and works when there is room again', async () => {
    await write(dir, {
      'data/big.txt': Array.from({ length: 20_000 }, (_, index) => index * 7919).join(','),
    });
    const child = fileURLToPath(new URL('./build-without-room.ts', import.meta.url));
    const script = 'ulimit -f 16; exec "$0" --conditions=sfx-source --import=tsx "$1" "$2"';
    const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, child, dir]);
    assert.match(stdout, /^SFX2305 built code could not be written: the system says EFBIG$/);
    assert.deepEqual(await readdir(join(cacheDir, 'artifacts')), []);
    const artifact = await build();
    assert.ok((await filesIn(artifact))['data/big.txt']);
  });

  it('serves several units of one call, built and remembered', async () => {
    const requests = ['p', 'q'].map((name) => ({ key: name, unit: unit({ [name]: 'src/a.run' }), dir }));
    const first = await buildUnits(requests, { cacheDir }, realRun());
    await buildUnits(requests.slice(0, 1), { cacheDir }, realRun());
    const second = await buildUnits(requests, { cacheDir }, realRun());
    assert.deepEqual(Object.keys(second), ['p', 'q']);
    assert.deepEqual(
      Object.values(second).map((one) => one.digest),
      Object.values(first).map((one) => one.digest),
    );
  });

  it('does not mind a project that is reached through a link', async () => {
    await symlink(dir, `${dir}-link`);
    try {
      const one = await build();
      const two = await buildOne(`${dir}-link`, unit({ a: 'src/a.run' }, { include: ['data/*'] }));
      assert.equal(two.digest, one.digest);
    } finally {
      await rm(`${dir}-link`);
    }
  });
});
