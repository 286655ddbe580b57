import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { Fault } from '../../../packages/core/src/testing/index.js';
import {
  bundled,
  type Ended,
  type Home,
  inParallel,
  killsUpTo,
  openHome,
  root,
  startNode,
  tempDir,
} from '../../support.js';
import type { Order, Report } from './driver.js';
import { openShop, type Shop } from './shop.js';

type Act = Order['act'];
type Kill = Fault & { readonly do: 'kill' };

/** Who takes a lease over waits three seconds, so engines of their own go on beside each other. */
const ENGINES = 8;

/** What is done before the command that is killed. */
const prepared: Readonly<Record<Act, readonly Act[]>> = {
  deploy: [],
  canary: [],
  promote: ['canary'],
  rollback: ['canary'],
};

interface Site {
  readonly home: Home;
  readonly shop: Shop;
}

describe('a process that deploys to the local engine is killed at a call', () => {
  let dir = '';
  let script = '';
  const sites: Site[] = [];

  async function drive({ home, shop }: Site, act: Act, faults: readonly Fault[] = []): Promise<Ended> {
    const order: Order = { act, cwd: shop.dir, sfxDir: join(root, 'packages/cli/dist'), faults };
    return startNode([script, JSON.stringify(order)], { cwd: shop.dir, env: home.env }).ended;
  }

  async function done(site: Site, act: Act): Promise<Report> {
    const ended = await drive(site, act);
    assert.equal(ended.exit, 0, ended.err);
    const report = JSON.parse(ended.out) as Report;
    assert.equal(report.outcome.error, undefined, `${act}: ${JSON.stringify(report.outcome)}`);
    return report;
  }

  before(async function () {
    this.timeout(120_000);
    dir = await tempDir('kill-engine');
    script = await bundled(join(import.meta.dirname, 'driver.ts'), join(dir, 'driver.mjs'));
    await copyFile(join(root, 'packages/cli/dist/runtime.mjs'), join(dir, 'runtime.mjs'));
    await inParallel(Array.from({ length: ENGINES }), 2, async () => {
      const home = await openHome('kill-engine');
      const site = { home, shop: await openShop(home) };
      sites.push(site);
      await site.shop.next();
      await done(site, 'deploy');
    });
  });

  after(async function () {
    this.timeout(60_000);
    await Promise.all(sites.map(({ home }) => home.close()));
    await rm(dir, { recursive: true, force: true });
  });

  /** Settles from an empty folder, with the real program. */
  async function settle({ home, shop }: Site, how: 'resume' | 'rollback', what: string): Promise<void> {
    const where = ['--service', 'shop', '--provider', 'local', '--stage', 'dev'];
    const ended = await home.sfx(home.empty, how, ...where);
    // Killed before anything began, there may be nothing to go back to; killed before it was staged, it can only go back.
    const nothing = ended.exit === 1 && /SFX4112|SFX5003 it was cut off before/.test(ended.err);
    assert.ok(
      nothing || [0, 3, 5].includes(ended.exit ?? -1),
      `${what}: ${how} ended ${ended.exit}: ${ended.out}${ended.err}`,
    );
    const status = await shop.status();
    assert.deepEqual(status.drift, [], what);
    if (status.state === 'settled') return assert.equal(status.lease, null, what);
    assert.equal(status.state, 'canary', what);
    const closed = await home.sfx(home.empty, 'rollback', ...where);
    assert.equal(closed.exit, 0, `${what}: ${closed.err}`);
  }

  /** Answers whether the process was killed: a command may need fewer calls than the one that was measured. */
  async function killOne(site: Site, act: Act, fault: Kill): Promise<boolean> {
    const { home, shop } = site;
    const old = await shop.build();
    const fresh = await shop.next();
    for (const first of prepared[act]) await done(site, first);
    const victim = await drive(site, act, [fault]);
    const how = fault.at % 2 === 0 ? 'resume' : 'rollback';
    const what = `${act} killed ${fault.when} call ${fault.at}, then ${how}`;
    assert.ok(victim.signal === 'SIGKILL' || victim.exit === 0, `${what}: ${victim.err}`);
    await settle(site, how, what);
    const now = await shop.build();
    // Where nothing was open any more, a rollback takes the live release back: to this one or the one before it.
    const earlier = how === 'rollback' && now < old;
    assert.ok(now === old || now === fresh || earlier, `${what}: build ${now}, neither ${old} nor ${fresh}`);
    const later = await home.sfx(shop.dir, 'deploy', '--force');
    assert.equal(later.exit, 0, `${what}: a later deploy: ${later.err}`);
    assert.equal(await shop.build(), fresh, what);
    return victim.signal === 'SIGKILL';
  }

  for (const act of ['deploy', 'canary', 'promote', 'rollback'] as const) {
    it(`in ${act}; the program settles it from an empty folder`, async () => {
      const [measured] = sites;
      await measured!.shop.next();
      for (const first of prepared[act]) await done(measured!, first);
      const { calls } = await done(measured!, act);
      if (act === 'canary') await done(measured!, 'promote');
      const kills = killsUpTo(calls.length).map(
        (at, nth): Kill => ({
          at,
          do: 'kill',
          when: nth % 2 === 0 ? 'before' : 'after',
        }),
      );
      let killed = 0;
      const free = [...sites];
      await inParallel(kills, ENGINES, async (fault) => {
        const site = free.pop()!;
        if (await killOne(site, act, fault)) killed += 1;
        free.push(site);
      });
      assert.ok(killed >= kills.length * 0.8, `${killed} of ${kills.length} were killed`);
    }).timeout(900_000);
  }
});
