import type { CronSchedule, MonthDay, Schedule, WeekDay } from '@sfx-deploy/plugin';

/**
 * When a schedule is due. A local time that does not exist (clocks go forward) is left out; one that exists twice (clocks
 * go back) is due the first time only, unless the schedule means every hour: then every real minute that fits is due.
 */
export interface Times {
  /** Milliseconds since 1970 of the first time after `after`; undefined: never again. */
  next(after: number): number | undefined;
  /** The last time in `(from, to]`; undefined when there is none. */
  last(from: number, to: number): number | undefined;
}

/** `zone` is an IANA name. `anchor`, in milliseconds since 1970, is what a rate is counted from: it never drifts. */
export function timesOf(schedule: Schedule, zone: string, anchor: number): Times {
  if (schedule.kind === 'rate') {
    const { everyMs } = schedule;
    const next = (after: number) =>
      anchor + Math.max(1, Math.floor((after - anchor) / everyMs) + 1) * everyMs;
    return {
      next,
      last(from, to) {
        const latest = next(to) - everyMs;
        return latest > from && latest > anchor ? latest : undefined;
      },
    };
  }
  const offset = offsetsOf(zone);
  const next = (after: number) => nextOf(schedule, offset, after);
  return { next, last: (from, to) => lastOf(next, from, to) };
}

const DAY = 86_400_000;
/** AWS takes years up to 2199; nothing is looked for after them. */
const END = Date.UTC(2200, 0, 1);

type Offset = (instant: number) => number;

function nextOf(cron: CronSchedule, offset: Offset, after: number): number | undefined {
  const end = cron.years === undefined ? END : Date.UTC(cron.years.at(-1)! + 1, 0, 1);
  // Local days as if they were of UTC: they are counted without a zone, and only their minutes get one. The day before
  // may come again, when clocks go back at midnight.
  const today = Math.floor((after + offset(after)) / DAY) * DAY;
  for (let day = today - DAY; day < end; day += DAY) {
    if (!fits(cron, new Date(day))) continue;
    const found = firstOf(cron, offset, day, after);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first time of one local day that is after `after`. */
function firstOf(cron: CronSchedule, offset: Offset, day: number, after: number): number | undefined {
  // Wide enough that a change of the clocks on this day, in whatever zone, is between both.
  const [before, behind] = [offset(day - 16 * 3_600_000), offset(day + DAY + 16 * 3_600_000)];
  const [low, high] = [Math.min(before, behind), Math.max(before, behind)];
  let best: number | undefined;
  for (const hour of cron.hours) {
    for (const minute of cron.minutes) {
      const local = day + (hour * 60 + minute) * 60_000;
      if (local - low <= after) continue;
      if (best !== undefined && local - high > best) return best;
      if (low === high) return local - low;
      for (const instant of instantsOf(local, low, high, offset, cron.hours.length === 24))
        if (instant > after && (best === undefined || instant < best)) best = instant;
    }
  }
  return best;
}

/** What a local time is on a day when the clocks change: nothing, one instant, or two. */
function instantsOf(local: number, low: number, high: number, offset: Offset, both: boolean): number[] {
  const real = [local - high, local - low].filter((instant) => instant + offset(instant) === local);
  return both ? real : real.slice(0, 1);
}

/** Looks back in growing steps, so that a year of minutes that were missed costs no more than a day. */
function lastOf(next: (after: number) => number | undefined, from: number, to: number): number | undefined {
  for (let back = 60_000; ; back *= 4) {
    const begin = Math.max(from, to - back);
    let found = next(begin);
    if (found !== undefined && found <= to) {
      for (;;) {
        const later = next(found);
        if (later === undefined || later > to) return found;
        found = later;
      }
    }
    if (begin === from) return undefined;
  }
}

function fits(cron: CronSchedule, day: Date): boolean {
  if (!cron.months.includes(day.getUTCMonth() + 1)) return false;
  if (cron.years !== undefined && !cron.years.includes(day.getUTCFullYear())) return false;
  const month = cron.days.month.some((rule) => fitsMonth(rule, day));
  const week = cron.days.week.some((rule) => fitsWeek(rule, day));
  return cron.either ? month || week : month && week;
}

function fitsMonth(rule: MonthDay, day: Date): boolean {
  const date = day.getUTCDate();
  if (typeof rule === 'number') return date === rule;
  const length = daysIn(day);
  if (rule === 'last') return date === length;
  if (rule === 'last weekday') return date === nearestWeekday(day, length, length);
  return rule.nearest <= length && date === nearestWeekday(day, rule.nearest, length);
}

/** Monday to Friday nearest to a day, without leaving its month. */
function nearestWeekday(day: Date, wanted: number, length: number): number {
  const week = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), wanted)).getUTCDay();
  if (week === 6) return wanted === 1 ? 3 : wanted - 1;
  if (week === 0) return wanted === length ? wanted - 2 : wanted + 1;
  return wanted;
}

function fitsWeek(rule: WeekDay, day: Date): boolean {
  const week = day.getUTCDay();
  if (typeof rule === 'number') return week === rule;
  if (week !== rule.day) return false;
  const date = day.getUTCDate();
  return rule.nth === 'last' ? date + 7 > daysIn(day) : Math.ceil(date / 7) === rule.nth;
}

function daysIn(day: Date): number {
  return new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
}

/** How far a zone is ahead of UTC at an instant, in milliseconds. */
function offsetsOf(zone: string): Offset {
  if (zone === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (instant) => {
    const parts = Object.fromEntries(
      format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
  };
}
