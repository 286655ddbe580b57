import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '@sfx-deploy/plugin';
import { rejectsWith } from './assertions.js';
import {
  ALIAS,
  artifactOf,
  flip,
  handler,
  live,
  SCOPE,
  stage,
  type TestEngine,
  testEngine,
  unitOf,
} from './bench.js';

describe('versions on the local engine', () => {
  let engine: TestEngine;
  let connection: Connection;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  it('are one per digest, however often they are staged', async () => {
    const code = handler('return text(1)');
    const all = await Promise.all([
      stage(connection, 'same', code),
      stage(connection, 'same', code),
      stage(connection, 'same', code, {}, 2),
    ]);
    assert.deepEqual(all[1], all[0]);
    assert.deepEqual(await connection.versions.list('same'), [all[0]]);
    assert.equal(all[0].id, `same@${all[0].digest.slice(7, 19)}`);
    const other = await stage(connection, 'same', code, { environment: { A: '1' } });
    assert.notEqual(other.digest, all[0].digest);
    assert.equal((await connection.versions.list('same')).length, 2);
  });

  it('bring the files beside their code', async () => {
    const module = handler(
      'return text(data)',
      'return data',
      'import { readFileSync } from "node:fs"; const data = readFileSync(new URL("./data/a.txt", import.meta.url), "utf8");',
    );
    const artifact = artifactOf('files', module, { 'data/a.txt': 'beside' });
    const version = await connection.versions.stage(unitOf('files'), artifact.digest, artifact, {
      release: 1,
      fence: 1,
    });
    assert.equal(await connection.invoke({ version, function: 'files' }, null), 'beside');
  });

  it('stay as long as an alias names them; gone is success', async () => {
    const version = await live(connection, 'kept', handler('return text(1)'), []);
    await rejectsWith('SFX3107', connection.versions.remove(version));
    const { table } = await connection.traffic.read(ALIAS);
    const { kept: _kept, ...rest } = table;
    await flip(connection, rest);
    await connection.versions.remove(version);
    await connection.versions.remove(version);
    assert.deepEqual(await connection.versions.list('kept'), []);
    await rejectsWith('SFX3105', connection.versions.warm(version));
    await rejectsWith('SFX3105', connection.invoke({ version, function: 'kept' }, null));
    const folder = join(engine.home, 'stages', SCOPE.service, SCOPE.stage, 'versions', 'kept');
    assert.deepEqual(await readdir(folder), []);
  });

  it('take no value that is still a reference', async () => {
    const artifact = artifactOf('open', handler(''));
    const unit = {
      ...unitOf('open'),
      config: { memory: 128, timeout: 1000, environment: { KEY: { $secret: 'env:KEY' } } },
    };
    await rejectsWith(
      'SFX4203',
      connection.versions.stage(unit, artifact.digest, artifact, { release: 1, fence: 1 }),
    );
  });
});

if (process.platform === 'linux') {
  describe('a full disk under the local engine', () => {
    it('is told as one, keeps nothing half written, and calls go on', function () {
      this.timeout(60_000);
      // A small disk of its own, in a namespace of its own: no privilege on this machine is needed.
      const script = join(import.meta.dirname, 'fixtures', 'full-disk.ts');
      const command = 'mount -t tmpfs -o size=3m,mode=700 tmpfs "$1" && shift && exec "$@"';
      const node = [
        process.execPath,
        ...process.execArgv,
        '--conditions=sfx-source',
        '--import',
        'tsx',
        script,
      ];
      const home = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
      const env = { ...process.env, SFX_LOCAL_HOME: home };
      try {
        const text = execFileSync('unshare', ['-rm', 'sh', '-c', command, 'sh', home, ...node], {
          env,
          encoding: 'utf8',
        });
        assert.deepEqual(JSON.parse(text), {
          staged: 'SFX6004',
          versions: 1,
          tmp: [],
          flipped: 'SFX6004',
          same: true,
          answer: 'small',
          after: 2,
        });
      } finally {
        execFileSync('rmdir', [home]);
      }
    });
  });
}
