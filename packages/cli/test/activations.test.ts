import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { openPlace, type Place } from './engine.js';

interface Activation {
  readonly id: string;
  readonly status: string;
  readonly cause: string;
  readonly release: number;
  readonly result?: { readonly sum: number };
  readonly logs?: readonly { readonly text: string; readonly activation?: string }[];
}

describe('calls that nobody waits for, and what is known of single calls, on the engine', () => {
  let place: Place;

  const later = async (...words: string[]): Promise<string> => {
    const { exit, out, err } = await place.sfx('invoke', ...words, '--async', '--json');
    assert.equal(exit, 0, err);
    return (JSON.parse(out) as { activation: string }).activation;
  };
  /** The call, once it has ended. */
  async function ended(id: string): Promise<Activation> {
    for (let tries = 0; tries < 400; tries += 1) {
      const { out, err } = await place.sfx('activations', id, '--json');
      assert.equal(err, '');
      const { activation } = JSON.parse(out) as { activation: Activation };
      if (activation.status === 'ok' || activation.status === 'failed') return activation;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${id} did not end`);
  }

  before(async function () {
    this.timeout(60_000);
    place = await openPlace('activations');
    await writeFile(
      join(place.dir, 'sum.js'),
      "export const add = async ({ a, b }) => { console.log('adding \\u001b[2J' + a); return { sum: a + b }; };\n",
    );
    await writeFile(
      join(place.dir, 'serverless.yml'),
      'service: sums\nprovider: local\nfunctions:\n  add:\n    handler: sum.add\n',
    );
    assert.equal((await place.sfx('deploy')).exit, 0);
  });

  after(async function () {
    this.timeout(60_000);
    await place.close();
  });

  it('answers the id at once, and says how to look', async () => {
    const { exit, out } = await place.sfx(
      'invoke',
      'add',
      '--data',
      '{"a":1,"b":2}',
      '--async',
      '--stage',
      'dev',
    );
    assert.equal(exit, 0);
    const [id, look] = out.split('\n');
    assert.match(look!, new RegExp(`^ {2}look +sfx activations ${id!.slice(0, 8)} --stage dev$`));
    const one = await ended(id!);
    assert.deepEqual([one.status, one.cause, one.release, one.result], ['ok', 'async', 1, { sum: 3 }]);
  }).timeout(60_000);

  it('shows one call whole, by the beginning of its id, with nothing that moves the cursor', async () => {
    const id = await later('add', '--data', '{"a":40,"b":2}');
    await ended(id);
    const { exit, out } = await place.sfx('activations', id.slice(0, 8));
    assert.equal(exit, 0);
    assert.match(out, new RegExp(`^add ${id} ok$`, 'm'));
    assert.match(out, /^ {2}release +1$/m);
    assert.match(out, /"sum": 42/);
    assert.match(out, /adding \\x1b\[2J40$/m);
    assert.ok(!out.includes('\u001b'));
  }).timeout(60_000);

  it('shows what one call wrote, and nothing of others', async () => {
    const [one, two] = [
      await later('add', '--data', '{"a":71,"b":2}'),
      await later('add', '--data', '{"a":72,"b":2}'),
    ];
    await ended(one);
    await ended(two);
    const { exit, out } = await place.sfx('logs', '--activation', one.slice(0, 13));
    assert.equal(exit, 0);
    assert.match(out, /71$/m);
    assert.doesNotMatch(out, /72$/m);
    assert.match(
      (await place.sfx('logs', '--verbose')).out,
      new RegExp(` add 1 ${two.slice(0, 8)} .*72$`, 'm'),
    );
    assert.equal((await place.sfx('logs', '--activation', one, '--release', '1')).exit, 64);
    const nobody = await place.sfx('logs', 'nobody');
    assert.equal(nobody.exit, 64);
    assert.match(nobody.err, /SFX4117 there is no function nobody\s+There are: add\./);
  }).timeout(60_000);

  it('lists calls, newest first, and only those that are asked for', async () => {
    await place.sfx('invoke', 'add', '--data', '{"a":1,"b":1}');
    const { out } = await place.sfx('activations');
    const [head, first] = out.split('\n');
    assert.match(head!, /^id +function +release +cause +age +took +start +status$/);
    assert.match(first!, /^[0-9a-z-]{8} +add +1 +invoke +\S+( \S+)? +\d+ ms +(cold|warm) +ok$/);
    const list = async (...words: string[]) =>
      (JSON.parse((await place.sfx('activations', '--json', ...words)).out) as { activations: Activation[] })
        .activations;
    assert.equal((await list('--limit', '2')).length, 2);
    assert.deepEqual(await list('--status', 'failed'), []);
    assert.deepEqual(await list('--function', 'nobody'), []);
    const asked = (await list()).map((one) => (one as unknown as { asked: string }).asked);
    assert.deepEqual(asked, [...asked].sort().reverse());
    assert.equal((await place.sfx('activations', '--status', 'failed')).out, 'No calls are known.\n');
  }).timeout(60_000);

  it('goes on as new ones end, until it is interrupted', async () => {
    const going = place.go('activations', '--follow', '--json', '--limit', '1');
    await going.until(/\n/);
    const id = await later('add', '--data', '{"a":5,"b":5}');
    await going.until(new RegExp(`"id":"${id}"[^\\n]*"status":"ok"`));
    assert.equal((await going.interrupt()).exit, 0);
  }).timeout(60_000);

  it('refuses what it does not know', async () => {
    const unknown = await place.sfx('activations', 'nobody-knows');
    assert.equal(unknown.exit, 1);
    assert.match(unknown.err, /SFX4125 there is no activation nobody-knows/);
    assert.equal((await place.sfx('activations', 'x', '--limit', '3')).exit, 64);
    assert.equal((await place.sfx('activations', '--status', 'done')).exit, 64);
    assert.equal((await place.sfx('activations', '--since', 'noon')).exit, 64);
    assert.equal((await place.sfx('invoke', 'nobody', '--async')).exit, 64);
    const several = await place.sfx('activations', '');
    assert.notEqual(several.exit, 0);
  }).timeout(60_000);
});
