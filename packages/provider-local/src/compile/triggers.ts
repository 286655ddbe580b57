import { type JsonObject, type QueueProps, type Service, sameJson, type Trigger } from '@sfx-deploy/plugin';
import { AWS_KINDS, meantBy } from './aws.js';
import type { Found, Maker } from './found.js';
import { httpTrigger } from './http.js';
import { bucketTrigger, queueTrigger, scheduleTrigger, topicTrigger } from './pulling.js';
import type { Report } from './report.js';

const makers: Readonly<Record<string, Maker>> = {
  http: httpTrigger,
  httpApi: httpTrigger,
  schedule: scheduleTrigger,
  queue: queueTrigger,
  topic: topicTrigger,
  bucket: bucketTrigger,
};

/** Kinds of events, as they are written. */
export const KINDS: readonly string[] = [...Object.keys(makers), ...AWS_KINDS];

/** All triggers in the order of their ids. What is wrong or not here goes to the report: SFX2204, SFX2205, SFX3005, SFX6009, SFX6010. */
export function triggersOf(service: Service, report: Report): readonly Trigger[] {
  const made: { trigger: Trigger; found: Found }[] = [];
  for (const found of foundIn(service)) {
    const trigger = triggerOf(found, service, report);
    if (trigger !== undefined) made.push({ trigger: apart(trigger, made), found });
  }
  const known = new Map<string, Found>();
  const triggers: Trigger[] = [];
  for (const { trigger, found } of made) {
    const id = sourceKey(trigger);
    const first = known.get(id);
    if (first === undefined) {
      known.set(id, found);
      triggers.push(trigger);
    } else sameSource(trigger, found, first, report);
  }
  checkDeadLetters(triggers, made, report);
  return triggers.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** A function may look at one bucket in several ways; the second one is numbered. */
function apart(trigger: Trigger, made: readonly { readonly trigger: Trigger }[]): Trigger {
  if (trigger.kind !== 'bucket') return trigger;
  const taken = made.filter(
    ({ trigger: other }) =>
      other.kind === 'bucket' &&
      other.function === trigger.function &&
      (other.props as JsonObject)['bucket'] === (trigger.props as JsonObject)['bucket'],
  );
  if (taken.length === 0 || taken.some(({ trigger: other }) => sameJson(other.props, trigger.props)))
    return trigger;
  const source = `${trigger.source}:${taken.length + 1}`;
  return { ...trigger, id: `bucket:${source}`, source };
}

function foundIn(service: Service): Found[] {
  return service.functions.flatMap((fn) => {
    let schedules = 0;
    return fn.events.map((event) => ({
      fn,
      event,
      nth: event.kind === 'schedule' || event.kind === 'eventBridge' ? ++schedules : 1,
    }));
  });
}

function triggerOf(found: Found, service: Service, report: Report): Trigger | undefined {
  const { fn, event } = found;
  const own = makers[event.kind];
  if (own !== undefined) return own(found, event.props, report);
  const meant = meantBy(event, service);
  const what = `event \`${event.kind}\` of ${fn.name}: not on the local engine`;
  if (meant === undefined) {
    const hint = `It has ${KINDS.join(', ')}; \`sfx providers\` lists who has more.`;
    report.lacking('SFX2204', what, event.pointer, hint);
    return undefined;
  }
  if ('unable' in meant) {
    report.lacking('SFX2204', `${what}: ${meant.unable}`, event.pointer);
    return undefined;
  }
  return makers[meant.kind]!(found, meant.props, report);
}

/** Two routes are one when only the names of their parameters differ. */
function sourceKey({ kind, source }: Trigger): string {
  const key = source.replace(/\{[^}/]*\+\}/g, '{+}').replace(/\{[^}/+]*\}/g, '{}');
  return `${kind} ${kind === 'http' ? key : source}`;
}

function sameSource(trigger: Trigger, { fn, event }: Found, first: Found, report: Report): void {
  if (trigger.kind === 'http') {
    report.problem(
      'SFX6009',
      `${trigger.source} of ${fn.name} is also a route of ${first.fn.name}`,
      event.pointer,
    );
    return;
  }
  const whose = first.fn.name === fn.name ? 'there twice' : `also a source of ${first.fn.name}`;
  const hint =
    trigger.kind === 'queue'
      ? 'A message goes to one function. For several, use a topic: each of them gets its own.'
      : 'Keep one of them, or give them names of their own.';
  report.problem(
    'SFX2205',
    `${trigger.title ?? trigger.source} of ${fn.name} is ${whose}`,
    event.pointer,
    hint,
  );
}

/** Messages whose dead letters come back to their own queue would never end. */
function checkDeadLetters(
  triggers: readonly Trigger[],
  made: readonly { readonly trigger: Trigger; readonly found: Found }[],
  report: Report,
): void {
  const next = new Map(
    triggers
      .filter(({ kind }) => kind === 'queue')
      .map(({ props }) => {
        const { queue, deadLetter } = props as unknown as QueueProps;
        return [queue, deadLetter] as const;
      }),
  );
  for (const start of next.keys()) {
    const way = [start];
    for (let at = next.get(start); at !== undefined && !way.slice(1).includes(at); at = next.get(at)) {
      way.push(at);
      if (at !== start) continue;
      const event = made.find(({ trigger }) => trigger.id === `queue:${start}`)?.found.event;
      const message = `dead letters go in a circle: ${way.join(' -> ')}`;
      report.problem('SFX6010', message, `${event?.pointer ?? ''}/deadLetter`);
      break;
    }
  }
}
