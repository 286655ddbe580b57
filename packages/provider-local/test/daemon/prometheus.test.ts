import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BOUNDS, versionMetrics } from '../../src/daemon/telemetry/metrics.js';
import { prometheusText } from '../../src/daemon/telemetry/prometheus.js';

describe('metrics in Prometheus text', () => {
  it('are HELP, TYPE and samples, with what needs it escaped', () => {
    const text = prometheusText([
      {
        name: 'a_total',
        help: 'One\nand \\ two.',
        type: 'counter',
        samples: [{ labels: { name: 'a"b\\c\nd' }, value: 3 }],
      },
      { name: 'empty', help: 'Nothing.', type: 'gauge', samples: [] },
      { name: 'b', help: 'B.', type: 'gauge', samples: [{ labels: {}, value: Number.POSITIVE_INFINITY }] },
    ]);
    assert.equal(
      text,
      [
        '# HELP a_total One\\nand \\\\ two.',
        '# TYPE a_total counter',
        'a_total{name="a\\"b\\\\c\\nd"} 3',
        '# HELP b B.',
        '# TYPE b gauge',
        'b +Inf',
        '',
      ].join('\n'),
    );
  });

  it('have buckets that count all below them, and what is above the last bound in +Inf', () => {
    const text = prometheusText([
      {
        name: 'h',
        help: 'H.',
        type: 'histogram',
        samples: [{ labels: { v: 'x' }, bounds: [0.5, 1], counts: [2, 1], count: 4, sum: 7.25 }],
      },
    ]);
    assert.deepEqual(text.trim().split('\n').slice(2), [
      'h_bucket{v="x",le="0.5"} 2',
      'h_bucket{v="x",le="1"} 3',
      'h_bucket{v="x",le="+Inf"} 4',
      'h_sum{v="x"} 7.25',
      'h_count{v="x"} 4',
    ]);
  });
});

describe('the counts of a version since the start', () => {
  it('are exact for every bound, whatever was recorded', () => {
    const call = fc.record({
      ms: fc.oneof(fc.double({ min: 0, max: 60_000, noNaN: true }), fc.constantFrom(...BOUNDS)),
      bad: fc.boolean(),
      cold: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(call), (calls) => {
        const metrics = versionMetrics(() => 1_000);
        for (const { ms, bad, cold } of calls) metrics.record(ms, bad, cold);
        const { requests, errors, cold, latency } = metrics.totals();
        assert.equal(requests, calls.length);
        assert.equal(errors, calls.filter((one) => one.bad).length);
        assert.equal(cold, calls.filter((one) => one.cold).length);
        let below = 0;
        for (const [n, bound] of BOUNDS.entries()) {
          below += latency[n]!;
          assert.equal(below, calls.filter((one) => one.ms <= bound).length);
        }
      }),
    );
  });

  it('never go back when the clock does', () => {
    let now = 10_000_000;
    const metrics = versionMetrics(() => now);
    for (const jump of [0, 5_000, -3_600_000, 7_200_000, -10_000_000, 1]) {
      now += jump;
      const before = metrics.totals().requests;
      metrics.record(1, false);
      assert.equal(metrics.totals().requests, before + 1);
    }
    assert.equal(metrics.read(now - 60_000, now)?.requests, 2);
  });
});
