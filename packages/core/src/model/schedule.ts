/**
 * When a schedule is due, as it is written: `rate(5 minutes)`, `cron(0 12 * * ? *)` with the six fields of AWS, or the five
 * of Unix without a wrapper (`0 12 * * 1-5`). What is read here is checked completely; the times are computed elsewhere.
 */
export type Schedule = RateSchedule | CronSchedule;

export interface RateSchedule {
  readonly kind: 'rate';
  readonly everyMs: number;
}

export interface CronSchedule {
  readonly kind: 'cron';
  /** Each sorted, without repetition. */
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** From 1. */
  readonly months: readonly number[];
  /** Absent: every year. */
  readonly years?: readonly number[];
  readonly days: CronDays;
  /** Days of month and week are both limited, and a day that fits one of them is enough (Unix). Else it must fit both. */
  readonly either: boolean;
}

export interface CronDays {
  readonly month: readonly MonthDay[];
  readonly week: readonly WeekDay[];
}

/** A day of the month, the last one, the weekday nearest to a day, or the last weekday. */
export type MonthDay = number | 'last' | { readonly nearest: number } | 'last weekday';

/** 0 is Sunday. On every one of it, on the nth of the month, or on its last. */
export type WeekDay = number | { readonly day: number; readonly nth: number | 'last' };

export interface ScheduleFault {
  readonly fault: string;
}

const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** A hundred years: what is longer is a slip. */
const LONGEST_DAYS = 36_525;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function parseSchedule(text: string): Schedule | ScheduleFault {
  const trimmed = text.trim();
  const wrapped = /^(rate|cron)\s*\((.*)\)$/.exec(trimmed);
  if (wrapped?.[1] === 'rate') return parseRate(wrapped[2]!);
  const fields = (wrapped?.[2] ?? trimmed).trim().split(/\s+/);
  try {
    if (wrapped !== null) return comes(parseAws(fields));
    if (fields.length === 5) return comes(parseUnix(fields));
  } catch (error) {
    if (isFault(error)) return { fault: error.fault };
    throw error;
  }
  return {
    fault:
      'is not a schedule: write `rate(5 minutes)`, `cron(0 12 * * ? *)` or five fields like `0 12 * * *`',
  };
}

/** An IANA time zone that this machine knows: `UTC`, `Europe/Berlin`. Offsets like `+02:00` are none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    // The one thing that this constructor throws for is a zone that it does not know.
    return false;
  }
}

function parseRate(text: string): Schedule | ScheduleFault {
  const [, count = '', unit = '', plural = ''] = /^\s*(\d+)\s+(minute|hour|day)(s?)\s*$/.exec(text) ?? [];
  if (unit === '') return { fault: 'a rate is a number and minutes, hours or days: `rate(5 minutes)`' };
  const n = Number(count);
  if (n < 1) return { fault: 'a rate is at least 1' };
  if ((n === 1) !== (plural === ''))
    return { fault: `\`${n} ${unit}${plural}\` is \`${n} ${unit}${n === 1 ? '' : 's'}\`` };
  const everyMs = n * UNITS[unit]!;
  if (everyMs > LONGEST_DAYS * UNITS['day']!) return { fault: `a rate is at most ${LONGEST_DAYS} days` };
  return { kind: 'rate', everyMs };
}

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** The first stands for `first`. */
  readonly names?: readonly string[];
  readonly first?: number;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEK = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MINUTE: Field = { name: 'minutes', from: 0, to: 59 };
const HOUR: Field = { name: 'hours', from: 0, to: 23 };
const MONTH_DAY: Field = { name: 'day of month', from: 1, to: 31 };
const MONTH: Field = { name: 'month', from: 1, to: 12, names: MONTHS, first: 1 };
const AWS_WEEK: Field = { name: 'day of week', from: 1, to: 7, names: WEEK, first: 1 };
const UNIX_WEEK: Field = { name: 'day of week', from: 0, to: 7, names: WEEK, first: 0 };
const YEAR: Field = { name: 'year', from: 1970, to: 2199 };

/** Minutes, hours, day of month, month, day of week (1 is Sunday), year. One of both days is `?`. */
function parseAws(fields: readonly string[]): CronSchedule {
  if (fields.length !== 6) {
    const hint = fields.length === 5 ? '; five fields of Unix are written without `cron(…)`' : '';
    throw fault(`\`cron(…)\` has six fields, the last is the year; here are ${fields.length}${hint}`);
  }
  const [minute = '', hour = '', monthDay = '', month = '', weekDay = '', year = ''] = fields;
  if ((monthDay === '?') === (weekDay === '?'))
    throw fault('one of day of month and day of week is `?`, and only one');
  return {
    kind: 'cron',
    minutes: values(minute, MINUTE),
    hours: values(hour, HOUR),
    months: values(month, MONTH),
    ...(year === '*' ? {} : { years: values(year, YEAR) }),
    days: {
      month: monthDay === '?' ? values('*', MONTH_DAY) : listed(monthDay, awsMonthDay),
      week: weekDay === '?' ? values('*', AWS_WEEK).map((day) => day - 1) : listed(weekDay, awsWeekDay),
    },
    either: false,
  };
}

