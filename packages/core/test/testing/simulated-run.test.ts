import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { isSfxError } from '@sfx-deploy/core';
import { simulatedClock, simulatedRun } from '@sfx-deploy/core/testing';
import fc from 'fast-check';

const start = 1_000_000;
const read = { op: 'read', on: 'x', writes: false };

describe('virtual time', () => {
  it('goes on by what is slept and by nothing else', async () => {
    const run = simulatedRun({ start });
    assert.equal(run.now(), start);
    await run.call(read, async () => {});
    assert.equal(run.now(), start);
    await run.sleep(86_400_000);
    assert.equal(run.now(), start + 86_400_000);
    await run.sleep(0);
    assert.equal(run.now(), start + 86_400_000);
  });

  it('wakes whoever is due first, whatever the order of falling asleep', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 8 }), async (naps) => {
        const clock = simulatedClock({ start });
        const woken: number[] = [];
        await Promise.all(
          naps.map(async (ms, index) => {
            const run = clock.run(`actor ${index}`);
            await run.sleep(ms);
            assert.equal(run.now(), start + ms);
            woken.push(ms);
          }),
        );
        assert.deepEqual(
          woken,
          naps.toSorted((a, b) => a - b),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('stands still while a file is read, in a call or beside it', async () => {
    const clock = simulatedClock({ start });
    const [ana, ben] = [clock.run('ana'), clock.run('ben')];
    const order: string[] = [];
    await Promise.all([
      ana
        .call(read, () => readFile('/proc/self/stat'))
        .then(() => order.push(`called at ${ana.now() - start}`)),
      readFile('/proc/self/stat').then(() => order.push(`read at ${ana.now() - start}`)),
      ben.sleep(10).then(() => order.push('slept')),
    ]);
    assert.deepEqual(order.toSorted(), ['called at 0', 'read at 0', 'slept']);
    assert.equal(order.at(-1), 'slept');
  });

  it('goes on under a call that sleeps inside', async () => {
    const run = simulatedRun({ start });
    await run.call(read, () => run.sleep(5));
    assert.equal(run.now(), start + 5);
  });

  it('is the same for the same seed, down to each random number', async () => {
    const story = async (seed: number) => {
      const clock = simulatedClock({ seed });
      const told: string[] = [];
      const act = async (name: string) => {
        const run = clock.run(name);
        for (let turn = 0; turn < 3; turn++) {
          await run.sleep(Number.parseInt(run.random(1), 16));
          told.push(`${name} ${run.now()} ${run.random(2)}`);
        }
      };
      await Promise.all([act('ana'), act('ben')]);
      return told;
    };
    assert.deepEqual(await story(1), await story(1));
    assert.notDeepEqual(await story(1), await story(2));
  });
});

describe('a simulated run', () => {
  it('ends a sleep with SFX4120 when it is interrupted, before or during', async () => {
    const run = simulatedRun();
    const sleeping = run.sleep(1000);
    run.abort();
    const interrupted = (error: unknown) => isSfxError(error) && error.code === 'SFX4120';
    await assert.rejects(sleeping, interrupted);
    await assert.rejects(run.sleep(1), interrupted);
  });

  it('ends a sleep early and well when what was waited for has come', async () => {
    const run = simulatedRun({ start });
    const come = new AbortController();
    const sleeping = run.sleep(1000, come.signal);
    come.abort();
    await sleeping;
    assert.equal(run.now(), start);
  });

  it('keeps its events and its calls in order', async () => {
    const run = simulatedRun();
    run.emit({ code: 'note', text: 'begun' });
    await run.call({ op: 'a', on: 'x', writes: true }, async () => {});
    await run.call({ op: 'b', on: 'y', writes: false }, async () => {});
    assert.deepEqual(run.events, [{ code: 'note', text: 'begun' }]);
    assert.deepEqual(run.calls, [
      { n: 1, op: 'a', on: 'x', writes: true },
      { n: 2, op: 'b', on: 'y', writes: false },
    ]);
  });

  it('does nothing any more once it is killed, not in cleanup either', async () => {
    const run = simulatedRun({ faults: [{ at: 2, do: 'kill' }] });
    const did: string[] = [];
    const call = (name: string) =>
      run.call({ op: name, on: 'x', writes: true }, async () => {
        did.push(name);
      });
    const ended = await run.perform(async () => {
      try {
        await call('first');
        await call('second');
      } finally {
        did.push('cleanup');
        await call('third');
      }
    });
    run.emit({ code: 'note', text: 'after death' });
    assert.deepEqual(ended, { ended: 'killed' });
    assert.deepEqual(did, ['first']);
    assert.deepEqual(run.events, []);
  });

  it('killed after a call landed never learns that it did', async () => {
    const run = simulatedRun({ faults: [{ at: 1, do: 'kill', when: 'after' }] });
    let landed = false;
    let answered = false;
    await run.perform(async () => {
      await run.call(read, async () => {
        landed = true;
      });
      answered = true;
    });
    assert.deepEqual([landed, answered], [true, false]);
  });

  it('stops every branch of the actor that is killed, and no other actor', async () => {
    const clock = simulatedClock({ start });
    const [ana, ben] = [clock.run('ana'), clock.run('ben')];
    const beats: string[] = [];
    const beat = async (run: typeof ana) => {
      for (;;) {
        await run.sleep(10);
        beats.push(run.holder.name);
        if (beats.length === 8) return;
      }
    };
    const anas = ana.perform(async (run) => Promise.all([beat(run), run.sleep(25).then(() => run.kill())]));
    const bens = ben.perform(beat);
    assert.equal((await anas).ended, 'killed');
    assert.equal((await bens).ended, 'done');
    assert.deepEqual(beats, ['ana', 'ben', 'ana', 'ben', 'ben', 'ben', 'ben', 'ben']);
  });

  it('tells how work ended: done with a value, or failed with an error', async () => {
    const run = simulatedRun();
    assert.deepEqual(await run.perform(async () => 7), { ended: 'done', value: 7 });
    const error = new Error('no');
    assert.deepEqual(await run.perform(() => Promise.reject(error)), { ended: 'failed', error });
  });

  it('frozen, it sleeps past its time while others go on', async () => {
    const clock = simulatedClock({ start });
    const ana = clock.run('ana', { faults: [{ at: 1, do: 'freeze', ms: 1000 }] });
    const ben = clock.run('ben');
    const log: string[] = [];
    await Promise.all([
      ana.call(read, async () => log.push(`ana calls at ${ana.now() - start}`)),
      ana.sleep(10).then(() => log.push(`ana wakes at ${ana.now() - start}`)),
      ben.sleep(100).then(() => log.push(`ben wakes at ${ben.now() - start}`)),
    ]);
    assert.equal(log[0], 'ben wakes at 100');
    assert.deepEqual(log.slice(1).toSorted(), ['ana calls at 1000', 'ana wakes at 1000']);
  });

  it('knows of a process of its own machine whether it is gone, and nothing of another', () => {
    const clock = simulatedClock();
    const [ana, ben, far] = [clock.run('ana'), clock.run('ben'), clock.run('ana', { machine: 'far' })];
    assert.equal(ben.isGone(ana.holder), false);
    assert.equal(far.isGone(ana.holder), 'unknown');
    ana.kill();
    assert.equal(ben.isGone(ana.holder), true);
    assert.equal(far.isGone(ana.holder), 'unknown');
    assert.equal(ben.isGone({ name: 'x', process: 'nobody' }), 'unknown');
    clock.setGone(ana.holder.process, false);
    assert.equal(ben.isGone(ana.holder), false);
    clock.setGone(ana.holder.process, undefined);
    assert.equal(ben.isGone(ana.holder), true);
  });

  it('is a new process each time a name is used', () => {
    const clock = simulatedClock();
    const first = clock.run('ana');
    first.kill();
    assert.notEqual(clock.run('ana').holder.process, first.holder.process);
    assert.equal(clock.run('ana').killed, false);
  });
});
