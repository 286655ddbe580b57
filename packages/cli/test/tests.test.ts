import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { openPlace, type Place } from './engine.js';

const SECRET = 'hunter2-of-the-test-71c';

/** A test program: asks the stage, and says what it was told. */
const program = `
const { SFX_URL, SFX_STAGE, SFX_SERVICE, SFX_RELEASE, SFX_HEADERS, SFX_CANDIDATE, SFX_FUNCTION_GREET_VERSION, WANTED } = process.env;
const answer = await fetch(SFX_URL + '/greet', { headers: JSON.parse(SFX_HEADERS) });
const { says } = await answer.json();
console.log(JSON.stringify({ SFX_STAGE, SFX_SERVICE, SFX_RELEASE, SFX_CANDIDATE, version: SFX_FUNCTION_GREET_VERSION, says }));
console.error('secret ' + process.env.TOKEN);
if (WANTED && says !== WANTED) { console.error('wanted ' + WANTED + ', got ' + says); process.exit(7); }
if (!WANTED && says.includes('broken')) { console.error('it says ' + says); process.exit(3); }
`;

describe('sfx test, and checks that run a command, on the engine', () => {
  let place: Place;

  const says = (text: string) =>
    writeFile(join(place.dir, 'greet.js'), `export const get = () => ({ says: '${text}' });\n`);
  const config = (checks = '') =>
    writeFile(
      join(place.dir, 'serverless.yml'),
      `service: hall\nprovider: local\nfunctions:\n  greet:\n    handler: greet.get\n    events:\n      - http: GET /greet\n${checks}`,
    );
  const told = (out: string) => JSON.parse(/^\{.*"says".*\}$/m.exec(out)![0]) as Record<string, string>;
  const sfx = (...words: string[]) => place.sfxWith({ env: { TOKEN: SECRET } }, ...words);
  /** Process ids whose command line holds a mark. */
  async function running(mark: string): Promise<string[]> {
    const found: string[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (line.split('\0').includes(mark)) found.push(pid);
    }
    return found;
  }

  before(async function () {
    this.timeout(60_000);
    place = await openPlace('tests');
    await writeFile(join(place.dir, 'test.mjs'), program);
    await says('hello');
    await config();
  });

  after(async function () {
    this.timeout(60_000);
    await place.close();
  });

  it('says what is missing: nothing deployed, no tests, no candidate', async () => {
    const nothing = await sfx('test', '--', 'node', 'test.mjs');
    assert.deepEqual([nothing.exit, /SFX4119/.test(nothing.err)], [1, true], nothing.err);
    assert.equal((await sfx('deploy')).exit, 0);
    const none = await sfx('test');
    assert.equal(none.exit, 64);
    assert.match(none.err, /SFX1010/);
    const candidate = await sfx('test', '--candidate', '--', 'node', 'test.mjs');
    assert.match(candidate.err, /SFX4113/);
    const missing = await sfx('test', '--', 'no-such-program-here');
    assert.equal(missing.exit, 1);
    assert.match(missing.err, /SFX1011/);
  }).timeout(60_000);

  it('runs a command with the addresses of the stage, and passes its output through', async () => {
    const { exit, out, err } = await sfx('test', '--', 'node', 'test.mjs');
    assert.equal(exit, 0, err);
    const { version, ...rest } = told(out);
    assert.deepEqual(rest, {
      SFX_STAGE: 'dev',
      SFX_SERVICE: 'hall',
      SFX_RELEASE: '1',
      SFX_CANDIDATE: '',
      says: 'hello',
    });
    assert.match(version!, /^greet@[0-9a-f]{12}$/);
    assert.match(out, /^✔ Tests pass: release 1 of hall dev\. +\d+\.\d s$/m);
    assert.match(err, /^hall · dev · local engine/);
  }).timeout(60_000);

  it('keeps stdout for JSON, and answers the exit code of the tests as its own', async () => {
    const failed = await place.sfxWith(
      { env: { WANTED: 'goodbye' } },
      'test',
      '--json',
      '--',
      'node',
      'test.mjs',
    );
    assert.equal(failed.exit, 1);
    const value = JSON.parse(failed.out) as Record<string, unknown>;
    assert.deepEqual(
      [value['passed'], value['exit'], value['as'], value['release'], value['stage']],
      [false, 7, 'exit', 1, 'dev'],
    );
    assert.match(failed.err, /wanted goodbye, got hello/);
  }).timeout(60_000);

  it('runs npm test of the project when nothing is named', async () => {
    await writeFile(
      join(place.dir, 'package.json'),
      JSON.stringify({ private: true, type: 'module', scripts: { test: 'node test.mjs' } }),
    );
    const { exit, out, err } = await sfx('test');
    assert.equal(exit, 0, err);
    assert.equal(told(out)['says'], 'hello');
  }).timeout(60_000);

  it('tests the candidate of an open release, which gets no other calls', async () => {
    await says('good day');
    assert.equal((await sfx('deploy', '--canary', '1')).exit, 0);
    const seen = await Promise.all(
      Array.from({ length: 5 }, () => sfx('test', '--candidate', '--', 'node', 'test.mjs')),
    );
    for (const { exit, out, err } of seen) {
      assert.equal(exit, 0, err);
      const { says: heard, SFX_RELEASE, SFX_CANDIDATE } = told(out);
      assert.deepEqual([heard, SFX_RELEASE, SFX_CANDIDATE], ['good day', '2', '1']);
    }
    const status = JSON.parse((await sfx('status', '--json')).out) as {
      units: { metrics?: { candidate?: { requests: number } } }[];
    };
    assert.equal(status.units[0]!.metrics?.candidate?.requests ?? 0, 0);
    assert.equal((await sfx('rollback')).exit, 0);
  }).timeout(60_000);

  it('ends a test that takes too long, with all that it started', async () => {
    const mark = `sfx-mark-${process.pid}-late`;
    const code = `require('node:child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)', '${mark}'], { stdio: 'inherit' }); console.log('began'); setInterval(() => {}, 1000)`;
    const { exit, out } = await sfx('test', '--timeout', '1', '--', 'node', '-e', code, mark);
    assert.equal(exit, 1);
    assert.match(out, /✖ Tests fail: release 1 of hall dev; not done after \d\.\d s\./);
    assert.deepEqual(await running(mark), []);
  }).timeout(60_000);

  it('is interrupted with all that it started, and leaves nothing that a test left behind', async () => {
    const mark = `sfx-mark-${process.pid}-stop`;
    const child = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '${mark}'], { stdio: 'ignore' }).unref();`;
    const going = place.go(
      'test',
      '--',
      'node',
      '-e',
      `${child} console.log('began'); setInterval(() => {}, 1000)`,
      mark,
    );
    await going.until(/began/);
    assert.equal((await running(mark)).length, 2);
    const { exit, out } = await going.interrupt();
    assert.equal(exit, 4);
    assert.match(out, /interrupted/);
    assert.deepEqual(await running(mark), []);
    const left = await sfx('test', '--', 'node', '-e', `${child} process.exit(0)`);
    assert.equal(left.exit, 0, left.err);
    assert.deepEqual(await running(mark), []);
  }).timeout(60_000);

  it('as a check: the command reaches the candidate before it has any traffic', async () => {
    await config('checks:\n  - name: whole\n    command: node test.mjs > seen.txt\n    timeout: 20s\n');
    await says('better');
    const { exit, err } = await sfx('deploy');
    assert.equal(exit, 0, err);
    assert.match(err, /check .*1 check passes/);
    const seen = told(await readFile(join(place.dir, 'seen.txt'), 'utf8'));
    assert.deepEqual([seen['says'], seen['SFX_CANDIDATE']], ['better', '1']);
  }).timeout(60_000);

  it('a command that fails fails the release, with its last lines, which are recorded nowhere', async () => {
    await config('checks:\n  - name: whole\n    command: node test.mjs\n');
    await says('broken');
    const { exit, err } = await sfx('deploy');
    assert.equal(exit, 1, err);
    assert.match(err, /✖ SFX5002 check whole failed: it ended with exit code 3/);
    assert.match(err, /^ {2}\| it says broken$/m);
    const json = await sfx('deploy', '--force', '--json');
    const result = JSON.parse(json.out.trimEnd().split('\n').at(-1)!) as { error: { output: string[] } };
    assert.ok(result.error.output.includes('it says broken'));
    assert.equal(told((await sfx('test', '--', 'node', 'test.mjs')).out)['says'], 'better');
    const state = join(place.home, 'state');
    for (const name of await readdir(state, { recursive: true })) {
      const text = await readFile(join(state, name), 'utf8').catch(() => '');
      assert.ok(!text.includes(SECRET) && !text.includes('it says broken'), name);
    }
  }).timeout(60_000);

  it('a command that takes longer than its timeout fails the release', async () => {
    await config('checks:\n  - name: slow\n    command: sleep 30\n    timeout: 300ms\n');
    const { exit, err } = await sfx('deploy', '--force');
    assert.equal(exit, 1, err);
    assert.match(err, /check slow failed: it took longer than 300 ms/);
  }).timeout(60_000);

  it('refuses checks that mean two things, nothing, or hold a value from outside', async () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ["  - name: a\n    command: 'true'\n    function: greet\n", /function means nothing beside it/],
      ['  - name: a\n', /needs a function to call, or a command to run/],
      ["  - name: a\n    command: ' '\n", /the command of check a is empty/],
      ['  - name: a\n    function: greet\n    timeout: 5s\n', /has a timeout of its own/],
      ['  - name: a\n    command: curl ${env:TOKEN}\n', /SFX2208/],
      ["  - name: a\n    command: 'true'\n    timeout: 0ms\n", /timeout of check a/],
    ];
    for (const [checks, message] of wrong) {
      await config(`checks:\n${checks}`);
      const { exit, err } = await sfx('deploy');
      assert.equal(exit, 64, err);
      assert.match(err.replaceAll(/\s+/g, ' '), message);
      assert.ok(!err.includes(SECRET));
    }
  }).timeout(60_000);

  it('needs the folder of the service to check', async () => {
    await config(
      "rollout:\n  steps:\n    - setWeight: 10\n    - pause: manual\n    - check: whole\n    - setWeight: 100\nchecks:\n  - name: whole\n    command: 'true'\n",
    );
    await says('at last');
    assert.equal((await sfx('deploy', '--force')).exit, 5);
    const away = await place.sfxWith({ cwd: '/' }, 'promote', '--service', 'hall', '--provider', 'local');
    assert.equal(away.exit, 64);
    assert.match(away.err, /SFX5007/);
    assert.match((await sfx('status')).out, /canary +10 %/);
    assert.equal((await sfx('promote')).exit, 0);
  }).timeout(60_000);
});
