import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { type Going, openPlace, type Place } from './engine.js';

interface Line {
  readonly code: string;
  readonly release?: number;
  readonly files?: readonly string[];
  readonly functions?: readonly string[];
  readonly urls?: { readonly http: string };
  readonly line?: { readonly text: string };
  readonly serving?: number | null;
  readonly again?: boolean;
  readonly error?: { readonly code: string };
}

describe('sfx dev, on the engine', () => {
  let place: Place;
  let going: Going;

  const source = (name: string, says: string, more = '') =>
    writeFile(
      join(place.dir, 'src', `${name}.js`),
      `import { word } from './lib/word.js';\n${more}\nexport const get = () => { console.log('${name} was called'); return { says: '${says} ' + word }; };\n`,
    );
  const file = (extra = '') =>
    writeFile(
      join(place.dir, 'serverless.yml'),
      `service: tea\nprovider:\n  name: local\n  runtime: nodejs20.x\nfunctions:\n${['one', 'two']
        .map((name) => `  ${name}:\n    handler: src/${name}.get\n    events:\n      - http: GET /${name}\n`)
        .join('')}${extra}`,
    );
  const lines = (): Line[] =>
    going.io
      .out()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  const last = (code: string): Line | undefined => lines().findLast((line) => line.code === code);
  const says = async (path: string): Promise<string> => {
    const { urls } = lines().find((line) => line.code === 'dev.ready')!;
    return (await fetch(`${urls!.http}${path}`)).text();
  };

  before(async function () {
    this.timeout(60_000);
    place = await openPlace('dev');
    await mkdir(join(place.dir, 'src/lib'), { recursive: true });
    await writeFile(join(place.dir, 'src/lib/word.js'), "export const word = 'tea';\n");
    await source('one', 'first');
    await source('two', 'second');
    await file();
    going = place.go('dev', '--json');
    await going.until(/"dev\.ready"/);
  });

  after(async function () {
    this.timeout(60_000);
    await going.interrupt();
    await place.close();
  });

  it('releases what is there, and says where it answers', async () => {
    assert.equal(lines()[0]!.code, 'identity');
    const ready = last('dev.ready')!;
    assert.deepEqual([ready.release, ready.functions], [1, ['one', 'two']]);
    assert.match(await says('/one'), /first tea/);
  }).timeout(60_000);

  it('releases the one function that a change is of, in one line', async () => {
    await source('one', 'changed');
    await going.until(/"dev\.released".*"release":2/);
    const { files, functions } = last('dev.released')!;
    assert.deepEqual([files, functions], [['src/one.js'], ['one']]);
    assert.match(await says('/one'), /changed tea/);
    assert.match(await says('/two'), /second tea/);
  }).timeout(60_000);

  it('follows what is imported, also when an editor saves by renaming', async () => {
    await writeFile(join(place.dir, 'src/lib/.word.js.swp'), 'x');
    await writeFile(join(place.dir, 'src/lib/word.new'), "export const word = 'coffee';\n");
    await rename(join(place.dir, 'src/lib/word.new'), join(place.dir, 'src/lib/word.js'));
    await going.until(/"dev\.released".*"release":3/);
    const { files, functions } = last('dev.released')!;
    assert.ok(files!.includes('src/lib/word.js') && !files!.some((name) => /swp/.test(name)), files!.join());
    assert.deepEqual(functions, ['one', 'two']);
    assert.match(await says('/two'), /second coffee/);
  }).timeout(60_000);

  it('follows the logs of the versions that are live now', async () => {
    await says('/two');
    await going.until(/"dev\.log".*two was called/);
    await source('two', 'third', "console.log('two began');");
    await going.until(/"dev\.released".*"release":4/);
    await says('/two');
    await going.until(/two began/);
    const heard = () => lines().filter((line) => line.line?.text === 'one was called').length;
    const before = heard();
    await says('/one');
    await going.until(new RegExp(`(one was called[^]*){${before + 1}}`));
    await says('/one');
    await going.until(new RegExp(`(one was called[^]*){${before + 2}}`));
    assert.equal(heard(), before + 2);
  }).timeout(60_000);

  it('keeps the last good release while the code is wrong, and shows the place once', async () => {
    await writeFile(join(place.dir, 'src/one.js'), 'export const get = () => {\n  return {;\n};\n');
    await going.until(/"dev\.failed"/);
    const failed = last('dev.failed')!;
    assert.deepEqual([failed.serving, failed.again, failed.error!.code], [4, false, 'SFX2302']);
    assert.match(JSON.stringify(failed), /return \{;/);
    assert.match(await says('/one'), /changed coffee/);
    await writeFile(join(place.dir, 'README.md'), 'nothing to do with it\n');
    await going.until(/"again":true/);
    await source('one', 'changed');
    await going.until(/"dev\.mended".*"release":4/);
  }).timeout(60_000);

  it('goes on watching with a broken serverless.yml', async () => {
    await file('  three: {{\n');
    await going.until(/"dev\.failed".*SFX2/);
    await file('  three:\n    handler: src/one.get\n');
    await going.until(/"dev\.released".*"release":5/);
    assert.deepEqual(last('dev.released')!.functions, ['three']);
  }).timeout(60_000);

  it('takes hundreds of saves together, and ends at the last of them', async () => {
    const before = lines().length;
    for (let n = 0; n < 300; n += 1) await source('one', `save ${n}.`);
    await going.until(/"dev\.released".*"release":6/);
    for (let tries = 0; !/save 299\./.test(await says('/one')); tries += 1) {
      assert.ok(tries < 200, 'the last save never came');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const released = lines()
      .slice(before)
      .filter((line) => line.code === 'dev.released');
    assert.ok(released.length < 30, `${released.length} releases of 300 saves`);
  }).timeout(60_000);

  it('looks at nothing that was not built from, and keeps no more built code than it needs', async () => {
    const before = lines().length;
    await mkdir(join(place.dir, 'notes/deep'), { recursive: true });
    await writeFile(join(place.dir, 'notes/deep/x.js'), 'export {};\n');
    const release = last('dev.released')!.release!;
    for (let n = 0; n < 4; n += 1) {
      await source('two', `round ${n}`);
      await going.until(new RegExp(`"dev\\.released".*"release":${release + n + 1}[,}]`));
    }
    assert.ok(
      lines()
        .slice(before)
        .every((line) => !JSON.stringify(line).includes('notes/')),
    );
    assert.ok((await readdir(join(place.dir, '.sfx/artifacts'))).length <= 60);
    const versions = await readdir(join(place.home, 'stages/tea/dev/versions/two')).catch(() => []);
    assert.ok(versions.length <= 8, versions.join());
  }).timeout(60_000);

  it('takes a folder that comes new', async () => {
    await mkdir(join(place.dir, 'src/new'));
    await writeFile(join(place.dir, 'src/new/word.js'), "export const word = 'cocoa';\n");
    await source('two', 'fourth', "import { word as other } from './new/word.js';\nconsole.log(other);");
    await going.until(/"dev\.released".*src\/two/);
    await says('/two');
    await going.until(/cocoa/);
    await writeFile(join(place.dir, 'src/new/word.js'), "export const word = 'water';\n");
    await going.until(/"dev\.released".*src\/new\/word\.js/);
    await rm(join(place.dir, 'src/new'), { recursive: true });
    await going.until(/"dev\.failed".*src\/new/);
    await source('two', 'fifth');
    await going.until(/"dev\.(released|mended)"[^\n]*src\/two\.js[^\n]*\n$/);
  }).timeout(60_000);

  it('ends with Ctrl-C, and the engine goes on', async () => {
    const { exit, out } = await going.interrupt();
    assert.equal(exit, 0);
    const end = JSON.parse(out.trimEnd().split('\n').at(-1)!) as Line & { stage: string };
    assert.deepEqual([end.code, end.stage], ['dev.end', 'dev']);
    assert.match(await says('/two'), /fifth coffee/);
    assert.equal(await readFile(join(place.dir, '.sfx/.gitignore'), 'utf8'), '*\n');
  }).timeout(60_000);

  it('says it for people: a line per change, a frame per error', async () => {
    going = place.go('dev');
    await going.until(/watching the project/);
    assert.match(going.io.err(), /^tea · dev · local engine http/);
    assert.match(going.io.out(), /^\d\d:\d\d:\d\d {2}release \d+ live {2}3 functions {2}\d+\.\d s$/m);
    await source('two', 'sixth');
    await going.until(/^\d\d:\d\d:\d\d {2}src\/two\.js changed -> two {2}release \d+ live {2}\d+\.\d s$/m);
    await writeFile(join(place.dir, 'src/two.js'), 'export const get = () => ({;\n');
    await going.until(/^\d\d:\d\d:\d\d {2}✖ src\/two\.js changed: not released; release \d+ serves$/m);
    assert.match(going.io.err(), /✖ SFX2302/);
    const { exit, out } = await going.interrupt();
    assert.equal(exit, 0);
    assert.match(out, /^Ended\. Release \d+ of tea dev serves on\.$/m);
  }).timeout(60_000);
});

describe('sfx dev: what it must not touch, and wrong input', () => {
  let place: Place;

  before(async function () {
    this.timeout(60_000);
    place = await openPlace('dev-apart');
    assert.equal((await place.sfx('init', '.', '--name', 'apart')).exit, 0);
  });

  after(async function () {
    this.timeout(60_000);
    await place.close();
  });

  it('leaves a stage alone that was deployed: it runs beside it', async () => {
    assert.equal((await place.sfx('deploy', '--stage', 'prod')).exit, 0);
    const before = (await place.sfx('releases', '--stage', 'prod', '--json')).out;
    const going = place.go('dev', '--stage', 'prod', '--json');
    const text = await going.until(/"dev\.ready"/);
    assert.match(text, /"stage":"dev-prod"/);
    assert.equal((await going.interrupt()).exit, 0);
    assert.equal((await place.sfx('releases', '--stage', 'prod', '--json')).out, before);
  }).timeout(60_000);

  it('does not use the state of a file that is for another provider', async () => {
    const path = join(place.dir, 'serverless.yml');
    const text = await readFile(path, 'utf8');
    await writeFile(path, `${text.replace('name: local', 'name: aws')}\nstate:\n  path: elsewhere\n`);
    const going = place.go('dev', '--json');
    await going.until(/"dev\.ready"/);
    await going.interrupt();
    assert.ok(!(await readdir(place.dir)).includes('elsewhere'));
    await writeFile(path, text);
  }).timeout(60_000);

  it('refuses another provider, and a folder without a file', async () => {
    const other = await place.sfx('dev', '--provider', 'aws');
    assert.equal(other.exit, 64);
    assert.match(other.err, /SFX1002 `sfx dev` runs on the local engine, not on aws/);
    const none = await place.sfxWith({ cwd: join(place.dir, 'src') }, 'dev');
    assert.equal(none.exit, 64);
    assert.match(none.err, /SFX1004/);
  }).timeout(60_000);

  it('ends at once with what no edit can mend', async () => {
    const { exit, err } = await place.sfxWith({ env: { SFX_LOCAL_HOME: 'relative' } }, 'dev');
    assert.equal(exit, 64);
    assert.match(err, /SFX6005/);
  }).timeout(60_000);

  it('waits for the edit when the first code is wrong, and says what serves meanwhile', async () => {
    const named = (await readdir(join(place.dir, 'src')))[0]!;
    const first = join(place.dir, 'src', named);
    const text = await readFile(first, 'utf8');
    for (const [stage, serves, end] of [
      ['dev', /not released; release \d+ serves/, /Release \d+ of \w+ dev serves on/],
      ['never', /not released; nothing serves yet/, /Ended\. Nothing serves\./],
    ] as const) {
      await writeFile(first, `${text}\n}{`);
      const given = place.go('dev', '--stage', stage);
      await given.until(serves);
      assert.match((await given.interrupt()).out, end);
    }
    const going = place.go('dev');
    await going.until(/not released; release \d+ serves/);
    await writeFile(first, text);
    await going.until(/release \d+ live/);
    assert.equal((await going.interrupt()).exit, 0);
  }).timeout(60_000);

  it('claims nothing of what serves while the file does not say which service it is', async () => {
    const file = join(place.dir, 'serverless.yml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, `service: [\n`);
    const going = place.go('dev');
    const said = await going.until(/not released[^\n]*\n/);
    assert.doesNotMatch(said, /serves/);
    await going.interrupt();
    await writeFile(file, text);
  }).timeout(60_000);
});

describe('sfx dev, when new code builds and does not come up', () => {
  it('keeps what is live, and says why', async () => {
    const place = await openPlace('dev-broken');
    const code = (top: string) =>
      writeFile(join(place.dir, 'one.js'), `${top}\nexport const get = () => ({ says: 'fine' });\n`);
    await writeFile(
      join(place.dir, 'serverless.yml'),
      'service: brittle\nprovider: local\nfunctions:\n  one:\n    handler: one.get\n    events:\n      - http: GET /one\n',
    );
    await code('');
    const going = place.go('dev', '--json');
    try {
      const ready = await going.until(/"dev\.ready"[^\n]*\n/);
      const [, url = ''] = /"http":"(http:[^"]+)"/.exec(ready) ?? [];
      await code("throw new Error('not today');");
      const failed = await going.until(/"dev\.(failed|released|mended)"[^\n]*\n/);
      assert.match(failed, /"code":"SFX3106"[^\n]*not today/);
      assert.doesNotMatch(failed, /"dev\.(released|mended)"/);
      assert.match(await (await fetch(`${url}/one`)).text(), /fine/);
      await code('');
      await going.until(/"dev\.(released|mended)"/);
    } finally {
      await going.interrupt();
      await place.close();
    }
  }).timeout(60_000);
});
