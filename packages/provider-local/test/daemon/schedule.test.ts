import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseSchedule } from '@sfx-deploy/plugin';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { timesOf } from '../../src/daemon/feeds/cron.js';
import type { Feed } from '../../src/daemon/feeds/feeds.js';
import { dueAt, type Settled } from '../../src/daemon/feeds/schedule-due.js';
import { scheduleFeeds } from '../../src/daemon/feeds/schedule-feed.js';
import { DONE, type FeedBench, feedBench, THREW, triggerOf, until } from './feed-bench.js';

const MINUTE = 60_000;
const NOON = Date.parse('2026-05-01T12:00:00Z');

function timesFor(text: string, anchor = 0) {
  const schedule = parseSchedule(text);
  assert.ok('kind' in schedule);
  return timesOf(schedule, 'UTC', anchor);
}

describe('what of a schedule is due', () => {
  it('is one run for all that was missed, the last of them', () => {
    const times = timesFor('*/5 * * * *');
    const due = dueAt(times, { cursor: NOON, ran: [] }, NOON + 61 * MINUTE);
    assert.deepEqual([due.at, due.missed], [NOON + 60 * MINUTE, NOON + 5 * MINUTE]);
    assert.equal(dueAt(times, due.settled, NOON + 61 * MINUTE).at, undefined);
  });

  it('is not what ran, when the clock is set back, but what was left out', () => {
    const times = timesFor('*/5 * * * *');
    let settled: Settled = { cursor: NOON, ran: [] };
    for (const minute of [5, 10, 15]) settled = dueAt(times, settled, NOON + minute * MINUTE).settled;
    settled = dueAt(times, settled, NOON + 1_000 * MINUTE).settled;
    settled = dueAt(times, settled, NOON + 6 * MINUTE).settled;
    assert.equal(dueAt(times, settled, NOON + 19 * MINUTE).at, undefined);
    assert.equal(dueAt(times, settled, NOON + 20 * MINUTE).at, NOON + 20 * MINUTE);
  });

  it('never runs twice for one time, and goes on, whatever the clock does', () => {
    const jump = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 1, max: 90_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -6 * 3_600_000, max: 6 * 3_600_000 }) },
    );
    fc.assert(
      fc.property(
        fc.array(jump, { maxLength: 200 }),
        fc.constantFrom('rate(7 minutes)', '*/5 * * * *'),
        (jumps, text) => {
          const times = timesFor(text, NOON);
          let settled: Settled = { cursor: NOON, ran: [] };
          let now = NOON;
          const ran: number[] = [];
          for (const by of jumps) {
            now += by;
            const due = dueAt(times, settled, now);
            settled = due.settled;
            if (due.at === undefined) continue;
            assert.ok(due.at <= now);
            assert.equal(times.next(due.at - 1), due.at);
            assert.ok(!ran.includes(due.at), `twice at ${due.at}`);
            ran.push(due.at);
          }
          // From here on time passes as it should, and each time that did not run yet does.
          const end = now + 60 * MINUTE;
          const wanted: number[] = [];
          for (let at = times.next(now)!; at <= end; at = times.next(at)!)
            if (!ran.includes(at)) wanted.push(at);
          const found: number[] = [];
          for (; now <= end; now += 10_000) {
            const due = dueAt(times, settled, now);
            settled = due.settled;
            if (due.at !== undefined) found.push(due.at);
          }
          assert.deepEqual(
            found.filter((at) => at >= wanted[0]!),
            wanted,
          );
        },
      ),
    );
  });
});

