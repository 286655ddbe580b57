import assert from 'node:assert/strict';
import { parseSchedule } from '@sfx-deploy/plugin';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type Times, timesOf } from '../../src/daemon/feeds/cron.js';

function times(text: string, zone = 'UTC', anchor = 0): Times {
  const schedule = parseSchedule(text);
  assert.ok('kind' in schedule, `${text}: ${JSON.stringify(schedule)}`);
  return timesOf(schedule, zone, anchor);
}

/** The first times after one, as ISO without seconds. */
function following(text: string, after: string, count: number, zone = 'UTC'): string[] {
  const { next } = times(text, zone);
  const found: string[] = [];
  for (let at = next(Date.parse(after)); at !== undefined && found.length < count; at = next(at))
    found.push(new Date(at).toISOString().replace(':00.000Z', 'Z'));
  return found;
}

describe('times of a schedule', () => {
  it('are those that AWS tells for its own examples', () => {
    // The expressions and their meaning: docs.aws.amazon.com/eventbridge, "Setting a schedule pattern", examples.
    const after = '2026-01-01T00:00:00Z';
    const known: [string, string[]][] = [
      ['cron(0 10 * * ? *)', ['2026-01-01T10:00Z', '2026-01-02T10:00Z']],
      ['cron(15 12 * * ? *)', ['2026-01-01T12:15Z', '2026-01-02T12:15Z']],
      ['cron(0 18 ? * MON-FRI *)', ['2026-01-01T18:00Z', '2026-01-02T18:00Z', '2026-01-05T18:00Z']],
      ['cron(0 8 1 * ? *)', ['2026-01-01T08:00Z', '2026-02-01T08:00Z']],
      ['cron(0/15 * * * ? *)', ['2026-01-01T00:15Z', '2026-01-01T00:30Z']],
      ['cron(0/5 8-17 ? * MON-FRI *)', ['2026-01-01T08:00Z', '2026-01-01T08:05Z']],
      ['cron(0 9 ? * 2#1 *)', ['2026-01-05T09:00Z', '2026-02-02T09:00Z', '2026-03-02T09:00Z']],
      ['cron(15 10 ? * 6L 2026-2027)', ['2026-01-30T10:15Z', '2026-02-27T10:15Z', '2026-03-27T10:15Z']],
      ['cron(0 10 L * ? *)', ['2026-01-31T10:00Z', '2026-02-28T10:00Z', '2026-03-31T10:00Z']],
      ['cron(0 10 ? * L *)', ['2026-01-03T10:00Z', '2026-01-10T10:00Z']],
    ];
    for (const [text, expected] of known)
      assert.deepEqual(following(text, after, expected.length), expected, text);
  });

  it('know the weekday nearest to a day, inside its month', () => {
    // 15 August 2026 and 1 August 2026 are Saturdays, 15 November and 1 November Sundays, 31 May a Sunday.
    assert.deepEqual(following('cron(0 0 15W * ? *)', '2026-08-01T00:00:00Z', 4), [
      '2026-08-14T00:00Z',
      '2026-09-15T00:00Z',
      '2026-10-15T00:00Z',
      '2026-11-16T00:00Z',
    ]);
    assert.deepEqual(following('cron(0 0 1W 8,11 ? *)', '2026-01-01T00:00:00Z', 2), [
      '2026-08-03T00:00Z',
      '2026-11-02T00:00Z',
    ]);
    assert.deepEqual(following('cron(0 0 31W * ? *)', '2026-04-01T00:00:00Z', 2), [
      '2026-05-29T00:00Z',
      '2026-07-31T00:00Z',
    ]);
    assert.deepEqual(following('cron(0 0 LW * ? *)', '2026-02-01T00:00:00Z', 2), [
      '2026-02-27T00:00Z',
      '2026-03-31T00:00Z',
    ]);
  });

  it('of Unix are on either day when both are limited', () => {
    assert.deepEqual(following('30 4 1,15 * 5', '2026-05-01T05:00:00Z', 4), [
      '2026-05-08T04:30Z',
      '2026-05-15T04:30Z',
      '2026-05-22T04:30Z',
      '2026-05-29T04:30Z',
    ]);
    assert.deepEqual(following('0 0 29 2 *', '2026-01-01T00:00:00Z', 2), [
      '2028-02-29T00:00Z',
      '2032-02-29T00:00Z',
    ]);
  });

  it('end with the last year, and come however far they are', () => {
    assert.deepEqual(following('cron(0 0 1 1 ? 2025)', '2026-01-01T00:00:00Z', 1), []);
    assert.deepEqual(following('cron(0 0 1 1 ? 2199)', '2026-01-01T00:00:00Z', 2), ['2199-01-01T00:00Z']);
  });

  it('that do not exist in Berlin are left out, those that exist twice come once', () => {
    assert.deepEqual(following('30 2 * * *', '2026-03-28T00:00:00Z', 3, 'Europe/Berlin'), [
      '2026-03-28T01:30Z',
      '2026-03-30T00:30Z',
      '2026-03-31T00:30Z',
    ]);
    assert.deepEqual(following('30 2 * * *', '2026-10-24T12:00:00Z', 2, 'Europe/Berlin'), [
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
    assert.deepEqual(following('0 3 * * *', '2026-03-28T12:00:00Z', 1, 'Europe/Berlin'), [
      '2026-03-29T01:00Z',
    ]);
  });

  it('of every hour come in every real hour of Berlin, also in the one that exists twice', () => {
    assert.deepEqual(following('30 * * * *', '2026-10-24T23:40:00Z', 3, 'Europe/Berlin'), [
      '2026-10-25T00:30Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:30Z',
    ]);
    assert.deepEqual(following('30 * * * *', '2026-03-28T23:40:00Z', 3, 'Europe/Berlin'), [
      '2026-03-29T00:30Z',
      '2026-03-29T01:30Z',
      '2026-03-29T02:30Z',
    ]);
  });

  it('of a rate are counted from its anchor, wherever it is asked', () => {
    const { next, last } = times('rate(7 minutes)', 'UTC', 1_000);
    assert.equal(next(0), 421_000);
    assert.equal(next(1_000), 421_000);
    assert.equal(next(421_000), 841_000);
    assert.equal(last(0, 420_999), undefined);
    assert.equal(last(0, 421_000), 421_000);
    assert.equal(last(421_000, 840_999), undefined);
    assert.equal(last(0, 421_000 * 1_000), 1_000 + 420_000 * 1_002);
  });

  it('are after what was asked, fit, and none between them is left out', () => {
    fc.assert(
      fc.property(
        expression,
        fc.constantFrom(...ZONES),
        fc.constantFrom(...DAYS),
        fc.nat(5 * 1440),
        (cron, zone, day, minutes) => {
          const text = `${cron.minutes.text} ${cron.hours.text} * * ${cron.week.text}`;
          const after = Date.parse(day) + minutes * 60_000 + 17_000;
          const end = after + 3 * 86_400_000;
          const { next, last } = times(text, zone);
          const wanted = scanned(cron, zone, after, end);
          const found: number[] = [];
          for (let at = next(after); at !== undefined && at <= end; at = next(at)) found.push(at);
          assert.deepEqual(found, wanted, `${text} in ${zone} after ${new Date(after).toISOString()}`);
          assert.equal(last(after, end), wanted.at(-1));
        },
      ),
      { numRuns: 60 },
    );
  });
});

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Cairo',
];
/** Days before clocks change in some of these zones, and others. */
const DAYS = [
  '2026-03-06',
  '2026-03-26',
  '2026-04-02',
  '2026-04-22',
  '2026-10-01',
  '2026-10-23',
  '2026-10-29',
  '2026-07-01',
];

interface Part {
  readonly text: string;
  readonly all: readonly number[];
}

const part = (from: number, to: number): fc.Arbitrary<Part> =>
  fc.oneof(
    fc.constant({ text: '*', all: upTo(from, to, 1) }),
    fc.integer({ min: 2, max: 20 }).map((step) => ({ text: `*/${step}`, all: upTo(from, to, step) })),
    fc
      .uniqueArray(fc.integer({ min: from, max: to }), { minLength: 1, maxLength: 3 })
      .map((all) => ({ text: all.join(','), all })),
  );

const expression = fc.record({ minutes: part(0, 59), hours: part(0, 23), week: part(0, 6) });

function upTo(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => from + n * step);
}

/** Every minute, one after the other, by what a calendar shows. */
function scanned(
  cron: { minutes: Part; hours: Part; week: Part },
  zone: string,
  after: number,
  end: number,
): number[] {
  const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  const seen = new Set<string>();
  const found: number[] = [];
  for (let at = Math.floor(after / 60_000) * 60_000 - 3 * 3_600_000; at <= end; at += 60_000) {
    const local = shown.format(at);
    const again = seen.has(local);
    seen.add(local);
    const date = new Date(`${local.replace(' ', 'T')}Z`);
    const fits =
      cron.minutes.all.includes(date.getUTCMinutes()) &&
      cron.hours.all.includes(date.getUTCHours()) &&
      cron.week.all.includes(date.getUTCDay());
    if (at > after && fits && (!again || cron.hours.all.length === 24)) found.push(at);
  }
  return found;
}
