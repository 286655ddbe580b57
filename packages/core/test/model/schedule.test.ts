import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isTimeZone, parseSchedule } from '../../src/model/schedule.js';

function faultOf(text: string): string {
  const read = parseSchedule(text);
  assert.ok('fault' in read, `${text} was read`);
  return read.fault;
}

function cronOf(text: string) {
  const read = parseSchedule(text);
  assert.ok('kind' in read && read.kind === 'cron', `${text}: ${JSON.stringify(read)}`);
  return read;
}

describe('schedules as written', () => {
  it('are rates in minutes, hours or days', () => {
    assert.deepEqual(parseSchedule('rate(1 minute)'), { kind: 'rate', everyMs: 60_000 });
    assert.deepEqual(parseSchedule(' rate( 12 hours ) '), { kind: 'rate', everyMs: 43_200_000 });
    assert.deepEqual(parseSchedule('rate(2 days)'), { kind: 'rate', everyMs: 172_800_000 });
  });

  it('name what is wrong with a rate', () => {
    assert.equal(faultOf('rate(1 minutes)'), '`1 minutes` is `1 minute`');
    assert.equal(faultOf('rate(5 minute)'), '`5 minute` is `5 minutes`');
    assert.equal(faultOf('rate(0 days)'), 'a rate is at least 1');
    for (const text of ['rate()', 'rate(5)', 'rate(5 seconds)', 'rate(-1 minutes)', 'rate(1.5 hours)'])
      assert.match(faultOf(text), /a rate is a number/);
    assert.match(faultOf('rate(99999999 days)'), /at most/);
  });

  it('count days of the week from Sunday, as 1 in AWS and as 0 or 7 in Unix', () => {
    assert.deepEqual(cronOf('cron(0 0 ? * 1,SAT *)').days.week, [0, 6]);
    assert.deepEqual(cronOf('cron(0 0 ? * MON-FRI *)').days.week, [1, 2, 3, 4, 5]);
    assert.deepEqual(cronOf('0 0 * * 0,7,sat').days.week, [0, 6]);
    assert.deepEqual(cronOf('0 0 * * 1-5').days.week, [1, 2, 3, 4, 5]);
  });

  it('know the letters of AWS, and only there', () => {
    assert.deepEqual(cronOf('cron(0 0 L * ? *)').days.month, ['last']);
    assert.deepEqual(cronOf('cron(0 0 15W,LW * ? *)').days.month, [{ nearest: 15 }, 'last weekday']);
    assert.deepEqual(cronOf('cron(0 0 ? * L *)').days.week, [6]);
    assert.deepEqual(cronOf('cron(0 0 ? * 6L,MON#2 *)').days.week, [
      { day: 5, nth: 'last' },
      { day: 1, nth: 2 },
    ]);
    for (const text of ['0 0 L * *', '0 0 1W * *', '0 0 * * 6L', '0 0 * * 1#1', '0 0 ? * 1'])
      assert.match(faultOf(text), /cannot be read/);
  });

  it('take one of both day fields when both are limited in Unix, and need both else', () => {
    assert.equal(cronOf('0 0 1,15 * 5').either, true);
    assert.equal(cronOf('0 0 */2 * 5').either, false);
    assert.equal(cronOf('0 0 1 * *').either, false);
    assert.equal(cronOf('cron(0 0 1 * ? *)').either, false);
  });

  it('say what is wrong, and where', () => {
    assert.match(faultOf('cron(0 12 * * *)'), /six fields.*five fields of Unix/);
    assert.match(faultOf('cron(0 12 * * * *)'), /one of day of month and day of week is `\?`/);
    assert.match(faultOf('cron(0 12 ? * ? *)'), /and only one/);
    assert.equal(faultOf('60 * * * *'), '`60` in minutes is not from 0 to 59');
    assert.equal(faultOf('cron(0 0 1 * ? 1969)'), '`1969` in year is not from 1970 to 2199');
    assert.equal(faultOf('0 0 * FOO *'), '`FOO` in month cannot be read');
    assert.match(faultOf('0 22-6 * * *'), /ends before it begins/);
    assert.match(faultOf('*/0 * * * *'), /a step is/);
    assert.match(faultOf('1,,2 * * * *'), /cannot be read/);
    assert.match(faultOf('cron(0 0 ? * MON#6 *)'), /1 to 5/);
    assert.match(faultOf('every day'), /is not a schedule/);
    assert.match(faultOf('0 0 0 * * *'), /is not a schedule/);
    assert.match(faultOf('cron(0 0 31 4,6 ? *)'), /never comes/);
    assert.equal(cronOf('cron(0 0 29 2 ? *)').months[0], 2);
  });

  it('never throw, whatever is written', () => {
    const noise = fc.stringMatching(/^[0-9*?LW#,/ -]{0,20}$/);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          noise,
          noise.map((text) => `cron(${text})`),
        ),
        (text) => {
          const read = parseSchedule(text);
          assert.ok('kind' in read || read.fault.length > 0);
        },
      ),
    );
  });

  it('have time zones of the IANA database', () => {
    for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])
      assert.equal(isTimeZone(name), true, name);
    for (const name of ['', 'Berlin', 'Europe/Berln', '+02:00', 'Mars/Base'])
      assert.equal(isTimeZone(name), false, name);
  });
});