describe('a schedule', () => {
  let bench: FeedBench;
  let feed: Feed | undefined;
  beforeEach(async () => {
    bench = await feedBench(NOON);
  });
  afterEach(async () => {
    await feed?.close(0);
    feed = undefined;
    await bench.close();
  });

  const open = async (props: Record<string, unknown> = {}) => {
    feed = await scheduleFeeds({ lookMs: 10, retryMs: 5 })(
      triggerOf('schedule', {
        schedule: 'rate(5 minutes)',
        timezone: 'UTC',
        overlap: 'skip',
        enabled: true,
        ...props,
      } as never),
      bench.host(),
    );
  };
  /** As a daemon that ends and comes again. */
  const reopen = async (props: Record<string, unknown> = {}, fresh = false) => {
    await feed!.close(0);
    await bench.closeQueue();
    bench.fresh = fresh;
    await open(props);
  };
  const dues = () => bench.events().map((event) => event['at']);

  it('runs when it is due, with what its trigger says', async () => {
    await open({ name: 'sweep', input: { deep: true } });
    bench.now = NOON + 5 * MINUTE;
    await until(() => bench.calls.length === 1);
    const [event] = bench.events();
    assert.deepEqual(event, {
      kind: 'schedule',
      id: bench.calls[0]!.input.requestId,
      schedule: 'sweep',
      at: '2026-05-01T12:05:00.000Z',
      input: { deep: true },
    });
    assert.equal(bench.calls[0]!.cause, 'schedule');
    assert.equal(bench.calls[0]!.trigger, 'schedule:one');
  });

  it('runs once for all that was missed while the daemon was down, and keeps its rate', async () => {
    await open();
    await reopen();
    await feed!.close(0);
    await bench.closeQueue();
    bench.now = NOON + 63 * MINUTE;
    await open();
    await until(() => bench.calls.length === 1);
    assert.match(bench.lines.join('\n'), /missed from 2026-05-01T12:05:00.000Z to 2026-05-01T13:00:00.000Z/);
    bench.now = NOON + 65 * MINUTE;
    await until(() => bench.calls.length === 2);
    assert.deepEqual(dues(), ['2026-05-01T13:00:00.000Z', '2026-05-01T13:05:00.000Z']);
  });

  it('goes by the clock of its time zone', async () => {
    await open({ schedule: '0 9 * * *', timezone: 'Asia/Tokyo' });
    bench.now = Date.parse('2026-05-02T10:00:00Z');
    await until(() => bench.calls.length === 1);
    assert.deepEqual(dues(), ['2026-05-02T00:00:00.000Z']);
  });

  it('does not run again when it could not be kept that it ran', async () => {
    await open();
    const path = join(bench.dir, 'feed', 'schedule.json');
    await rm(path);
    await mkdir(path);
    bench.now = NOON + 5 * MINUTE;
    await until(() => bench.calls.length === 1 && bench.lines.length === 1);
    assert.match(bench.lines[0]!, /could not run/);
    await until(() => held() === 0);
    await rmdir(path);
    // The same time is looked at once more, and kept.
    await until(() => existsSync(path));
    bench.now = NOON + 10 * MINUTE;
    await until(() => bench.calls.length === 2);
    assert.deepEqual(dues(), ['2026-05-01T12:05:00.000Z', '2026-05-01T12:10:00.000Z']);
  });

  it('owes nothing for the time in which it was not enabled, nor for what it was before', async () => {
    await open();
    await feed!.close(0);
    bench.now = NOON + 63 * MINUTE;
    await reopen({}, true);
    await reopen({ schedule: '0 * * * *' });
    bench.now = NOON + 120 * MINUTE;
    await until(() => bench.calls.length === 1);
    assert.deepEqual(dues(), ['2026-05-01T14:00:00.000Z']);
    assert.deepEqual(bench.lines, []);
  });

  it('does not run again for a time when the clock is set back', async () => {
    await open();
    bench.now = NOON + 5 * MINUTE;
    await until(() => bench.calls.length === 1);
    bench.now = NOON + 4 * MINUTE;
    await reopen();
    bench.now = NOON + 6 * MINUTE;
    await reopen();
    bench.now = NOON + 10 * MINUTE;
    await until(() => bench.calls.length === 2);
    assert.deepEqual(dues(), ['2026-05-01T12:05:00.000Z', '2026-05-01T12:10:00.000Z']);
  });

  it('leaves a run out while the last one is not over, and says so', async () => {
    const ends: (() => void)[] = [];
    bench.answer = () => new Promise((resolve) => ends.push(() => resolve(DONE)));
    await open();
    bench.now = NOON + 5 * MINUTE;
    await until(() => ends.length === 1);
    bench.now = NOON + 10 * MINUTE;
    await until(() => bench.lines.length === 1);
    assert.match(bench.lines[0]!, /12:10:00.000Z is left out: the run before it is not over/);
    ends[0]!();
    await until(() => bench.queue()!.counts().inFlight === 0);
    bench.now = NOON + 15 * MINUTE;
    await until(() => ends.length === 2);
    assert.deepEqual(dues(), ['2026-05-01T12:05:00.000Z', '2026-05-01T12:15:00.000Z']);
    ends[1]!();
  });

  it('keeps one run waiting, or runs several at once, when its trigger says so', async () => {
    const ends: (() => void)[] = [];
    bench.answer = () => new Promise((resolve) => ends.push(() => resolve(DONE)));
    await open({ overlap: 'queue' });
    bench.now = NOON + 5 * MINUTE;
    await until(() => ends.length === 1);
    bench.now = NOON + 10 * MINUTE;
    await until(() => held() === 2);
    bench.now = NOON + 15 * MINUTE;
    await until(() => bench.lines.length === 1);
    assert.match(bench.lines.join('\n'), /12:15:00.000Z is left out: one run waits already/);
    assert.equal(ends.length, 1, 'the one that waits is not called yet');
    ends[0]!();
    await until(() => ends.length === 2);
    ends[1]!();
    await until(() => held() === 0);
    await reopen({ overlap: 'allow' });
    for (const minute of [20, 25]) {
      bench.now = NOON + minute * MINUTE;
      await until(() => ends.length === minute / 5 - 1);
    }
    for (const end of ends) end();
  });
  const held = () => {
    const { visible, inFlight } = bench.queue()!.counts();
    return visible + inFlight;
  };

  it('tries a run three times, and then gives it up with a word', async () => {
    bench.answer = async () => THREW;
    await open();
    await feed!.run!();
    await until(() => bench.lines.length === 1);
    assert.deepEqual(
      bench.calls.map((call) => [call.attempt, call.again!(THREW)]),
      [
        [1, true],
        [2, true],
        [3, false],
      ],
    );
    assert.equal(new Set(bench.calls.map((call) => call.input.requestId)).size, 1);
    assert.match(bench.lines[0]!, /gave up .* after 3 tries/);
    assert.equal(held(), 0);
  });

  it('runs now when it is told to, also when the file says that it is not enabled', async () => {
    await open({ enabled: false });
    const id = await feed!.run!();
    await until(() => bench.calls.length === 1);
    assert.equal(bench.events()[0]!['id'], id);
    bench.now = NOON + 60 * MINUTE;
    await feed!.run!();
    await until(() => bench.calls.length === 2);
    assert.deepEqual(bench.lines, []);
  });

  it('whose run was under way when the daemon was killed runs it again', async () => {
    bench.answer = () => new Promise(() => undefined);
    await open();
    bench.now = NOON + 5 * MINUTE;
    await until(() => bench.calls.length === 1);
    bench.answer = async () => DONE;
    await reopen();
    await until(() => bench.calls.length === 2);
    assert.equal(bench.calls[0]!.input.requestId, bench.calls[1]!.input.requestId);
  });

  it('does not give up a run whose last try was cut off when the daemon ended', async () => {
    let cut: (() => void) | undefined;
    bench.answer = (call) => {
      if (call.attempt !== 3) return Promise.resolve(THREW);
      return new Promise((resolve) => {
        cut = () => resolve(THREW);
      });
    };
    await open();
    await feed!.run!();
    await until(() => cut !== undefined);
    const closing = feed!.close(5_000);
    cut!();
    await closing;
    await bench.closeQueue();
    bench.answer = async () => DONE;
    bench.fresh = false;
    await open();
    await until(() => bench.calls.length === 4);
    assert.equal(bench.calls[3]!.attempt, 3);
    assert.deepEqual(bench.lines, []);
  });

  it('owes a run that could not be kept, and says so once', async () => {
    await open();
    bench.full = true;
    bench.now = NOON + 5 * MINUTE;
    await until(() => bench.lines.length === 1);
    await sleep(50);
    assert.deepEqual(bench.lines, ['rate(5 minutes) could not run: the disk is full']);
    bench.full = false;
    await until(() => bench.calls.length === 1);
    assert.deepEqual(dues(), ['2026-05-01T12:05:00.000Z']);
  });

  it('that cannot be read is refused', async () => {
    await assert.rejects(open({ schedule: 'rate(5 minute)' }), { code: 'SFX6010' });
  });
});
