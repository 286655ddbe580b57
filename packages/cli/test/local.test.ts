import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { openPlace, type Place } from './engine.js';

describe('sfx local reset and logs, on the engine', () => {
  let place: Place;

  before(async function () {
    this.timeout(60_000);
    place = await openPlace('local');
    assert.equal((await place.sfx('init', '.', '--name', 'kept')).exit, 0);
    for (const stage of ['dev', 'other']) {
      const { exit, err } = await place.sfx('deploy', '--stage', stage);
      assert.equal(exit, 0, err);
    }
  });

  after(async function () {
    this.timeout(60_000);
    await place.close();
  });

  it('takes nothing away unless it is told to, or asked and answered', async () => {
    const refused = await place.sfx('local', 'reset');
    assert.equal(refused.exit, 64);
    assert.match(refused.err, /SFX1003.*reset takes away what the engine keeps of kept dev, kept\s+other/s);
    const no = await place.sfxWith({ answer: 'yes' }, 'local', 'reset');
    assert.deepEqual([no.exit, no.out], [64, 'Nothing was taken away.\n']);
    assert.equal((await place.sfxWith({ answer: '2' }, 'local', 'reset', '--json')).exit, 64);
    assert.match((await place.sfx('status')).out, /^ {2}1 +live/m);
  }).timeout(60_000);

  it('refuses names that mean nothing and words of other actions', async () => {
    const unknown = await place.sfx('local', 'reset', 'nobody', '--yes');
    assert.equal(unknown.exit, 1);
    assert.match(unknown.err, /SFX6011 the engine keeps nothing of nobody/);
    assert.match((await place.sfx('local', 'reset', '../dev', '--yes')).err, /SFX6007/);
    assert.match((await place.sfx('local', 'reset', 'kept/dev/x', '--yes')).err, /SFX6007/);
    assert.equal((await place.sfx('local', 'stop', 'kept')).exit, 64);
    assert.equal((await place.sfx('local', 'stop', '--yes')).exit, 64);
    assert.match((await place.sfx('local', 'status')).out, /kept · other/);
  }).timeout(60_000);

  it('takes nothing away under a command that is at work', async () => {
    const file = join(place.dir, 'serverless.yml');
    const whole = await readFile(file, 'utf8');
    const [begun, go] = [join(place.dir, 'begun'), join(place.dir, 'go')];
    const command = `touch ${begun}; while [ ! -e ${go} ]; do sleep 0.05; done`;
    await writeFile(file, `${whole}\nchecks:\n  - { name: waits, command: '${command}' }\n`);
    const source = join(place.dir, 'src/hello.js');
    await writeFile(source, (await readFile(source, 'utf8')).replace('Hello', 'Good day'));
    const deploying = place.go('deploy', '--stage', 'other');
    for (let n = 0; n < 500 && !existsSync(begun); n += 1) await setTimeout(20);
    for (const what of [['kept/other'], ['kept'], []]) {
      const refused = await place.sfx('local', 'reset', ...what, '--yes');
      assert.equal(refused.exit, 75, refused.out);
      assert.match(refused.err, /SFX4101 kept other is held by\s+\S+\s+for\s+`deploy`/);
    }
    await writeFile(go, '');
    const { exit, out, err } = await deploying.ended;
    assert.equal(exit, 0, err);
    assert.match(out, /^Release 2 is live on other\./m);
    await writeFile(file, whole);
    await Promise.all([begun, go].map((path) => rm(path)));
  }).timeout(60_000);

  it('takes one stage away while the engine runs, and leaves the other serving', async () => {
    const { exit, out, err } = await place.sfx('local', 'reset', 'kept/dev', '--yes');
    assert.equal(exit, 0, err);
    assert.match(out, /^Gone: kept · dev\.$/m);
    assert.ok(out.includes(place.home), out);
    assert.match((await place.sfx('status')).out, /Nothing is deployed\./);
    const other = await place.sfx('invoke', 'hello', '--stage', 'other');
    assert.equal(other.exit, 0, other.err);
    assert.match((await place.sfx('deploy')).out, /^Release 1 is live on dev\./m);
  }).timeout(60_000);

  it('shows the log of the engine, also as JSON, and goes on with it', async () => {
    const file = join(place.home, 'engine.log');
    assert.match((await place.sfx('local', 'logs')).out, /ready on port \d+/);
    const rows = (await place.sfx('local', 'logs', '--json')).out.trimEnd().split('\n');
    const first = JSON.parse(rows[0]!) as { at: string; text: string };
    assert.ok(!Number.isNaN(Date.parse(first.at)));
    const going = place.go('local', 'logs', '--follow');
    await going.until(/ready on port/);
    await appendFile(file, 'half a \u001b[2J');
    await appendFile(file, 'line\n');
    await going.until(/^half a \\x1b\[2Jline$/m);
    await writeFile(file, 'anew\n');
    await going.until(/^anew$/m);
    assert.equal((await going.interrupt()).exit, 0);
  }).timeout(60_000);

  it('without a name stops the engine, takes all of it, and only that', async () => {
    await mkdir(join(place.home, 'mine'));
    const done = await place.sfx('local', 'reset', '--yes', '--json');
    assert.equal(done.exit, 0, done.out);
    const value = JSON.parse(done.out) as { gone: unknown[]; stopped: boolean };
    assert.deepEqual([value.gone.length, value.stopped], [2, true]);
    assert.match((await place.sfx('local', 'status')).out, /^local engine stopped/);
    const left = await readdir(place.home);
    assert.ok(left.includes('mine') && !left.includes('stages') && !left.includes('state'), left.join());
    assert.match((await place.sfx('local', 'reset', '--yes')).out, /^Nothing was kept\.$/m);
  }).timeout(60_000);
});
