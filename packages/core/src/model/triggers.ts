import { nearest } from '../config/nearest.js';
import type { ErrorCode } from '../errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { parseDuration } from './duration.js';
import { nameFault } from './names.js';
import { isTimeZone, parseSchedule } from './schedule.js';
import type { BucketProps, QueueProps, ScheduleProps, TopicProps } from './service.js';

/** What is wrong with a trigger, at a pointer below it; of what is not written, the nearest above it counts. */
export interface TriggerFault {
  readonly below: string;
  readonly message: string;
  /** Default SFX2202. */
  readonly code?: ErrorCode;
}

/** One trigger in its normal form, and where below the written one it stands. */
export interface NormalTrigger {
  readonly below: string;
  readonly props: JsonObject;
}

export interface Normalized {
  readonly triggers: readonly NormalTrigger[];
  readonly faults: readonly TriggerFault[];
}

type Fault = (below: string, message: string, code?: ErrorCode) => void;
type Own = Readonly<Record<string, unknown>>;

const kinds: Readonly<Record<string, (own: Own, fault: Fault) => readonly NormalTrigger[]>> = {
  queue: (own, fault) => one(queueOf(own, fault)),
  topic: (own, fault) => one(topicOf(own, fault)),
  bucket: (own, fault) => one(bucketOf(own, fault)),
  schedule: schedulesOf,
};

/** What the short form of a kind stands for. */
const shortForms: Readonly<Record<string, string>> = {
  queue: 'queue',
  topic: 'topic',
  bucket: 'bucket',
  schedule: 'expression',
};

/** Kinds that have a neutral form, the same for every provider. */
export function isNeutral(kind: string): boolean {
  return Object.hasOwn(kinds, kind);
}

/** The normal form of a neutral trigger; a schedule with several expressions is several. Its schema has been checked. */
export function normalizeTrigger(kind: string, value: unknown): Normalized {
  const faults: TriggerFault[] = [];
  const fault: Fault = (below, message, code) =>
    faults.push({ below, message, ...(code === undefined ? {} : { code }) });
  const own: Own = isObject(value) ? value : { [shortForms[kind]!]: value };
  return { triggers: kinds[kind]!(own, fault), faults };
}

function one(props: object): readonly NormalTrigger[] {
  return [{ below: '', props: props as JsonObject }];
}

/** The name under `kind` or `name`, checked. */
function nameOf(kind: 'queue' | 'topic' | 'bucket', own: Own, fault: Fault): string {
  const key = own[kind] === undefined ? 'name' : kind;
  const name = own[key];
  if (own[kind] !== undefined && own['name'] !== undefined)
    fault('/name', `the ${kind} is named twice, by ${kind} and by name`);
  if (typeof name !== 'string') {
    fault('', `the ${kind} has no name: write ${kind}: orders, or name: orders below it`, 'SFX2203');
    return '';
  }
  const wrong = nameFault(kind, name);
  if (wrong !== undefined) fault(`/${key}`, `the ${`${kind} ${name}`.trim()} ${wrong}`, 'SFX2206');
  return name;
}

function queueOf(own: Own, fault: Fault): QueueProps {
  const deadLetter = own['deadLetter'];
  if (typeof deadLetter === 'string') {
    const wrong = nameFault('queue', deadLetter);
    if (wrong !== undefined) fault('/deadLetter', `the queue ${deadLetter} ${wrong}`, 'SFX2206');
  }
  const queue = nameOf('queue', own, fault);
  if (deadLetter === queue) fault('/deadLetter', `the dead letters of ${queue} cannot go back to it`);
  return {
    queue,
    ...numberOf(own, 'batchSize'),
    ...durationOf(own, 'windowMs', ['window', 'maximumBatchingWindow'], { max: 300_000, shown: '5m' }, fault),
    ...durationOf(own, 'visibilityMs', ['visibility'], { max: 43_200_000, shown: '12h' }, fault),
    ...numberOf(own, 'maxReceives'),
    ...(typeof deadLetter === 'string' ? { deadLetter } : {}),
    ...numberOf(own, 'concurrency', 'maximumConcurrency'),
    ...numberOf(own, 'rate'),
    enabled: own['enabled'] !== false,
  };
}

function topicOf(own: Own, fault: Fault): TopicProps {
  const deadLetter = own['deadLetter'];
  if (typeof deadLetter === 'string') {
    const wrong = nameFault('queue', deadLetter);
    if (wrong !== undefined) fault('/deadLetter', `the queue ${deadLetter} ${wrong}`, 'SFX2206');
  }
  const filter = filterOf(own['filter']);
  return {
    topic: nameOf('topic', own, fault),
    ...(filter === undefined ? {} : { filter }),
    ...numberOf(own, 'maxReceives'),
    ...(typeof deadLetter === 'string' ? { deadLetter } : {}),
    enabled: own['enabled'] !== false,
  };
}

/** Attribute → the texts of which it must be one. */
function filterOf(value: unknown): TopicProps['filter'] | undefined {
  if (!isObject(value) || Object.keys(value).length === 0) return undefined;
  return Object.fromEntries(
    Object.entries(value).map(([name, texts]) => [
      name,
      (Array.isArray(texts) ? texts : [texts]).map(String),
    ]),
  );
}

