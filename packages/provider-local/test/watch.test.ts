import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWatch, WATCH_MS, type Watched } from '../src/daemon/instances/watch.js';
import { until } from './assertions.js';

const MB = 1024 * 1024;

/** A process whose memory, clock and page faults a test sets; threads are told apart by number. */
function pretended() {
  const set = { rss: 100 * MB, now: 1_000, pages: new Map<number, number>(), looks: 0 };
  const watch = createWatch({
    rss: () => {
      set.looks += 1;
      return set.rss;
    },
    now: () => set.now,
    faults: (thread) => (set.pages.size === 0 ? undefined : (set.pages.get(thread) ?? 0)),
  });
  const add = (thread: number, change: Partial<Watched> = {}) => {
    const one = { ended: false, reports: set.now, used: 10 * MB, busy: true };
    const watched: Watched = {
      limit: 128 * MB,
      thread: () => thread,
      busy: () => one.busy,
      used: () => one.used,
      reportedAt: () => one.reports,
      busySince: () => 0,
      end: () => {
        one.ended = true;
      },
      ...change,
    };
    watch.add(watched);
    set.rss += one.used;
    return Object.assign(one, { watched });
  };
  /** Until the watch has looked twice, with what a test has set. */
  const looked = async () => {
    watch.wake();
    const from = set.looks;
    await until(() => set.looks >= from + 2);
  };
  return { set, watch, add, looked };
}

describe('the watch over threads that do not yield', () => {
  it('ends one that does not report while the process grows beyond twice its memory and 64 MB', async () => {
    const { set, add, looked } = pretended();
    const one = add(1);
    await looked();
    set.now += 1_000;
    set.rss += (2 * 128 + 64 - 10) * MB;
    await looked();
    assert.equal(one.ended, false);
    set.rss += MB;
    await looked();
    assert.equal(one.ended, true);
  });

  it('ends nobody who reports, however the process grows', async () => {
    const { set, add, looked } = pretended();
    const one = add(1);
    await looked();
    set.rss += 5_000 * MB;
    await looked();
    assert.equal(one.ended, false);
    set.now += WATCH_MS;
    one.reports = set.now;
    await looked();
    assert.equal(one.ended, false);
  });

  it('puts growth down to the thread that touched the pages', async () => {
    const { set, add, looked } = pretended();
    set.pages.set(1, 500).set(2, 500);
    const [innocent, bomb] = [add(1), add(2)];
    await looked();
    set.now += 1_000;
    await looked();
    set.rss += 1_000 * MB;
    set.pages.set(2, 200_000);
    await looked();
    assert.deepEqual([innocent.ended, bomb.ended], [false, true]);
  });

  it('puts nothing down to others of what one that ended has not given back yet', async () => {
    const { set, add, looked, watch } = pretended();
    set.pages.set(1, 500).set(2, 500);
    const [innocent, bomb] = [add(1), add(2)];
    await looked();
    set.now += 1_000;
    await looked();
    set.rss += 1_000 * MB;
    set.pages.set(1, 600).set(2, 200_000);
    await looked();
    watch.remove(bomb.watched);
    await looked();
    assert.equal(innocent.ended, false);
  });

  it('puts nothing down to threads that the engine itself touched', async () => {
    const { set, add, looked } = pretended();
    set.pages.set(process.pid, 10).set(1, 10);
    const one = add(1);
    await looked();
    set.now += 1_000;
    await looked();
    set.rss += 1_000 * MB;
    set.pages.set(process.pid, 200_000);
    await looked();
    assert.equal(one.ended, false);
  });

  it('looks only while something runs', async () => {
    const { set, add, looked } = pretended();
    const one = add(1);
    await looked();
    one.busy = false;
    await sleep(3 * WATCH_MS);
    const { looks } = set;
    await sleep(3 * WATCH_MS);
    assert.equal(set.looks, looks);
  });
});
