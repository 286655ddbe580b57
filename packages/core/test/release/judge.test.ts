import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Metrics } from '../../src/provider/contract.js';
import { judge } from '../../src/release/judge.js';
import type { Analysis, Rollout } from '../../src/release/rollout.js';
import { act, allAtOnce, bench, canary, intentOf, servedNow, service, siteOf } from './harness.js';
import { analysis, failing, healthy, MINUTE, shareOf, stage, timed } from './rollout-stage.js';
import { headIn, journalOf, rejectsWith } from './support.js';

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
