import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Rollout } from '../../src/release/rollout.js';
import { act, intentOf, servedNow, service } from './harness.js';
import { MINUTE, pausing, shareOf, stage, timed } from './rollout-stage.js';
import { headIn, hooked, once, rejectsWith, toProvider } from './support.js';

describe('a rollout of several weights', () => {
  it('gives each share to the candidate, never to stable, waits its pauses out without the lease, and ends live', async () => {
    const { b, two } = await stage(timed());
    const began = b.clock.now();
    const shares: number[] = [];
    const { outcome, run } = pausing(b, two, () => {
      shares.push(shareOf(b, two));
      assert.equal(headIn(b).lease, null);
      assert.equal(headIn(b).open, 2);
    });
    assert.deepEqual([(await outcome).ending, (await outcome).exit], ['live', 0]);
    assert.deepEqual(shares, [10, 50]);
    assert.equal(shareOf(b, two), 100);
    assert.ok(b.clock.now() - began >= 20 * MINUTE);
    const percents = run.events.flatMap((event) => (event.code === 'moved' ? [event.percent] : []));
    assert.deepEqual(percents, [10, 50, 100]);
  });

  it('goes on although another command was refused during its pause', async () => {
    const { b, two } = await stage(timed());
    const { outcome } = pausing(b, two, async (n) => {
      if (n === 1)
        await assert.rejects(
          b.deploy(b.run('bob'), intentOf(b.sites, service('three'))),
          rejectsWith('SFX4104'),
        );
    });
    assert.equal((await outcome).ending, 'live', JSON.stringify((await outcome).error));
    assert.equal(shareOf(b, two), 100);
  });

  it('is left to the command that promoted it meanwhile', async () => {
    const { b, two } = await stage(timed());
    const { outcome } = pausing(b, two, async (n) => {
      if (n > 1) return;
      const promoted = await act.promote(b, b.run('bob'), { full: true });
      assert.equal(promoted.ending, 'live');
    });
    const ended = await outcome;
    assert.deepEqual([ended.ending, ended.exit, ended.error?.code], ['interrupted', 4, 'SFX4122']);
    assert.equal(shareOf(b, two), 100);
    assert.equal(headIn(b).live, 2);
  });

  it('is left to the command that promoted it to its next pause meanwhile, and never goes back to a smaller share', async () => {
    const steps: Rollout['steps'] = [
      { weight: 10 },
      { pause: 10 * MINUTE },
      { weight: 50 },
      { pause: null },
      { weight: 100 },
    ];
    const { b, two } = await stage(timed({ steps }));
    let before = 0;
    const { outcome, run } = pausing(b, two, async () => {
      assert.equal((await act.promote(b, b.run('bob'))).exit, 5);
      assert.equal(shareOf(b, two), 50);
      before = run.calls.length;
    });
    assert.equal((await outcome).ending, 'interrupted');
    assert.equal(shareOf(b, two), 50);
    assert.deepEqual(run.calls.slice(before).filter(toProvider), []);
  });

  it('is left to the command that promoted it between its last look and its lease', async () => {
    const steps: Rollout['steps'] = [
      { weight: 10 },
      { pause: 10 * MINUTE },
      { weight: 50 },
      { pause: null },
      { weight: 100 },
    ];
    const { b, two } = await stage(timed({ steps }));
    const run = b.run('ana');
    let waited = false;
    const promoted = once(
      (call) => waited && call.op === 'store.put',
      () => act.promote(b, b.run('bob')),
    );
    const outcome = await b.deploy(
      hooked(run, {
        before: promoted,
        sleeps: (ms) => {
          waited ||= ms === 10 * MINUTE;
        },
      }),
      two,
    );
    assert.deepEqual([outcome.ending, outcome.error?.code], ['interrupted', 'SFX4102']);
    assert.equal(shareOf(b, two), 50);
    assert.equal(headIn(b).lease, null);
  });

  it('is left to the command that took it back meanwhile', async () => {
    const { b, two, old } = await stage(timed());
    const { outcome } = pausing(b, two, async (n) => {
      if (n === 1) assert.equal((await act.rollback(b, b.run('bob'))).ending, 'rolled back');
    });
    assert.equal((await outcome).ending, 'interrupted');
    assert.deepEqual(servedNow(b), old);
    assert.equal(headIn(b).open, null);
  });

  it('whose process died in a pause is gone on with by resume, from there', async () => {
    const { b, two } = await stage(timed());
    const dead = b.run('ana');
    await dead.perform((run) =>
      b.deploy(hooked(run as typeof dead, { sleeps: (ms) => void (ms === 10 * MINUTE && dead.kill()) }), two),
    );
    assert.equal((await act.status(b, b.run())).state, 'paused');
    const outcome = await act.resume(b, b.run('medic'));
    assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
    assert.equal(shareOf(b, two), 100);
  });

  it('whose state cannot be read in a pause stays at that pause, and writes nothing without the lease', async () => {
    const { b, two } = await stage(timed());
    const { outcome, run } = pausing(b, two, (n) => {
      if (n === 1) run.faults.add({ op: 'store', at: 1, times: null, do: 'fail' });
    });
    const ended = await outcome;
    assert.deepEqual([ended.ending, ended.exit, ended.error?.code], ['interrupted', 4, 'SFX3101']);
    assert.equal(shareOf(b, two), 10);
    assert.equal((await act.status(b, b.run())).state, 'paused');
    assert.equal((await act.resume(b, b.run())).ending, 'live');
  });

  it('gives its lease back when it cannot go on after a pause', async () => {
    const { b, two, old } = await stage(timed());
    const { outcome, run } = pausing(b, two, (n) => {
      // The first write after the pause takes the lease, the next one is the journal's.
      if (n === 1) run.faults.add({ op: 'store.put', at: 2, do: 'fail' });
    });
    const ended = await outcome;
    assert.deepEqual([ended.ending, ended.exit], ['rolled back', 3]);
    assert.deepEqual([headIn(b).open, headIn(b).lease], [null, null]);
    assert.deepEqual(servedNow(b), old);
  });

  it('that does not end within its deadline goes back', async () => {
    const { b, two, old } = await stage(timed({ deadlineMs: 15 * MINUTE }));
    const outcome = await b.deploy(b.run(), two);
    assert.deepEqual([outcome.ending, outcome.exit, outcome.error?.code], ['rolled back', 3, 'SFX5003']);
    assert.match(outcome.error!.message, /deadline/);
    assert.deepEqual(servedNow(b), old);
  });
});

