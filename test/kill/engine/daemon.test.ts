import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { startLoad } from '../../load.js';
import { type Home, killStride, openHome } from '../../support.js';
import { openShop, type Shop } from './shop.js';

/** Kills of the engine per command; in full, as many as there are moments to hit. */
const TIMES = Math.max(3, Math.ceil(20 / killStride));

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

  /** Runs a command, and kills the engine once it has gone on for a part of the time that it takes. */
  async function hit(words: readonly string[], afterMs: number): Promise<string> {
    const running = home.start(shop.dir, words);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await home.killEngine();
    const { exit, out, err } = await running.ended;
    assert.ok([0, 1, 3, 4].includes(exit ?? -1), `${words.join(' ')} ended ${exit}: ${out}${err}`);
    return `${words.join(' ')}, engine killed after ${afterMs} ms, ended ${exit}`;
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
    for (let time = 0; time < TIMES; time++) {
      const old = await shop.build();
      const fresh = await shop.next();
      const load = startLoad(`${url}/list`, { clients: 2, pauseMs: 2 });
      const what = await hit(['deploy', '--force'], 150 + (time * 600) / TIMES);
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
    for (let time = 0; time < TIMES; time++) {
      const old = await shop.build();
      const fresh = await shop.next();
      const opened = await hit(['deploy', '--force', '--canary', '30'], 150 + (time * 600) / TIMES);
      await settledOpen(opened);
      const { state } = await shop.status();
      const last = time % 2 === 0 ? 'promote' : 'rollback';
      const what = state === 'canary' ? await hit([last], 100 + (time * 300) / TIMES) : opened;
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