/** Minutes, hours, day of month, month, day of week (0 and 7 are Sunday). */
function parseUnix(fields: readonly string[]): CronSchedule {
  const [minute = '', hour = '', monthDay = '', month = '', weekDay = ''] = fields;
  return {
    kind: 'cron',
    minutes: values(minute, MINUTE),
    hours: values(hour, HOUR),
    months: values(month, MONTH),
    days: {
      month: values(monthDay, MONTH_DAY),
      week: sorted(values(weekDay, UNIX_WEEK).map((day) => day % 7)),
    },
    either: !monthDay.startsWith('*') && !weekDay.startsWith('*'),
  };
}

function awsMonthDay(part: string): readonly MonthDay[] {
  if (part === 'L') return ['last'];
  if (part === 'LW') return ['last weekday'];
  const nearest = /^(\d+)W$/.exec(part)?.[1];
  return nearest === undefined ? range(part, MONTH_DAY) : [{ nearest: numberOf(nearest, MONTH_DAY) }];
}

function awsWeekDay(part: string): readonly WeekDay[] {
  // The last day of the week is Saturday.
  if (part === 'L') return [6];
  const last = /^(\w+)L$/.exec(part)?.[1];
  if (last !== undefined) return [{ day: numberOf(last, AWS_WEEK) - 1, nth: 'last' }];
  const [day = '', nth, ...more] = part.split('#');
  if (nth === undefined) return range(part, AWS_WEEK).map((each) => each - 1);
  if (!/^[1-5]$/.test(nth) || more.length > 0)
    throw fault(`\`${part}\` in day of week: after \`#\` comes 1 to 5`);
  return [{ day: numberOf(day, AWS_WEEK) - 1, nth: Number(nth) }];
}

function listed<T>(text: string, read: (part: string) => readonly T[]): readonly T[] {
  return [...new Set(text.split(',').flatMap(read))];
}

function values(text: string, field: Field): readonly number[] {
  return sorted(text.split(',').flatMap((part) => range(part, field)));
}

/** `*`, `5`, `1-5`, each also with a step: `0/15`, `8-17/2`. */
function range(part: string, field: Field): number[] {
  const [span = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step)))
    throw fault(`\`${part}\` in ${field.name}: a step is a whole number from 1`);
  const [from, to] = bounds(span, step !== undefined, field);
  if (from > to) throw fault(`\`${part}\` in ${field.name} ends before it begins: write two, with a comma`);
  const found: number[] = [];
  for (let value = from; value <= to; value += Number(step ?? 1)) found.push(value);
  return found;
}

function bounds(span: string, open: boolean, field: Field): [number, number] {
  if (span === '*') return [field.from, field.to];
  const [first = '', second, ...more] = span.split('-');
  if (more.length > 0) throw unreadable(span, field);
  const from = numberOf(first, field);
  if (second !== undefined) return [from, numberOf(second, field)];
  return [from, open ? field.to : from];
}

function numberOf(text: string, field: Field): number {
  const named = field.names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return named + (field.first ?? 0);
  if (!/^\d{1,4}$/.test(text)) throw unreadable(text, field);
  const value = Number(text);
  if (value < field.from || value > field.to)
    throw fault(`\`${text}\` in ${field.name} is not from ${field.from} to ${field.to}`);
  return value;
}

/** 31 June: no month of these is that long. */
function comes(cron: CronSchedule): CronSchedule {
  if (cron.either) return cron;
  const longest = Math.max(...cron.months.map((month) => DAYS_IN_MONTH[month - 1]!));
  const fits = cron.days.month.some((day) => {
    if (typeof day === 'string') return true;
    return (typeof day === 'number' ? day : day.nearest) <= longest;
  });
  if (!fits) throw fault('such a day never comes: none of these months is that long');
  return cron;
}

function sorted(all: readonly number[]): number[] {
  return [...new Set(all)].sort((a, b) => a - b);
}

function unreadable(text: string, field: Field): ScheduleFault {
  return fault(`\`${text}\` in ${field.name} cannot be read`);
}

function fault(text: string): ScheduleFault {
  return { fault: text };
}

function isFault(thrown: unknown): thrown is ScheduleFault {
  return typeof thrown === 'object' && thrown !== null && 'fault' in thrown;
}
