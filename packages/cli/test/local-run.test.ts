import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { openPlace, type Place } from './engine.js';

describe('sfx local run and redrive, on the engine', () => {
  let place: Place;

  before(async function () {
    this.timeout(60_000);
    place = await openPlace('local-run');
    await mkdir(join(place.dir, 'src'), { recursive: true });
    await writeFile(
      join(place.dir, 'src/work.js'),
      `let broken = true;
export const sweep = async (event) => ({ source: event.source });
export const pack = async (event) => { throw new Error('no box for ' + event.Records.length); };
`,
    );
    await writeFile(
      join(place.dir, 'serverless.yml'),
      `service: works
provider: { name: local }
functions:
  sweep:
    handler: src/work.sweep
    events:
      - schedule: { name: nightly, rate: cron(0 3 * * ? *) }
  pack:
    handler: src/work.pack
    events:
      - queue: { queue: boxes, maxReceives: 1 }
  send:
    handler: src/send.one
`,
    );
    await writeFile(
      join(place.dir, 'src/send.js'),
      `export const one = async () => {
  const answer = await fetch(process.env.SFX_EVENTS_URL + '/queues/boxes', { method: 'POST', body: 'a box' });
  return answer.status;
};
`,
    );
    const { exit, err } = await place.sfx('deploy');
    assert.equal(exit, 0, err);
  });

  after(async function () {
    this.timeout(60_000);
    await place.close();
  });

  it('runs a schedule now, and names its activation', async () => {
    const { exit, out, err } = await place.sfx('local', 'run', 'works/dev/nightly', '--json');
    assert.equal(exit, 0, err);
    const { activation } = JSON.parse(out) as { activation: string };
    const record = await until(async () => {
      const { out: text } = await place.sfx('activations', activation, '--json');
      const { activation: one } = JSON.parse(text) as { activation: { status: string; result: unknown } };
      return one.status === 'ok' ? one : undefined;
    });
    assert.deepEqual(record.result, { source: 'aws.events' });
    assert.match(
      (await place.sfx('local', 'run', 'works/dev/nightly')).out,
      /^Schedule nightly runs now\.$/m,
    );
  }).timeout(60_000);

  it('sends dead letters back to where they came from', async () => {
    assert.equal((await place.sfx('invoke', 'send')).out.trim(), '202');
    const { sent } = await until(async () => {
      const { exit, out } = await place.sfx('local', 'redrive', 'works/dev/boxes-dead', '--json');
      const done = JSON.parse(out) as { sent: number };
      return exit === 0 && done.sent > 0 ? done : undefined;
    });
    assert.equal(sent, 1);
  }).timeout(60_000);

  it('refuses what is no place, no schedule and no queue', async () => {
    assert.match((await place.sfx('local', 'run')).err, /SFX1002.*<service>\/<stage>\/<schedule>/s);
    assert.match((await place.sfx('local', 'redrive', 'works/dev')).err, /SFX1002.*<queue>/s);
    assert.match((await place.sfx('local', 'run', 'works/dev/none')).err, /SFX6011/);
    assert.match((await place.sfx('local', 'redrive', 'works/dev/none')).err, /SFX6011/);
  }).timeout(60_000);

  async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});
