import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { main } from '../src/main.js';
import { fakeIo } from './fake-io.js';

const CANARY = 'hunter2-canary-91ab';

interface Line {
  readonly code: string;
  readonly time: string;
  readonly ending?: string;
  readonly exit?: number;
  readonly writes?: number;
}

describe('a service and its command line, on the local engine', () => {
  let dir = '';
  const said: string[] = [];

  async function sfx(...words: string[]): Promise<{ exit: number; out: string; err: string }> {
    const io = fakeIo({
      cwd: dir,
      env: {
        ...process.env,
        LANG: 'C.UTF-8',
        SFX_LOCAL_HOME: join(dir, 'home'),
        TOKEN: CANARY,
      } as Record<string, string>,
    });
    const exit = await main(words, { ...io, now: () => Date.now() }, new AbortController().signal);
    said.push(io.out(), io.err());
    return { exit, out: io.out(), err: io.err() };
  }

  const events = (out: string): Line[] =>
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);

  async function change(text: string): Promise<void> {
    await writeFile(
      join(dir, 'src/hello.js'),
      `export const get = () => ({ says: ${JSON.stringify(text)} });\n`,
    );
  }

  before(async function () {
    this.timeout(60_000);
    dir = await mkdtemp(join(tmpdir(), 'sfx-life-'));
    const made = await sfx('init', '.', '--template', 'hello', '--name', 'life');
    assert.equal(made.exit, 0, made.err);
    const file = join(dir, 'serverless.yml');
    const text = await readFile(file, 'utf8');
    await writeFile(
      file,
      text.replace('    events:', '    environment:\n      TOKEN: ${env:TOKEN}\n    events:'),
    );
  });

  after(async function () {
    this.timeout(60_000);
    await sfx('local', 'stop');
    await rm(dir, { recursive: true, force: true });
  });

  it('says before anything is deployed what is missing', async () => {
    assert.equal((await sfx('rollback')).exit, 1);
    assert.match((await sfx('status')).out, /Nothing is deployed\./);
  }).timeout(60_000);

  it('deploys with one JSON line per event, the identity first and the result last', async () => {
    const { exit, out, err } = await sfx('deploy', '--json');
    const lines = events(out);
    assert.equal(exit, 0, out);
    assert.equal(err, '');
    assert.equal(lines[0]!.code, 'identity');
    assert.ok(lines.every((line) => !Number.isNaN(Date.parse(line.time))));
    const result = lines.at(-1)!;
    assert.deepEqual([result.code, result.ending, result.exit], ['result', 'live', 0]);
  }).timeout(60_000);

  it('says that an equal deploy changes nothing', async () => {
    const { exit, out } = await sfx('deploy');
    assert.equal(exit, 0);
    assert.match(out, /^Nothing changed\. Release 1 stays live on dev\. 0 writes\./);
    const result = events((await sfx('deploy', '--json')).out).at(-1)!;
    assert.deepEqual([result.ending, result.writes], ['unchanged', 0]);
  }).timeout(60_000);

  it('saves a plan, whose exit code tells whether anything differs, and does what it says', async () => {
    assert.equal((await sfx('plan', '--exit-code')).exit, 0);
    await change('Samovar');
    const { exit, out, err } = await sfx('plan', '--exit-code', '--out', 'plan.json');
    assert.equal(exit, 2, err);
    assert.match(out, /^~ hello +code/m);
    assert.match(out, /Nothing was written\./);
    const done = await sfx('deploy', '--plan', 'plan.json');
    assert.equal(done.exit, 0, done.err);
    assert.match(done.out, /^Release 2 is live on dev\./);
  }).timeout(60_000);

  it('opens a canary: who and what on stderr, the ending on stdout', async () => {
    await change('Urn');
    const { exit, out, err } = await sfx('deploy', '--canary', '20');
    assert.equal(exit, 0, err);
    assert.match(err, /^life · dev · local engine http/);
    assert.match(err, /^release 3 after 2 · 1 of 1 function changes$/m);
    assert.match(out, /^● Release 3 takes 20 % of dev, 2 takes 80 %\./);
  }).timeout(60_000);

  it('shows both versions while the canary is open', async () => {
    const { exit, out, err } = await sfx('status');
    assert.equal(exit, 0, err);
    assert.match(out, /^ {2}3 {2}canary {1,3}20 %/m);
    const value = JSON.parse((await sfx('status', '--json')).out) as Record<string, unknown>;
    assert.equal((value['candidate'] as { percent: number }).percent, 20);
    assert.equal(typeof (value['urls'] as { http: string }).http, 'string');
  }).timeout(60_000);

  it('promotes, and goes back from any folder, with and without saying so first', async () => {
    const promoted = await sfx('promote');
    assert.equal(promoted.exit, 0, promoted.err);
    const dry = await sfx('rollback', '--dry-run', '--service', 'life', '--provider', 'local');
    assert.match(dry.out, /Nothing was written\./);
    const back = await sfx('rollback', '--service', 'life', '--provider', 'local');
    assert.equal(back.exit, 0, back.err);
    assert.match(back.out, /^Release 4 \(= 2\) is live on dev\./);
    const again = await sfx('deploy');
    assert.equal(again.exit, 1);
    assert.match(again.err, /^✖ SFX4110 /m);
  }).timeout(60_000);

  it('removes only when it is told to', async () => {
    const refused = await sfx('remove');
    assert.equal(refused.exit, 64);
    assert.match(refused.err, /SFX1003/);
    assert.equal((await sfx('remove', '--yes')).exit, 0);
    assert.match((await sfx('local', 'status')).out, /^local engine running/);
  }).timeout(60_000);

  it('says no value of the environment in all of this', () => {
    assert.ok(said.every((text) => !text.includes(CANARY)));
  });
});
