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

  /** One change of the service whose process is killed, settled, looked at, and deployed after all. */
  async function killOne(
    site: Site,
    first: readonly Act[],
    how: 'resume' | 'rollback',
    kill: () => Promise<Ended>,
    killed: string,
  ): Promise<boolean> {
    const { home, shop } = site;
    const old = await shop.build();
    const fresh = await shop.next();
    for (const act of first) await done(site, act);
    const victim = await kill();
    const what = `${killed}, then ${how}`;
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

  /** All of them, on whichever engine is free. A command may need fewer calls than the one that was measured. */
  async function killAll<T>(
    kills: readonly T[],
    kill: (site: Site, one: T) => Promise<boolean>,
  ): Promise<void> {
    let killed = 0;
    const free = [...sites];
    await inParallel(kills, ENGINES, async (one) => {
      const site = free.pop()!;
      if (await kill(site, one)) killed += 1;
      free.push(site);
    });
    assert.ok(killed > 0 && killed >= kills.length * 0.7, `${killed} of ${kills.length} were killed`);
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
      await killAll(kills, (site, fault) =>
        killOne(
          site,
          prepared[act],
          fault.at % 2 === 0 ? 'resume' : 'rollback',
          () => drive(site, act, [fault]),
          `${act} killed ${fault.when} call ${fault.at}`,
        ),
      );
    }).timeout(900_000);
  }

  it('as the program itself, at any of the lines that it says', async () => {
    const lines = killsUpTo(40).map((nth) => nth % 8);
    const killAt = async ({ home, shop }: Site, line: number): Promise<Ended> => {
      const running = home.start(shop.dir, ['deploy', '--force']);
      let over = false;
      void running.ended.then(() => {
        over = true;
      });
      while (!over && running.said().split('\n').length <= line)
        await new Promise((resolve) => setTimeout(resolve, 1));
      running.child.kill('SIGKILL');
      return running.ended;
    };
    await killAll(lines, (site, line) =>
      killOne(
        site,
        [],
        line % 2 === 0 ? 'resume' : 'rollback',
        () => killAt(site, line),
        `deploy killed after line ${line}`,
      ),
    );
  }).timeout(600_000);
});
