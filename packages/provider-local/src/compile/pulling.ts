import {
  type BucketProps,
  type Json,
  type JsonObject,
  parseSchedule,
  type QueueProps,
  type ScheduleProps,
  type ServiceEvent,
  type ServiceFunction,
  type TopicProps,
  type Trigger,
} from '@sfx-deploy/plugin';
import { isName, NAME_LIMIT } from '../names.js';
import { ALIAS, type Found } from './found.js';
import type { Report } from './report.js';

/** What a queue or topic does when the file says nothing. */
export const DEFAULTS = {
  batchSize: 10,
  windowMs: 0,
  maxReceives: 3,
  concurrency: 2,
} as const;

function pulling(
  kind: string,
  source: string,
  title: string,
  props: JsonObject,
  fn: ServiceFunction,
): Trigger {
  return {
    id: `${kind}:${source}`,
    kind,
    source,
    title,
    props,
    alias: ALIAS,
    function: fn.name,
    delivers: 'pulls',
    dependsOn: [],
  };
}

export function queueTrigger({ fn, event }: Found, props: JsonObject, report: Report): Trigger {
  const { queue, rate, visibilityMs, ...own } = props as unknown as QueueProps;
  named('queue', queue, event, report);
  const deadLetter = own.deadLetter ?? `${queue}-dead`;
  named('queue', deadLetter, event, report);
  const full: Omit<Required<QueueProps>, 'rate' | 'visibilityMs'> = {
    queue,
    batchSize: own.batchSize ?? DEFAULTS.batchSize,
    windowMs: own.windowMs ?? DEFAULTS.windowMs,
    maxReceives: own.maxReceives ?? DEFAULTS.maxReceives,
    deadLetter,
    concurrency: own.concurrency ?? DEFAULTS.concurrency,
    enabled: own.enabled,
  };
  if (visibilityMs !== undefined && visibilityMs < fn.timeout) {
    const message = `visibility of the queue ${queue} is shorter than the timeout of ${fn.name}: messages would be worked on twice`;
    report.problem('SFX6010', message, `${event.pointer}/visibility`);
  }
  const optional = {
    ...(visibilityMs === undefined ? {} : { visibilityMs }),
    ...(rate === undefined ? {} : { rate }),
  };
  return pulling('queue', queue, `queue ${queue}`, { ...full, ...optional }, fn);
}

export function topicTrigger({ fn, event }: Found, props: JsonObject, report: Report): Trigger {
  const { topic, filter, maxReceives, deadLetter, enabled } = props as unknown as TopicProps;
  named('topic', topic, event, report);
  const full = {
    topic,
    ...(filter === undefined ? {} : { filter: filter as Json }),
    maxReceives: maxReceives ?? DEFAULTS.maxReceives,
    deadLetter: deadLetter ?? `${topic}-dead`,
    enabled,
  };
  named('queue', full.deadLetter, event, report);
  return pulling('topic', `${topic}:${fn.name}`, `topic ${topic}`, full, fn);
}

export function scheduleTrigger(
  { fn, event, nth }: Found,
  props: JsonObject,
  report: Report,
): Trigger | undefined {
  const { schedule, timezone, overlap, name, input, enabled } = props as unknown as ScheduleProps;
  const parsed = parseSchedule(schedule);
  if ('fault' in parsed) {
    report.problem('SFX6010', `\`${schedule}\` of ${fn.name}: ${parsed.fault}`, event.pointer);
    return undefined;
  }
  for (const key of ['inputPath', 'inputTransformer']) {
    if (props[key] === undefined) continue;
    report.lacking(
      'SFX2204',
      `\`${key}\` of a schedule of ${fn.name}: not on the local engine`,
      event.pointer,
    );
    return undefined;
  }
  const full = {
    schedule,
    timezone,
    overlap,
    ...(name === undefined ? {} : { name }),
    ...(input === undefined ? {} : { input }),
    enabled,
  };
  return pulling('schedule', name ?? `${fn.name}:${nth}`, schedule, full, fn);
}

export function bucketTrigger({ fn, event }: Found, props: JsonObject, report: Report): Trigger {
  const { bucket, path } = props as unknown as BucketProps;
  named('bucket', bucket, event, report);
  if (path !== undefined && !path.startsWith('/')) {
    const message = `path of the bucket ${bucket} is ${path}; it takes a folder from the root on, so that every copy of the project means the same`;
    report.problem(
      'SFX6010',
      message,
      `${event.pointer}/path`,
      'Leave it out for a folder that the engine makes.',
    );
  }
  return pulling('bucket', `${bucket}:${fn.name}`, `bucket ${bucket}`, props, fn);
}

function named(what: string, name: string, { pointer }: ServiceEvent, report: Report): void {
  if (isName(name)) return;
  const message = `${what} \`${name}\`: letters, digits, \`-\` and \`_\` only, at most ${NAME_LIMIT}`;
  report.problem('SFX6007', message, pointer);
}
