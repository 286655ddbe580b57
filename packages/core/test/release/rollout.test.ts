import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intent } from '../../src/plan/intent.js';
import type { Metrics } from '../../src/provider/contract.js';
import { judge } from '../../src/release/judge.js';
import type { Analysis, Rollout } from '../../src/release/rollout.js';
import {
  act,
  allAtOnce,
  type Bench,
  bench,
  canary,
  intentOf,
  servedNow,
  service,
  siteOf,
} from './harness.js';
import { digestIn, headIn, hooked, journalOf, once, rejectsWith, toProvider } from './support.js';

const MINUTE = 60_000;
const units = ['checkout', 'list', 'worker'];

const analysis: Analysis = {
  intervalMs: MINUTE,
  initialDelayMs: MINUTE,
  failureLimit: 2,
  inconclusive: 'pause',
  minSamples: 10,
  metrics: [{ name: 'error-rate', max: 0.05 }],
};

const timed = (extra: Partial<Rollout> = {}): Rollout => ({
  ...allAtOnce,
  steps: [{ weight: 10 }, { pause: 10 * MINUTE }, { weight: 50 }, { pause: 10 * MINUTE }, { weight: 100 }],
  ...extra,
});

const healthy: Metrics = { requests: 1000, errors: 0, p95Ms: 40 };
const failing: Metrics = { requests: 1000, errors: 400, p95Ms: 40 };

async function stage(rollout: Rollout, metrics: { stable?: Metrics; candidate?: Metrics } = {}) {
  const b = bench([siteOf('lambda')]);
  const one = intentOf(b.sites, service('one'));
  await b.deploy(b.run(), one);
  const two = intentOf(b.sites, service('two'), { rollout });
  for (const unit of units) {
    if (metrics.stable) b.hands().setMetrics(digestIn(one, unit), metrics.stable);
    if (metrics.candidate) b.hands().setMetrics(digestIn(two, unit), metrics.candidate);
  }
  return { b, one, two, old: servedNow(b) };
}

/** The candidate's share of `GET /products`, in percent. */
function shareOf(b: Bench, intent: Intent): number {
  return servedNow(b)['memory GET /products']?.[digestIn(intent, 'list')] ?? 0;
}

/** Deploys, with something happening during each of its pauses. */
function pausing(b: Bench, intent: Intent, during: (n: number) => Promise<unknown> | unknown) {
  let n = 0;
  const run = b.run('ana');
  return {
    run,
    outcome: b.deploy(
      hooked(run, {
        sleeps: async (ms) => {
          if (ms === 10 * MINUTE) await during(++n);
        },
      }),
      intent,
    ),
  };
}

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

describe('a judged rollout', () => {
  it('passes with enough good calls', async () => {
    const { b, two } = await stage(timed({ analysis }), { stable: healthy, candidate: healthy });
    const run = b.run();
    assert.equal((await b.deploy(run, two)).ending, 'live');
    assert.ok(run.events.some((event) => event.code === 'judged' && event.verdict === 'pass'));
  });

  it('that fails goes back after its limit of failures, with what callers met of it', async () => {
    const { b, two, old } = await stage(timed({ analysis }), { stable: healthy, candidate: failing });
    const began = b.clock.now();
    const outcome = await b.deploy(b.run(), two);
    assert.deepEqual([outcome.ending, outcome.exit, outcome.error?.code], ['rolled back', 3, 'SFX5001']);
    assert.deepEqual(outcome.hurt, { calls: 3000, errors: 1200 });
    assert.ok(b.clock.now() - began < 4 * MINUTE, 'two failures in a row are enough');
    assert.deepEqual(servedNow(b), old);
    assert.equal(headIn(b).past.at(-1)?.status, 'rolled back');
  });

  it('that fails waits for a person where that is wished', async () => {
    const { b, two } = await stage(timed({ analysis, onFailure: 'pause' }), {
      stable: healthy,
      candidate: failing,
    });
    const outcome = await b.deploy(b.run(), two);
    assert.deepEqual([outcome.ending, outcome.exit, shareOf(b, two)], ['paused', 5, 10]);
    assert.equal(headIn(b).lease, null);
    assert.equal((await act.rollback(b, b.run())).ending, 'rolled back');
  });

  it('without enough calls is inconclusive: it stops where it is, and people decide', async () => {
    for (const candidate of [undefined, { requests: 0, errors: 0, p95Ms: 0 }, { ...healthy, requests: 9 }]) {
      const { b, two } = await stage(timed({ analysis }), {
        stable: healthy,
        ...(candidate ? { candidate } : {}),
      });
      const outcome = await b.deploy(b.run(), two);
      assert.deepEqual([outcome.ending, outcome.exit, shareOf(b, two)], ['inconclusive', 5, 10]);
      assert.deepEqual([outcome.error?.code, outcome.warnings], ['SFX5004', []]);
      assert.match(outcome.error!.message, /of 10 calls needed/);
      assert.equal(headIn(b).open, 2);
      const promoted = await act.promote(b, b.run(), { full: true });
      assert.equal(promoted.ending, 'live');
    }
  });

  it('without a single call never passes, even when no samples are asked for', async () => {
    const { b, two } = await stage(timed({ analysis: { ...analysis, minSamples: 0 } }), { stable: healthy });
    assert.equal((await b.deploy(b.run(), two)).ending, 'inconclusive');
  });

  it('that is inconclusive goes on, or back, where that is wished', async () => {
    const pass = await stage(timed({ analysis: { ...analysis, inconclusive: 'pass' } }), { stable: healthy });
    assert.equal((await pass.b.deploy(pass.b.run(), pass.two)).ending, 'live');
    const back = await stage(timed({ analysis: { ...analysis, inconclusive: 'fail' } }), { stable: healthy });
    assert.equal((await back.b.deploy(back.b.run(), back.two)).ending, 'rolled back');
    assert.deepEqual(servedNow(back.b), back.old);
  });

  it('whose stable fails too stops and says so: nothing is sent back to it blindly (SFX5005)', async () => {
    const { b, two } = await stage(timed({ analysis }), { stable: failing, candidate: failing });
    const outcome = await b.deploy(b.run(), two);
    assert.deepEqual([outcome.ending, outcome.exit, shareOf(b, two)], ['paused', 5, 10]);
    assert.equal(outcome.error?.code, 'SFX5005');
    assert.equal(headIn(b).open, 2);
  });

  it('is inconclusive while its numbers cannot be read', async () => {
    const { b, two } = await stage(timed({ analysis }), { stable: healthy, candidate: healthy });
    const run = b.run('ana', { faults: [{ op: 'metrics', at: 1, times: null, do: 'fail' }] });
    assert.equal((await b.deploy(run, two)).ending, 'inconclusive');
  });

  it('is refused where numbers are not by version (SFX3005)', async () => {
    const site = siteOf('flex');
    const b = bench([site]);
    await b.deploy(b.run(), intentOf(b.sites, service('one')));
    await assert.rejects(
      b.deploy(b.run(), intentOf(b.sites, service('two'), { rollout: timed({ analysis }) })),
      rejectsWith('SFX3005'),
    );
  });
});