function bucketOf(own: Own, fault: Fault): BucketProps {
  const rules: Record<'prefix' | 'suffix', string | undefined> = { prefix: undefined, suffix: undefined };
  const take = (key: 'prefix' | 'suffix', value: unknown, below: string) => {
    if (typeof value !== 'string') return;
    if (rules[key] !== undefined) fault(below, `one bucket trigger has one ${key}; this is a second one`);
    rules[key] = value;
  };
  for (const key of ['prefix', 'suffix'] as const) take(key, own[key], `/${key}`);
  const list = Array.isArray(own['rules']) ? own['rules'] : [];
  for (const [index, rule] of list.entries()) {
    if (!isObject(rule)) continue;
    for (const key of ['prefix', 'suffix'] as const) take(key, rule[key], `/rules/${index}/${key}`);
  }
  const events = own['events'];
  const wanted =
    typeof events === 'string' ? [events] : Array.isArray(events) ? events : ['created', 'changed'];
  return {
    bucket: nameOf('bucket', own, fault),
    events: (['created', 'changed', 'removed'] as const).filter((event) => wanted.includes(event)),
    ...(rules.prefix === undefined ? {} : { prefix: rules.prefix }),
    ...(rules.suffix === undefined ? {} : { suffix: rules.suffix }),
    ...(typeof own['path'] === 'string' ? { path: own['path'] } : {}),
    enabled: own['enabled'] !== false,
  };
}

const EXPRESSION_KEYS = ['expression', 'rate', 'cron'] as const;
const SCHEDULE_KEYS: readonly string[] = [
  ...EXPRESSION_KEYS,
  'name',
  'timezone',
  'overlap',
  'input',
  'enabled',
];

function schedulesOf(own: Own, fault: Fault): readonly NormalTrigger[] {
  const written = EXPRESSION_KEYS.filter((key) => own[key] !== undefined);
  const [key, again] = written;
  if (key === undefined) {
    fault(
      '',
      'the schedule says not when: write rate: rate(5 minutes), or cron: cron(0 12 * * ? *)',
      'SFX2203',
    );
    return [];
  }
  if (again !== undefined) fault(`/${again}`, `the schedule has ${key}; ${again} beside it says it twice`);
  const timezone = own['timezone'] ?? 'UTC';
  if (typeof timezone === 'string' && !isTimeZone(timezone)) fault('/timezone', zoneFault(timezone));
  const value = own[key];
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) fault(`/${key}`, 'a list of schedules holds at least one');
  return list.map((text, index) => {
    const schedule = wrapped(String(text), key);
    const parsed = parseSchedule(schedule);
    const below = Array.isArray(value) ? `/${key}/${index}` : `/${key}`;
    if ('fault' in parsed) fault(below, `\`${schedule}\`: ${parsed.fault}`);
    return { below, props: scheduleProps(own, schedule, String(timezone), index) };
  });
}

function scheduleProps(own: Own, schedule: string, timezone: string, index: number): JsonObject {
  const { overlap, input, name } = own;
  const named = typeof name === 'string' ? (index === 0 ? name : `${name}-${index + 1}`) : undefined;
  const props: ScheduleProps = {
    schedule,
    timezone,
    overlap: overlap === 'queue' || overlap === 'allow' ? overlap : 'skip',
    ...(named === undefined ? {} : { name: named }),
    ...(input === undefined ? {} : { input: input as Json }),
    enabled: own['enabled'] !== false,
  };
  // What only one provider knows stays as written: it honours it, or says that it cannot.
  const rest = Object.entries(own).filter(([key]) => !SCHEDULE_KEYS.includes(key));
  return { ...props, ...(Object.fromEntries(rest) as JsonObject) };
}

/** `cron: 0 12 * * ? *` and `rate: 5 minutes` are written without their brackets too. */
function wrapped(text: string, key: (typeof EXPRESSION_KEYS)[number]): string {
  const trimmed = text.trim();
  if (trimmed.includes('(')) return trimmed;
  if (key === 'rate' && /^\S+\s+[a-z]+$/i.test(trimmed)) return `rate(${trimmed})`;
  if (key === 'cron' && /^\S+(\s+\S+){5}$/.test(trimmed)) return `cron(${trimmed})`;
  return trimmed;
}

function zoneFault(name: string): string {
  const near = nearest(name, Intl.supportedValuesOf('timeZone'));
  const meant = near === undefined ? '' : `; did you mean ${near}?`;
  return `${name} is not a time zone; it takes a name such as UTC or Europe/Berlin${meant}`;
}

/** The number under the first of these keys, by the first one's name. */
function numberOf(own: Own, ...keys: readonly string[]): Record<string, number> {
  for (const key of keys) {
    const value = own[key];
    if (value !== undefined && value !== null) return { [keys[0]!]: Number(value) };
  }
  return {};
}

function durationOf(
  own: Own,
  name: string,
  keys: readonly string[],
  limit: { readonly max: number; readonly shown: string },
  fault: Fault,
): Record<string, number> {
  const key = keys.find((one) => own[one] !== undefined);
  const ms = key === undefined ? undefined : parseDuration(own[key]);
  if (key === undefined || ms === undefined) return {};
  if (ms > limit.max) fault(`/${key}`, `${key} is at most ${limit.shown}`);
  return { [name]: ms };
}
