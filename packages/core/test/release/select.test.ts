import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import { releasesOf } from '../../src/release/status.js';
import { act, bench, canary, intentOf, servedNow, service, siteOf } from './harness.js';
import { digestIn, headIn, journalOf, rejectsWith, toProvider } from './support.js';

const shas = [
  'a1b2c3d4e5f60718293a4b5c6d7e8f9001122334',
  'b7c2d3d4e5f60718293a4b5c6d7e8f9001122334',
  'c9d2e3d4e5f60718293a4b5c6d7e8f9001122334',
];

/** Releases 1, 2 and 3, each of another commit; 2 is tagged. */
async function three(shape: 'lambda' | 'openfaas' | 'local' = 'lambda', extra: Partial<Intent> = {}) {
  const b = bench([siteOf(shape)]);
  const served: ReturnType<typeof servedNow>[] = [];
  for (const [index, code] of ['one', 'two', 'three'].entries()) {
    const by = { who: 'test', at: '2030-01-01T00:00:00.000Z', git: { sha: shas[index]! } };
    const tag = code === 'two' ? { tag: 'v2.0' } : {};
    const outcome = await b.deploy(b.run(), intentOf(b.sites, service(code), { by, ...tag, ...extra }));
    assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
    served.push(servedNow(b));
  }
  return { b, served };
}

describe('a release is named', () => {
  const cases: readonly (readonly [string, (head: ReturnType<typeof headIn>) => string, number])[] = [
    ['by its number', () => '1', 1],
    ['by how many good ones it is back', () => '~2', 1],
    ['by its tag', () => 'v2.0', 2],
    ['by the beginning of its digest', (head) => head.past[0]!.digest.slice(7, 15), 1],
    ['by its whole digest', (head) => head.past[1]!.digest, 2],
    ['by the beginning of its commit', () => shas[0]!.slice(0, 7), 1],
  ];
  for (const [how, ref, number] of cases) {
    it(how, async () => {
      const { b, served } = await three();
      const outcome = await act.rollback(b, b.run(), ref(headIn(b)));
      assert.deepEqual([outcome.ending, outcome.release?.of], ['live', number]);
      assert.deepEqual(servedNow(b), served[number - 1]);
    });
  }

  it('or is not known (SFX4111)', async () => {
    const { b } = await three();
    for (const ref of ['9', '~9', 'v9', 'ffff', 'ab', '', '~', '-1']) {
      const run = b.run();
      await assert.rejects(act.rollback(b, run, ref), rejectsWith('SFX4111'), ref);
      assert.deepEqual(
        run.calls.filter((call) => call.writes),
        [],
      );
    }
  });

  it('or is live already (SFX4112)', async () => {
    const { b } = await three();
    for (const ref of ['3', '~0'])
      await assert.rejects(act.rollback(b, b.run(), ref), rejectsWith('SFX4112', /live already/));
  });

  it('not by a prefix that fits several', async () => {
    const b = bench([siteOf('lambda')]);
    const git = { sha: shas[0]! };
    for (const code of ['one', 'two', 'three']) {
      const by = { who: 'test', at: '2030-01-01T00:00:00.000Z', git };
      await b.deploy(b.run(), intentOf(b.sites, service(code), { by }));
    }
    await assert.rejects(
      act.rollback(b, b.run(), shas[0]!.slice(0, 8)),
      rejectsWith('SFX4111', /name one by number/),
    );
  });
});

