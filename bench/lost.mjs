// Whether releases lose calls: four of them, one after another, under load.

import { withEngine } from './engine.mjs';
import { functionName } from './generate-service.mjs';
import { load } from './load.mjs';

const CALLS = 20_000;
const FUNCTIONS = 4;

export function lost() {
  return withEngine(async ({ service }) => {
    const shop = service(FUNCTIONS);
    await shop.sfx(['deploy']);
    const root = await shop.url();
    const urls = Array.from({ length: FUNCTIONS }, (_, i) => `${root}/${functionName(i)}`);
    const during = async (progress) => {
      await progress(CALLS * 0.1);
      shop.edit(2);
      await shop.sfx(['deploy']);
      await progress(CALLS * 0.3);
      shop.edit(3);
      await shop.sfx(['deploy', '--canary', '5'], [0, 5]);
      await progress(CALLS * 0.5);
      await shop.sfx(['promote']);
      await progress(CALLS * 0.7);
      await shop.sfx(['rollback']);
    };
    const done = await load(urls, { calls: CALLS, during });
    for (const reason of new Set(done.lost)) process.stderr.write(`lost: ${reason}\n`);
    // Calls of each release were answered, or nothing was shown.
    const seen = ['1', '2', '3'].every((release) => done.releases.has(release));
    const holds = done.lost.length === 0 && seen;
    return [
      {
        work: `calls lost through deploy, canary, promote, rollback, of ${done.calls}`,
        measured: `${done.lost.length}${seen ? '' : `; only releases ${[...done.releases.keys()].join(', ')} answered`}`,
        floor: '0',
        ratio: '',
        bar: '0',
        holds,
        wrong: !holds,
      },
    ];
  });
}
