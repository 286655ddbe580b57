import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startLoad } from '../../load.js';
import { type Home, killStride, killsUpTo, openHome } from '../../support.js';
import { openShop, type Shop } from './shop.js';

/** A deploy says nine lines until it ends. In full, each of them is a moment to kill the engine at, several times. */
const LINES = 9;
const moments = killsUpTo(killStride === 1 ? 3 * LINES : 4 * LINES).map((nth) => nth % LINES);

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

const where = ['--service', 'shop', '--provider', 'local', '--stage', 'dev'];

describe('the engine itself is killed at any moment, under load', () => {
  let home: Home;
  let shop: Shop;
  before(async function () {
    this.timeout(60_000);
    home = await openHome('kill-daemon');
    shop = await openShop(home);
    await shop.next();
    assert.equal((await home.sfx(shop.dir, 'deploy')).exit, 0);
  });
  after(async function () {
    this.timeout(60_000);
    await home.close();
  });

  /** Runs a command, and kills the engine as soon as so many lines are said, one per step. */
  async function hit(words: readonly string[], lines: number): Promise<string> {
    const running = home.start(shop.dir, words);
    let over = false;
    void running.ended.then(() => {
      over = true;
    });
    while (!over && running.said().split('\n').length <= lines) await moment();
    for (let n = 0; n < Math.random() * 20; n++) await moment();
    await home.killEngine();
    const { exit, out, err } = await running.ended;
    assert.ok([0, 1, 3, 4].includes(exit ?? -1), `${words.join(' ')} ended ${exit}: ${out}${err}`);
    return `${words.join(' ')}, engine killed after line ${lines}, ended ${exit}`;
  }

  /** Settled with what the last command left; answers the build that is live. */
  async function settled(how: 'resume' | 'rollback', what: string): Promise<number> {
    for (let tries = 0; tries < 3; tries++) {
      const status = await shop.status();
      assert.deepEqual(status.drift, [], what);
      if (status.state === 'settled' || status.state === 'canary') return shop.build();
      const ended = await home.sfx(home.empty, tries === 0 ? how : 'rollback', ...where);
      assert.ok([0, 1, 3, 4, 5].includes(ended.exit ?? -1), `${what}: ${ended.err}`);
    }
    throw new Error(`${what}: not settled: ${JSON.stringify(await shop.status())}`);
  }

  it('a deploy ends or is settled, and every answer is of one build', async () => {
    const url = (await shop.status()).urls.http!;
    for (const [time, lines] of moments.entries()) {
      const old = await shop.build();
      const fresh = await shop.next();
      const load = startLoad(`${url}/list`, { clients: 2, pauseMs: 2 });
      const what = await hit(['deploy', '--force'], lines);
      const now = await settled(time % 2 === 0 ? 'resume' : 'rollback', what);
      const { bodies } = await load.stop();
      assert.ok(now === old || now === fresh, `${what}: build ${now}, neither ${old} nor ${fresh}`);
      for (const body of bodies.keys()) {
        const price = (JSON.parse(body) as { products: { price: number }[] }).products[0]?.price;
        assert.ok(price === old || price === fresh, `${what}: ${body}`);
      }
    }
  }).timeout(240_000);

  it('a canary and its end are what they say, or are settled', async () => {
    for (const [time, lines] of moments.entries()) {
      const old = await shop.build();
      const fresh = await shop.next();
      const opened = await hit(['deploy', '--force', '--canary', '30'], lines);
      await settledOpen(opened);
      const { state } = await shop.status();
      const last = time % 2 === 0 ? 'promote' : 'rollback';
      const what = state === 'canary' ? await hit([last], lines % 6) : opened;
      await settledOpen(what);
      if ((await shop.status()).state === 'canary')
        assert.equal((await home.sfx(home.empty, last, ...where)).exit, 0);
      const now = await shop.build();
      assert.ok(now === old || now === fresh, `${what}: build ${now}, neither ${old} nor ${fresh}`);
      assert.equal((await shop.status()).state, 'settled', what);
    }
  }).timeout(240_000);

  /** Settled, or an open canary that is whole. */
  async function settledOpen(what: string): Promise<void> {
    const { state, drift } = await shop.status();
    assert.deepEqual(drift, [], what);
    if (state === 'settled' || state === 'canary') return;
    const ended = await home.sfx(home.empty, 'resume', ...where);
    assert.ok([0, 1, 3, 5].includes(ended.exit ?? -1), `${what}: ${ended.err}`);
    assert.match((await shop.status()).state, /^(settled|canary)$/, what);
  }
});
