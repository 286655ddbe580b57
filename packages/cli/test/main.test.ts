import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { main } from '../src/main.js';
import { type FakeInit, fakeIo } from './fake-io.js';

const CANARY = 'hunter2-canary-7f3e';

interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

async function sfx(words: readonly string[], init: FakeInit = {}): Promise<Ended> {
  const io = fakeIo(init);
  const exit = await main(words, io, new AbortController().signal);
  return { exit, out: io.out(), err: io.err() };
}

describe('a command from its words to its end', () => {
  let dir = '';
  const at = (...path: string[]): string => join(dir, ...path);
  const here = (...words: string[]): Promise<Ended> =>
    sfx(words, { cwd: dir, env: { TOKEN: CANARY, SFX_LOCAL_HOME: at('home') } });

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sfx-cli-'));
    await mkdir(at('src'));
    await writeFile(at('src/hello.js'), 'export const get = () => ({ statusCode: 200 });\n');
    await writeFile(
      at('serverless.yml'),
      [
        'service: hello',
        'provider:',
        '  name: local',
        'functions:',
        '  hello:',
        '    handler: src/hello.get',
        '    environment:',
        '      TOKEN: ${env:TOKEN}',
        '      MIXED: a-${env:TOKEN}-b',
        '    events:',
        '      - http: GET /',
        '',
      ].join('\n'),
    );
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('answers --version, help and explain without a file', async () => {
    assert.match((await sfx(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
    assert.match((await sfx([])).out, /^sfx \d/);
    assert.match((await sfx(['rollback', '--help'])).out, /^sfx rollback \[<release>\] \[options\]$/m);
    assert.match((await sfx(['explain', '4103'])).out, /^SFX4103 /);
    assert.equal((await sfx(['explain', 'SFX0000'])).exit, 64);
    assert.ok(
      Object.keys((JSON.parse((await sfx(['explain', '--json'])).out) as { errors: object }).errors).includes(
        'SFX9001',
      ),
    );
  });

  it('puts results on stdout and mistakes on stderr, with exit code 64', async () => {
    const wrong = await sfx(['delpoy']);
    assert.deepEqual({ exit: wrong.exit, out: wrong.out }, { exit: 64, out: '' });
    assert.match(wrong.err, /^✖ SFX1001 /);
    const nowhere = await sfx(['validate'], { cwd: tmpdir() });
    assert.equal(nowhere.exit, 64);
    assert.match(nowhere.err, /^✖ SFX1004 /);
  });

  it('tells a mistake as JSON when JSON was asked for, also before the words were understood', async () => {
    const wrong = await sfx(['status', '--json', '--wrong']);
    assert.equal(wrong.exit, 64);
    assert.equal((JSON.parse(wrong.out) as { error: { code: string } }).error.code, 'SFX1001');
    const line = JSON.parse((await sfx(['deploy', '--json', '--wrong'])).out) as {
      code: string;
      time: string;
      exit: number;
    };
    assert.deepEqual([line.code, line.exit, typeof line.time], ['error', 64, 'string']);
  });

  it('never prints a value of the environment, except where it is asked to', async () => {
    for (const words of [
      ['validate'],
      ['validate', '--json'],
      ['validate', '--debug', '--verbose'],
      ['print'],
      ['print', '--format', 'json'],
      ['compile'],
      ['package'],
      ['package', '--json'],
      ['print', '--path', 'functions.hello.missing'],
    ]) {
      const { out, err } = await here(...words);
      assert.ok(!`${out}${err}`.includes(CANARY), words.join(' '));
    }
    assert.ok((await here('print', '--reveal')).out.includes(`MIXED: a-${CANARY}-b`));
  });

  it('never prints such a value in an error either', async () => {
    const text = await readFile(at('serverless.yml'), 'utf8');
    await writeFile(
      at('serverless.yml'),
      text.replace('handler: src/hello.get', 'handler: ${env:TOKEN}\n    memory: ${env:TOKEN}'),
    );
    for (const words of [['validate'], ['validate', '--json'], ['validate', '--debug']]) {
      const { exit, out, err } = await here(...words);
      assert.equal(exit, 64);
      assert.ok(!`${out}${err}`.includes(CANARY), `${words.join(' ')}: ${out}${err}`);
    }
  });

  it('validates, prints and compiles a file', async () => {
    const { exit, out } = await here('validate');
    assert.equal(exit, 0);
    assert.match(out, /^serverless\.yml {2}hello · dev · local: 1 function, 1 trigger$/m);
    assert.equal((await here('print', '--path', 'functions.hello.handler')).out, 'src/hello.get\n');
    assert.equal((await here('print', '--path', 'functions.helo')).exit, 64);
    const ir = JSON.parse((await here('compile')).out) as { units: unknown[] };
    assert.equal(ir.units.length, 1);
    assert.equal((await here('compile', '--out', 'ir.json')).exit, 0);
    assert.deepEqual(JSON.parse(await readFile(at('ir.json'), 'utf8')), ir);
    assert.equal((await here('compile', '--out', 'no/such/folder/ir.json')).exit, 64);
  });

  it('names a missing handler with its place and the nearest one', async () => {
    const text = await readFile(at('serverless.yml'), 'utf8');
    await writeFile(at('serverless.yml'), text.replace('src/hello.get', 'scr/hello.get'));
    const { exit, err } = await here('validate');
    assert.equal(exit, 64);
    assert.match(err, /^✖ SFX2301 /);
    assert.match(err, /serverless\.yml:6:14/);
    assert.match(err, /\^+/);
    assert.match(err, /1 error\. Nothing was built or changed\./);
  });

  it('refuses a plan that is none', async () => {
    await writeFile(at('plan.json'), '{"version":1}');
    const { exit, err } = await here('deploy', '--plan', 'plan.json');
    assert.equal(exit, 64);
    assert.match(err, /SFX4202/);
    assert.match((await here('deploy', '--plan', 'none.json')).err, /SFX1007/);
  });

  it('writes a service that validates, and overwrites nothing', async () => {
    const made = await here('init', 'My Shop', '--template', 'shop');
    assert.equal(made.exit, 0, made.err);
    assert.match(
      made.out,
      /^created My Shop: package\.json, serverless\.yml, \d+ files in src\. Next: cd My Shop && sfx deploy$/m,
    );
    assert.equal((await sfx(['validate'], { cwd: at('My Shop') })).exit, 0);
    assert.match(await readFile(at('My Shop/serverless.yml'), 'utf8'), /^service: my-shop$/m);
    const again = await here('init', 'My Shop');
    assert.equal(again.exit, 64);
    assert.match(again.err, /SFX1006/);
    assert.match((await here('init', '123')).err, /SFX1002/);
  });

  it('says what a provider can do', async () => {
    const { exit, out } = await here('providers');
    assert.equal(exit, 0);
    assert.match(out, /^local · @sfx-deploy\/provider-local \d/m);
  });

  it('calls what it did not expect a defect, with exit code 70 and no stack trace', async () => {
    const io = fakeIo({ cwd: dir });
    const broken = {
      ...io,
      get cwd(): string {
        throw new TypeError('x is not a function');
      },
    };
    const exit = await main(['validate'], broken, new AbortController().signal);
    assert.equal(exit, 70);
    assert.match(io.err(), /^✖ SFX9001 defect in sfx: x is not a function\n/);
    assert.doesNotMatch(io.err(), /\n +at /);
  });
});