describe('a rollback', () => {
  it('skips what was rolled back and what is equal', async () => {
    const { b, served } = await three();
    await act.rollback(b, b.run());
    assert.deepEqual(servedNow(b), served[1]);
    await act.rollback(b, b.run());
    assert.deepEqual(servedNow(b), served[0]);
    await assert.rejects(act.rollback(b, b.run()), rejectsWith('SFX4112', /no good release/));
    assert.deepEqual(
      headIn(b).past.map((past) => past.of),
      [undefined, undefined, undefined, 2, 1],
    );
  });

  it('goes forward again to what was rolled back, by its number', async () => {
    const { b, served } = await three();
    await act.rollback(b, b.run());
    const outcome = await act.rollback(b, b.run(), '3');
    assert.deepEqual([outcome.ending, outcome.release?.number, outcome.release?.of], ['live', 5, 3]);
    assert.deepEqual(servedNow(b), served[2]);
    assert.equal((await b.deploy(b.run(), intentOf(b.sites, service('three')))).ending, 'unchanged');
  });

  it('does not go to a release whose version is gone, and names the nearest whole one (SFX3105)', async () => {
    const { b, served } = await three();
    const second = Object.values(b.world.read().versions).filter((version) => version.unit === 'list')[1]!;
    b.hands().removeVersion('list', second.id);
    const run = b.run();
    await assert.rejects(
      act.rollback(b, run),
      rejectsWith('SFX3105', /list .*nearest release that is whole is 1/s),
    );
    assert.deepEqual(
      run.calls.filter((call) => call.writes),
      [],
    );
    assert.deepEqual(servedNow(b), served[2]);
    assert.equal((await act.rollback(b, b.run(), '1')).ending, 'live');
  });

  it('of nothing is refused (SFX4119, SFX4112)', async () => {
    const b = bench([siteOf('lambda')]);
    await assert.rejects(act.rollback(b, b.run()), rejectsWith('SFX4119'));
    await b.deploy(b.run(), intentOf(b.sites, service('one')));
    await assert.rejects(act.rollback(b, b.run()), rejectsWith('SFX4112'));
  });

  it('says who did it, and is itself taken back by number', async () => {
    const { b, served } = await three();
    await act.rollback(b, b.run());
    assert.equal(headIn(b).past.at(-1)?.by.who, 'test');
    assert.equal(headIn(b).past.at(-1)?.kind, 'rollback');
    await act.rollback(b, b.run(), '3');
    assert.deepEqual(servedNow(b), served[2]);
  });

  it('of the configuration restores it without the values', async () => {
    const b = bench([siteOf('lambda')]);
    const sized = (memory: number) =>
      intentOf(
        b.sites,
        service('same', {
          functions: { list: { code: 'list', routes: ['GET /products'], config: { memory } } },
        }),
      );
    await b.deploy(b.run(), sized(128));
    await b.deploy(b.run(), sized(256));
    const run = b.run();
    await act.rollback(b, run);
    assert.deepEqual(Object.keys(servedNow(b)['memory GET /products']!), [digestIn(sized(128), 'list')]);
    const sets = run.calls
      .filter((call) => toProvider(call) && call.op === 'traffic.set')
      .map((call) => call.on);
    assert.deepEqual(sets, ['list'], 'only what differs is written');
  });
});

describe('tags', () => {
  it('name one release for good (SFX4116)', async () => {
    const { b } = await three();
    assert.deepEqual(headIn(b).tags, { 'v2.0': 2 });
    const next = intentOf(b.sites, service('four'), { tag: 'v2.0' });
    await assert.rejects(b.deploy(b.run(), next), rejectsWith('SFX4116', /names release 2/));
  });

  it('look unlike numbers, distances and digests (SFX4116)', async () => {
    const { b } = await three();
    for (const tag of ['7', '~1', 'a b', '-x', '', 'x'.repeat(64)]) {
      const next = intentOf(b.sites, service('four'), { tag });
      await assert.rejects(b.deploy(b.run(), next), rejectsWith('SFX4116'), tag);
    }
  });
});

describe('releases', () => {
  it('are listed newest first, with what can be gone to', async () => {
    const { b } = await three('lambda', { keep: 2 });
    const report = await releasesOf(await b.context(b.run()));
    assert.deepEqual(
      report.releases.map((one) => [one.number, one.status, one.reachable]),
      [
        [3, 'live', true],
        [2, 'superseded', true],
        [1, 'superseded', false],
      ],
    );
    assert.deepEqual([report.live, report.open, report.keep], [3, null, 2]);
    assert.ok(journalOf(b).length > 0);
  });

  it('that are open are told', async () => {
    const { b } = await three();
    await b.deploy(b.run(), intentOf(b.sites, service('four'), { rollout: canary(5) }));
    assert.equal((await releasesOf(await b.context(b.run()))).open, 4);
  });
});