describe('a manual gate', () => {
  const gates = timed({
    steps: [{ weight: 5 }, { pause: null }, { weight: 25 }, { pause: null }, { weight: 100 }],
  });

  it('waits for promote, one gate at a time', async () => {
    const { b, two } = await stage(gates);
    const outcome = await b.deploy(b.run(), two);
    assert.deepEqual([outcome.ending, outcome.exit], ['canary', 5]);
    assert.deepEqual(outcome.serving, [
      { release: 2, percent: 5 },
      { release: 1, percent: 95 },
    ]);
    const again = await act.promote(b, b.run());
    assert.deepEqual([again.exit, shareOf(b, two)], [5, 25]);
    const last = await act.promote(b, b.run());
    assert.deepEqual([last.ending, last.release?.number, shareOf(b, two)], ['live', 2, 100]);
    await assert.rejects(act.promote(b, b.run()), rejectsWith('SFX4113'));
  });

  it('and all after it are passed by promote --full', async () => {
    const { b, two } = await stage(gates);
    await b.deploy(b.run(), two);
    const outcome = await act.promote(b, b.run(), { full: true });
    assert.deepEqual([outcome.ending, shareOf(b, two)], ['live', 100]);
  });

  it('is not passed by resume: nothing was interrupted', async () => {
    const { b, two } = await stage(gates);
    await b.deploy(b.run(), two);
    const outcome = await act.resume(b, b.run());
    assert.deepEqual([outcome.ending, outcome.exit, shareOf(b, two)], ['paused', 5, 5]);
  });

  it('of a release that was cut off is not passed by promote (SFX4103)', async () => {
    const { b, two } = await stage(gates);
    await b
      .run('ana', { faults: [{ op: 'traffic.set', at: 2, do: 'kill' }] })
      .perform((run) => b.deploy(run, two));
    await assert.rejects(act.promote(b, b.run()), rejectsWith('SFX4103'));
  });
});
