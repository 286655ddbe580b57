// Whether 5 % is 5 %: calls to an open canary over HTTP, counted by the release that answered.
import { withEngine } from './engine.mjs';
import { times } from './lib.mjs';
import { load } from './load.mjs';

const CALLS = 20_000;
const PERCENT = 5;
/** Outside on either side in 1 of 20,000 runs. */
const TAIL = 0.0001 / 2;

/** The counts between which 99.99 % of binomial(n, p) lie: neither tail beyond them is larger than TAIL. */
export function interval(n, p) {
  let log = n * Math.log1p(-p);
  let below = 0;
  let low = 0;
  for (let k = 0; k <= n; k++) {
    below += Math.exp(log);
    if (below < TAIL) low = k + 1;
    if (below >= 1 - TAIL) return [low, k];
    log += Math.log((n - k) / (k + 1)) + Math.log(p / (1 - p));
  }
  return [low, n];
}

export function split() {
  return withEngine(async ({ service }) => {
    const shop = service(1);
    await shop.sfx(['deploy']);
    shop.edit(2);
    await shop.sfx(['deploy', '--canary', String(PERCENT)], [0, 5]);
    const { calls, releases, lost } = await load([`${await shop.url()}/fn000`], { calls: CALLS });
    const [low, high] = interval(calls, PERCENT / 100);
    const expected = (calls * PERCENT) / 100;
    const candidate = releases.get('2') ?? 0;
    const holds = lost.length === 0 && candidate >= low && candidate <= high;
    return [
      {
        work: `a split of ${PERCENT} %, ${calls} calls`,
        measured: `${candidate} calls`,
        floor: `expected ${expected}`,
        ratio: times(candidate / expected),
        bar: `${low} to ${high}`,
        holds,
        wrong: !holds,
      },
    ];
  });
}
