import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { copyOf, type Ended, edit, filesIn, type Home, openHome } from '../support.js';

describe('what a user got wrong is said with its place, and nothing is touched', () => {
  let home: Home;
  let dir = '';
  let projects = 0;

  before(async () => {
    home = await openHome('mistakes');
  });
  after(async function () {
    this.timeout(60_000);
    await home.close();
  });
  beforeEach(async () => {
    dir = await copyOf('hello', join(home.dir, `project-${projects++}`));
  });

  /** The command fails so, for people and as JSON. */
  async function refused(
    words: readonly string[],
    exit: number,
    ...said: readonly (string | RegExp)[]
  ): Promise<Ended> {
    const ended = await home.sfx(dir, ...words);
    assert.equal(ended.exit, exit, ended.out + ended.err);
    for (const text of said) {
      if (typeof text === 'string') assert.ok(ended.err.includes(text), `${text} is not in:\n${ended.err}`);
      else assert.match(ended.err, text);
    }
    const asJson = await home.sfx(dir, ...words, '--json');
    const last = JSON.parse(
      asJson.out.trimEnd().split('\n').at(-1)!.startsWith('{"')
        ? asJson.out.trimEnd().split('\n').at(-1)!
        : asJson.out,
    ) as {
      error: { code: string };
    };
    assert.deepEqual([asJson.exit, asJson.err], [exit, '']);
    assert.match(last.error.code, /^SFX\d{4}$/);
    return ended;
  }

  it('a file that is not YAML', async () => {
    await writeFile(join(dir, 'serverless.yml'), 'service: hello\nfunctions:\n  hello: [unclosed\n');
    await refused(['deploy'], 64, 'SFX2001', /serverless\.yml:[34]:\d+/, 'Nothing was built or changed.');
  }).timeout(20_000);

  it('an unknown key, with the nearest one; all mistakes at once', async () => {
    await edit(join(dir, 'serverless.yml'), (text) =>
      text.replace('    events:', '    memry: 128\n    timeout: soon\n    events:'),
    );
    await refused(
      ['deploy'],
      64,
      'SFX2201',
      'serverless.yml:9:5',
      'memry',
      'memory',
      'serverless.yml:10:',
      '2 errors',
    );
  }).timeout(20_000);

  it('a handler file that is not there', async () => {
    await edit(join(dir, 'serverless.yml'), (text) => text.replace('src/hello.get', 'src/helo.get'));
    await refused(['deploy'], 64, 'SFX2301', 'serverless.yml:8:14', 'src/helo', 'src/hello');
  }).timeout(20_000);

  it('a handler without the named export', async () => {
    await edit(join(dir, 'serverless.yml'), (text) => text.replace('src/hello.get', 'src/hello.set'));
    await refused(['deploy'], 64, 'SFX2304', 'serverless.yml:8:', 'set', 'get');
  }).timeout(20_000);

  it('no file at all, an unknown command, an unknown provider', async () => {
    dir = home.empty;
    await refused(['deploy'], 64, 'SFX1004', 'serverless.yml');
    await refused(['delpoy'], 64, 'SFX1001', 'deploy');
    await refused(['status', '--service', 'shop', '--provider', 'lokal'], 64, 'SFX3001', 'lokal', 'local');
  }).timeout(20_000);

  it('an engine port that another program has', async () => {
    const other = await openHome('port');
    const server = createServer().listen(Number(other.env['SFX_LOCAL_PORT']), '127.0.0.1');
    try {
      const ended = await other.sfx(dir, 'deploy');
      assert.equal(ended.exit, 64, ended.err);
      assert.match(ended.err, /✖ SFX6002 /);
      assert.ok(ended.err.includes(String(other.env['SFX_LOCAL_PORT'])));
      assert.ok(ended.err.includes(String(process.pid)), `who listens is named: ${ended.err}`);
      assert.match(ended.err, /SFX_LOCAL_PORT/);
    } finally {
      server.close();
      await other.close();
    }
  }).timeout(30_000);

  describe('in the code that is deployed', () => {
    let url = '';
    before(async function () {
      this.timeout(30_000);
      dir = await copyOf('hello', join(home.dir, 'deployed'));
      const { exit, err } = await home.sfx(dir, 'deploy');
      assert.equal(exit, 0, err);
      const { out } = await home.sfx(dir, 'status', '--json');
      url = (JSON.parse(out) as { urls: { http: string } }).urls.http;
    });
    beforeEach(() => {
      dir = join(home.dir, 'deployed');
    });
    afterEach(async () => {
      const answer = await fetch(url);
      assert.deepEqual([answer.status, answer.headers.get('x-sfx-release')], [200, '1']);
      const { out } = await home.sfx(dir, 'status', '--json');
      const { state, lease } = JSON.parse(out) as { state: string; lease: unknown };
      assert.deepEqual([state, lease], ['settled', null]);
    });

    it('a handler that throws when it is loaded takes no traffic', async () => {
      await writeFile(
        join(dir, 'src/hello.js'),
        "throw new Error('no table');\nexport const get = () => 1;\n",
      );
      const ended = await home.sfx(dir, 'deploy');
      assert.equal(ended.exit, 1, ended.err);
      assert.match(ended.err, /✖ SFX(3106|6111) /);
      assert.match(ended.err, /hello/);
      assert.match(ended.err, /no table/);
      assert.match(ended.err.replaceAll(/\s+/g, ' '), /Release 1 takes 100 % of dev/);
    }).timeout(30_000);

    it('a handler that fails its check takes no traffic', async () => {
      await edit(join(dir, 'serverless.yml'), (text) =>
        text.includes('checks:')
          ? `${text}\n`
          : `${text}\nchecks:\n  - name: greets\n    function: hello\n    http: { method: GET, path: / }\n    expect: { status: 200 }\n`,
      );
      await writeFile(
        join(dir, 'src/hello.js'),
        "export const get = () => { throw new Error('broken'); };\n",
      );
      const ended = await home.sfx(dir, 'deploy');
      assert.equal(ended.exit, 1, ended.err);
      assert.match(ended.err, /✖ SFX5002 /);
      assert.match(ended.err, /greets/);
    }).timeout(30_000);
  });

  it('and of all this no state is left behind', async () => {
    const written = Object.keys(await filesIn(home.dir)).filter((path) => path.startsWith('engine/state/'));
    assert.deepEqual(written, []);
  });
});
