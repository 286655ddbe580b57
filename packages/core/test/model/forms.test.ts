import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { formatDuration, parseDuration, parsePercent } from '../../src/model/duration.js';
import { METHODS, normalizeRoute, routeKey } from '../../src/model/http.js';
import { normalizeRollout } from '../../src/model/rollout.js';

const segment = fc.oneof(
  fc.stringMatching(/^[a-z0-9._-]{1,6}$/),
  fc.stringMatching(/^[a-z]{1,5}$/).map((name) => `:${name}`),
  fc.stringMatching(/^[a-z]{1,5}$/).map((name) => `{${name}}`),
);

describe('durations and percentages', () => {
  it('are read as they are written', () => {
    assert.deepEqual(
      ['800ms', '5m', '1.5h', '2d', '7', 7, '90s', '5 m', '-1s', 'm', true].map(parseDuration),
      [800, 300_000, 5_400_000, 172_800_000, 7000, 7000, 90_000, undefined, undefined, undefined, undefined],
    );
    assert.deepEqual(['1%', '0.5%', '20', 5, 'x', -1].map(parsePercent), [
      0.01,
      0.005,
      0.2,
      0.05,
      undefined,
      undefined,
    ]);
  });

  it('are the same after writing and reading', () => {
    fc.assert(fc.property(fc.nat(10 ** 9), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)));
  });
});

describe('routes', () => {
  it('stay as they are once they are in the normal form', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...METHODS, 'get', '*'),
        fc.array(segment, { maxLength: 5 }),
        fc.boolean(),
        (method, parts, rest) => {
          const once = normalizeRoute(method, `/${parts.join('/')}${rest ? '/*' : ''}`);
          if ('fault' in once) return;
          assert.deepEqual(normalizeRoute(once.method, once.path), once);
          assert.match(once.path, /^\//);
          assert.equal(routeKey(routeKey(once.path)), routeKey(once.path));
        },
      ),
    );
  });
});

describe('rollouts', () => {
  it('end with 100 % and go up only, whatever the strategy', () => {
    const strategy = fc.constantFrom('allAtOnce', 'canary', 'linear');
    fc.assert(
      fc.property(strategy, fc.integer({ min: 1, max: 99 }), (name, weight) => {
        const { steps } = normalizeRollout({ strategy: name, weight }, (_below, message) =>
          assert.fail(message),
        );
        const weights = steps.flatMap((step) => ('weight' in step ? [step.weight] : []));
        assert.deepEqual(
          weights,
          [...weights].sort((a, b) => a - b),
        );
        assert.equal(weights[weights.length - 1], 100);
        assert.equal(new Set(weights).size, weights.length);
      }),
    );
  });
});
