import assert from 'node:assert/strict';
import { isSfxError } from '@sfx-deploy/core';
import { type Fault, simulatedRun, withFaults } from '@sfx-deploy/core/testing';

/** Makes the calls `op on`, `!` for writes, and tells what came of each. */
async function outcomes(faults: readonly Fault[], calls: readonly string[]) {
  const run = simulatedRun({ start: 0, faults });
  const told: string[] = [];
  for (const text of calls) {
    const [op = '', on = ''] = text.replace('!', '').split(' ');
    let landed = '';
    await run
      .call({ op, on, writes: text.endsWith('!') }, async () => {
        landed = ' landed';
      })
      .then(
        () => told.push(`ok${landed}`),
        (error: unknown) => {
          assert.ok(isSfxError(error));
          const { retryAfterMs, unknownOutcome } = error.details;
          const after = retryAfterMs === undefined ? '' : ` after ${retryAfterMs}`;
          told.push(`${error.code}${after}${unknownOutcome ? ' unknown' : ''}${landed}`);
        },
      );
  }
  return { told, run };
}

describe('a fault', () => {
  it('fails the n-th call before it does anything, for good or to be tried again', async () => {
    const calls = ['a x', 'a x', 'a x'];
    assert.deepEqual((await outcomes([{ at: 2, do: 'fail' }], calls)).told, [
      'ok landed',
      'SFX3101',
      'ok landed',
    ]);
    const again = await outcomes([{ at: 2, do: 'fail', retryAfterMs: 50 }], calls);
    assert.deepEqual(again.told, ['ok landed', 'SFX3101 after 50', 'ok landed']);
  });

  it('refuses because of the rate', async () => {
    const { told } = await outcomes([{ at: 1, do: 'throttle', retryAfterMs: 900 }], ['a x']);
    assert.deepEqual(told, ['SFX3103 after 900']);
  });

  it('delays a call that then lands', async () => {
    const { told, run } = await outcomes([{ at: 1, do: 'delay', ms: 70 }], ['a x']);
    assert.deepEqual([told, run.now()], [['ok landed'], 70]);
  });

  it('loses the answer of a write that landed, or that never arrived', async () => {
    assert.deepEqual((await outcomes([{ at: 1, do: 'lose' }], ['a x!'])).told, ['SFX3102 unknown landed']);
    assert.deepEqual((await outcomes([{ at: 1, do: 'lose', when: 'before' }], ['a x!'])).told, [
      'SFX3102 unknown',
    ]);
  });

  it('loses the answer of a read, which leaves no doubt behind', async () => {
    assert.deepEqual((await outcomes([{ at: 1, do: 'lose' }], ['a x'])).told, ['SFX3102 after 0 landed']);
  });

  it('counts only the calls that it is meant for', async () => {
    const calls = [
      'store.get k',
      'traffic.set.swap live!',
      'traffic.read live',
      'traffic.set live!',
      'trafficking x!',
    ];
    const hit = async (fault: Partial<Fault>) =>
      (await outcomes([{ at: 1, do: 'fail', ...fault } as Fault], calls)).told.indexOf('SFX3101');
    assert.equal(await hit({}), 0);
    assert.equal(await hit({ writes: true }), 1);
    assert.equal(await hit({ at: 2, writes: true }), 3);
    assert.equal(await hit({ op: 'traffic' }), 1);
    assert.equal(await hit({ at: 4, op: 'traffic' }), -1);
    assert.equal(await hit({ op: 'traffic.set' }), 1);
    assert.equal(await hit({ op: 'traffic', writes: false }), 2);
    assert.equal(await hit({ on: 'x' }), 4);
  });

  it('lasts for as many calls as it says, or from then on', async () => {
    const calls = ['a x', 'a x', 'a x', 'a x'];
    const ok = 'ok landed';
    assert.deepEqual((await outcomes([{ at: 2, times: 2, do: 'fail' }], calls)).told, [
      ok,
      'SFX3101',
      'SFX3101',
      ok,
    ]);
    assert.deepEqual((await outcomes([{ at: 3, times: null, do: 'fail' }], calls)).told, [
      ok,
      ok,
      'SFX3101',
      'SFX3101',
    ]);
  });

  it('is one of several, each with a count of its own', async () => {
    const plan: Fault[] = [
      { at: 2, op: 'a', do: 'fail' },
      { at: 1, op: 'b', do: 'throttle', retryAfterMs: 1 },
    ];
    assert.deepEqual((await outcomes(plan, ['a x', 'b x', 'a x'])).told, [
      'ok landed',
      'SFX3103 after 1',
      'SFX3101',
    ]);
  });

  it('is written beside the call that it hit', async () => {
    const { run } = await outcomes([{ at: 2, do: 'fail' }], ['a x', 'b y!']);
    assert.deepEqual(run.calls, [
      { n: 1, op: 'a', on: 'x', writes: false },
      { n: 2, op: 'b', on: 'y', writes: true, fault: 'fail' },
    ]);
  });

  it('goes around any run, can be added later and taken away', async () => {
    const run = withFaults(simulatedRun(), []);
    const call = () => run.call({ op: 'a', on: 'x', writes: true }, async () => 'done');
    assert.equal(await call(), 'done');
    run.faults.add({ at: 1, times: null, do: 'fail' });
    await assert.rejects(call(), (error: unknown) => isSfxError(error) && error.code === 'SFX3101');
    run.faults.clear();
    assert.equal(await call(), 'done');
    assert.equal(run.faults.calls.length, 3);
  });
});
