import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { parseSchedule, type ScheduleProps } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import { makeFolder, readDocument, writeDocument } from '../disk.js';
import type { Queue } from '../queues/messages.js';
import { refusal, textOf } from '../refusal.js';
import { type Times, timesOf } from './cron.js';
import type { Feed, FeedFactory, FeedHost } from './feeds.js';
import { dueAt, nextDue, type Settled } from './schedule-due.js';
import { idOf, singlePump } from './single-pump.js';

/** `schedule.json` in the trigger's folder. */
interface ScheduleDocument extends Settled {
  readonly schedule: string;
  readonly timezone: string;
  /** Milliseconds since 1970 at which it was first enabled: rates are counted from it. */
  readonly anchor: number;
  readonly enabled: boolean;
}

export interface ScheduleTimings {
  /** Default 1,000. The wall clock is looked at so often: it may be set, and the machine may sleep. */
  readonly lookMs?: number;
  /** Default 1,000: before the second try of a run. */
  readonly retryMs?: number;
}

const RUNS_AT_ONCE = 16;

/**
 * Runs its function whenever it is due. Each run is kept on disk before its time counts as settled, then tried up to three
 * times. Throws SFX6010 for an expression that cannot be read.
 */
export function scheduleFeeds({ lookMs = 1_000, retryMs = 1_000 }: ScheduleTimings = {}): FeedFactory {
  return (trigger, host) => openSchedule(trigger, host, lookMs, retryMs);
}

async function openSchedule(
  trigger: TriggerDocument,
  host: FeedHost,
  lookMs: number,
  retryMs: number,
): Promise<Feed> {
  const props = trigger.props as unknown as ScheduleProps;
  const schedule = parseSchedule(props.schedule);
  if ('fault' in schedule) throw refusal(400, 'SFX6010', `\`${props.schedule}\`: ${schedule.fault}`);
  const path = join(host.dir, 'schedule.json');
  await makeFolder(host.dir);
  const document = await begun(path, props, host);
  const times = timesOf(schedule, props.timezone, document.anchor);
  const queue = await host.own();
  const pump = singlePump({
    queue,
    trigger,
    cause: 'schedule',
    caller: host.caller,
    concurrency: props.overlap === 'allow' ? RUNS_AT_ONCE : 1,
    log: host.log,
    retryMs,
  });
  const clock = props.enabled
    ? watchClock(path, document, times, { trigger, props, host, queue, lookMs })
    : undefined;
  return {
    run: () => keep(queue, props, host.now(), randomUUID()),
    async close(graceMs) {
      await clock?.close();
      await pump.close(graceMs);
    },
  };
}

/** Where it goes on. Of another expression, or while it was not enabled, nothing was missed. */
async function begun(path: string, props: ScheduleProps, host: FeedHost): Promise<ScheduleDocument> {
  const { schedule, timezone, enabled } = props;
  const before = await readDocument<ScheduleDocument>(path);
  const now = host.now();
  const same = before?.schedule === schedule && before.timezone === timezone;
  if (same && before.enabled && enabled && !host.fresh) return before;
  const document = same
    ? { ...before, cursor: now, enabled }
    : { schedule, timezone, enabled, anchor: now, cursor: now, ran: [] };
  await writeDocument(path, document);
  return document;
}

interface Watching {
  readonly trigger: TriggerDocument;
  readonly props: ScheduleProps;
  readonly host: FeedHost;
  readonly queue: Queue;
  readonly lookMs: number;
}

function watchClock(path: string, first: ScheduleDocument, times: Times, watching: Watching) {
  const { host, props, lookMs } = watching;
  let document = first;
  let next = nextDue(times, document);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let told = '';

  const look = async (): Promise<void> => {
    const now = host.now();
    if (now >= document.cursor && (next === undefined || now < next)) return;
    const due = dueAt(times, document, now);
    if (due.at !== undefined) await runDue(watching, due.at, due.missed);
    const settled = { ...document, ...due.settled };
    await writeDocument(path, settled);
    document = settled;
    next = nextDue(times, document);
    told = '';
  };
  const tick = (): void => {
    pass = look()
      .catch((error: unknown) => {
        // It is due as before, and tried again at the next look; said once.
        if (told !== textOf(error)) host.log(`${props.schedule} could not run: ${textOf(error)}`);
        told = textOf(error);
      })
      .then(() => {
        if (closed) return;
        const wait = next === undefined || told !== '' ? lookMs : next - host.now();
        timer = setTimeout(tick, Math.min(lookMs, Math.max(1, wait)));
      });
  };
  let pass: Promise<void> = Promise.resolve();
  tick();
  return {
    close(): Promise<void> {
      closed = true;
      clearTimeout(timer);
      return pass;
    },
  };
}

async function runDue(watching: Watching, at: number, missed: number | undefined): Promise<void> {
  const { trigger, props, host, queue } = watching;
  const { visible, delayed, inFlight } = queue.counts();
  const open = visible + delayed + inFlight;
  if (missed !== undefined)
    host.log(`${props.schedule} was missed from ${iso(missed)} to ${iso(at)}: one run for all of them`);
  if (props.overlap === 'skip' && open > 0)
    return host.log(`${props.schedule} at ${iso(at)} is left out: the run before it is not over`);
  if (props.overlap === 'queue' && open > 1)
    return host.log(`${props.schedule} at ${iso(at)} is left out: one run waits already`);
  await keep(queue, props, at, idOf(trigger.id, at));
}

async function keep(queue: Queue, props: ScheduleProps, at: number, id: string): Promise<string> {
  const delivery = {
    kind: 'schedule',
    id,
    schedule: props.name ?? props.schedule,
    at: iso(at),
    ...(props.input === undefined ? {} : { input: props.input }),
  };
  await queue.send([{ id, body: JSON.stringify(delivery) }]);
  return id;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
