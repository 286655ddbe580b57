import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { openPlace, type Place } from './engine.js';

describe('a candidate that does not come up, on the engine', () => {
  let place: Place;
  before(async () => {
    place = await openPlace('came-up');
    await writeFile(
      join(place.dir, 'serverless.yml'),
      'service: down\nprovider: local\nfunctions:\n  web:\n    command: [node, web.cjs]\n    package: { patterns: [web.cjs] }\n',
    );
    await writeFile(
      join(place.dir, 'web.cjs'),
      "for (let n = 0; n < 20; n += 1) console.log('line ' + n);\nconsole.error('no database at \\u001b[2Jnowhere');\nprocess.exit(3);\n",
    );
  });
  after(() => place.close());

  it('shows what it wrote last to whoever deployed, and keeps none of it in state', async () => {
    const { exit, err } = await place.sfx('deploy');
    assert.equal(exit, 1);
    assert.match(err, /SFX3106 web did not come up: it exited with code 3/);
    assert.match(err, /^ {2}\| line 11\n(.*\n){7} {2}\| line 19\n {2}\| no database at .*nowhere$/m);
    assert.doesNotMatch(err, /line 10$|\u001b\[2J/m);
    const state = join(place.home, 'state');
    for (const name of await readdir(state, { recursive: true }))
      if (name.endsWith('.json'))
        assert.doesNotMatch(await readFile(join(state, name), 'utf8'), /no database|line 19/, name);
  }).timeout(30_000);
});
