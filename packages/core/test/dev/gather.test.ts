import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { createGathering } from '../../src/dev/gather.js';

const calm = { quietMs: 20, mostMs: 200 };
const never = new AbortController().signal;

describe('changes, gathered', () => {
  it('are answered together once it is quiet, each path once', async () => {
    const gathering = createGathering(calm, Date.now);
    const next = gathering.next(never);
    for (const path of ['a', 'b', 'a']) {
      gathering.add(path);
      await wait(2);
    }
    assert.deepEqual(await next, ['a', 'b']);
    assert.deepEqual(gathering.waiting(), []);
  });

  it('come although it never gets quiet', async () => {
    const gathering = createGathering(calm, Date.now);
    const timer = setInterval(() => gathering.add('again'), 2);
    assert.deepEqual(await gathering.next(never), ['again']);
    clearInterval(timer);
  });

  it('end with the signal, waiting or not', async () => {
    const gathering = createGathering(calm, Date.now);
    const stop = new AbortController();
    const next = gathering.next(stop.signal);
    stop.abort();
    assert.equal(await next, undefined);
    gathering.add('late');
    assert.equal(await gathering.next(stop.signal), undefined);
    assert.deepEqual(await gathering.next(never), ['late']);
  });

  it('are not held back by a clock that is set back', async () => {
    let now = 1_000_000;
    const gathering = createGathering(calm, () => now);
    gathering.add('a');
    now = 0;
    assert.deepEqual(await gathering.next(never), ['a']);
  });

  it('none is lost and none comes twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }), async (steps) => {
        let now = 0;
        const gathering = createGathering({ quietMs: 2, mostMs: 5 }, () => now);
        const seen: string[] = [];
        for (const [index, step] of steps.entries()) {
          gathering.add(`p${index}`);
          now += step;
          if (step > 5) seen.push(...(await gathering.next(never))!);
        }
        now += 100;
        if (gathering.waiting().length > 0) seen.push(...(await gathering.next(never))!);
        assert.deepEqual(
          seen,
          steps.map((_, index) => `p${index}`),
        );
      }),
      { numRuns: 200 },
    );
  });
});
