import assert from 'node:assert/strict';
import { fail } from '../../src/errors.js';
import type { Run } from '../../src/run.js';
import { act, bench, intentOf, service, siteOf } from './harness.js';

const checks = [{ name: 'lists', function: 'list', payload: null, expect: {} }];

/** The same actor, whose check is cut short: the provider gives the call up, as one does whose run is interrupted. */
function cutShort(run: ReturnType<ReturnType<typeof bench>['run']>, aborts: boolean): Run {
  return {
    ...run,
    async call(call, perform) {
      if (call.op !== 'invoke') return run.call(call, perform);
      if (aborts) run.abort();
      throw fail('SFX3101', 'the call was given up');
    },
  };
}

describe('a check that gets no answer', () => {
  const sites = [siteOf('local')];
  const stage = async () => {
    const b = bench(sites.map(({ shape }) => siteOf(shape)));
    await b.deploy(b.run('ana'), intentOf(b.sites, service('one')));
    return { b, two: intentOf(b.sites, service('two'), { checks }) };
  };

  it('fails the release, which goes back', async () => {
    const { b, two } = await stage();
    const outcome = await b.deploy(cutShort(b.run('ana'), false), two);
    assert.deepEqual([outcome.ending, outcome.exit, outcome.error?.code], ['failed', 1, 'SFX5002']);
  });

  it('because the run was interrupted, leaves the release to resume', async () => {
    const { b, two } = await stage();
    const run = b.run('ana');
    const outcome = await b.deploy(cutShort(run, true), two);
    assert.deepEqual([outcome.ending, outcome.exit, outcome.error?.code], ['interrupted', 4, 'SFX4120']);
    assert.deepEqual(
      run.events.flatMap((event) => (event.code === 'step.fail' ? [`${event.step} ${event.text}`] : [])),
      ['check interrupted'],
    );
    assert.equal((await act.resume(b, b.run('bob'), two)).ending, 'live');
  });
});