describe('the judge', () => {
  const seen = (stable: Metrics | undefined, candidate: Metrics | undefined) => [
    { unit: 'list', stable, candidate },
  ];
  it('does not pass without calls, without numbers, without units', () => {
    const none: Analysis = { ...analysis, minSamples: 0 };
    for (const rules of [analysis, none]) {
      assert.equal(judge(rules, []).verdict, 'inconclusive');
      assert.equal(judge(rules, seen(healthy, undefined)).verdict, 'inconclusive');
      assert.equal(judge(rules, seen(healthy, { requests: 0, errors: 0, p95Ms: 0 })).verdict, 'inconclusive');
    }
  });

  it('fails the whole for one unit', () => {
    const verdict = judge(analysis, [
      ...seen(healthy, healthy),
      { unit: 'worker', stable: healthy, candidate: failing },
    ]);
    assert.deepEqual([verdict.verdict, verdict.stableFails], ['fail', false]);
    assert.match(verdict.reasons.join(), /worker errors 40.0 % over 5.0 %/);
  });

  it('leaves it open while one unit has too few calls', () => {
    assert.equal(
      judge(analysis, [
        ...seen(healthy, healthy),
        { unit: 'worker', stable: healthy, candidate: { ...healthy, requests: 9 } },
      ]).verdict,
      'inconclusive',
    );
  });

  it('compares with stable where that is asked for, and only if stable has calls', () => {
    const rules: Analysis = { ...analysis, metrics: [{ name: 'latency-p95', tolerance: 0.2 }] };
    assert.equal(judge(rules, seen(healthy, { ...healthy, p95Ms: 48 })).verdict, 'pass');
    assert.equal(judge(rules, seen(healthy, { ...healthy, p95Ms: 49 })).verdict, 'fail');
    assert.equal(judge(rules, seen({ ...healthy, requests: 3 }, { ...healthy, p95Ms: 490 })).verdict, 'pass');
    assert.equal(
      judge({ ...rules, metrics: [{ name: 'latency-p95', max: 30 }] }, seen(healthy, healthy)).stableFails,
      true,
    );
  });
});

describe('a check', () => {
  const check = {
    name: 'answers',
    function: 'list',
    payload: { id: 1 },
    expect: { match: { payload: { id: 1 } } },
  };

  it('calls the candidate by its own address before any traffic moves', async () => {
    const { b, two } = await stage(allAtOnce);
    const outcome = await b.deploy(b.run(), { ...two, checks: [check] });
    assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
  });

  it('that fails ends the release before any traffic moved (SFX5002)', async () => {
    for (const wrong of [{ match: { payload: { id: 2 } } }, { status: 200 }]) {
      const { b, two, old } = await stage(allAtOnce);
      const outcome = await b.deploy(b.run(), { ...two, checks: [{ ...check, expect: wrong }] });
      assert.deepEqual([outcome.ending, outcome.exit, outcome.error?.code], ['failed', 1, 'SFX5002']);
      assert.deepEqual(servedNow(b), old);
      assert.deepEqual(
        journalOf(b).filter(
          (entry) => entry.kind === 'moves' && entry.release === 2 && entry.dir === 'forward',
        ),
        [],
      );
    }
  });

  it('as a step ends the rollout there, with all back', async () => {
    const steps: Rollout['steps'] = [{ weight: 10 }, { check: 'answers' }, { weight: 100 }];
    const { b, two, old } = await stage({ ...canary(10), steps });
    const ok = await b.deploy(b.run(), { ...two, checks: [check] });
    assert.equal(ok.ending, 'live');
    const three = intentOf(b.sites, service('three'), {
      rollout: { ...canary(10), steps: [{ weight: 10 }, { check: 'nobody' }, { weight: 100 }] },
    });
    const outcome = await b.deploy(b.run(), three);
    assert.deepEqual([outcome.ending, outcome.error?.code], ['rolled back', 'SFX5002']);
    assert.notDeepEqual(servedNow(b), old);
    assert.equal(shareOf(b, two), 100);
  });
});
