import { randomUUID } from 'node:crypto';
import type { QueueProps, TopicProps } from '@sfx-deploy/plugin';
import type { TriggerDocument } from '../../wire.js';
import type { Answered } from '../calls/caller.js';
import { MOST_DEPTH } from '../calls/failures.js';
import type { Outcome } from '../instances/outcomes.js';
import { bury } from '../queues/dead-letters.js';
import type { Queue, Received } from '../queues/messages.js';
import { refusal } from '../refusal.js';
import type { Feed, FeedFactory, FeedHost } from './feeds.js';
import { type Delivered, startPump } from './pump.js';

export const BATCH_SIZE = 10;
export const TRIES = 3;
export const BATCHES_AT_ONCE = 2;

export interface FeedTimings {
  /** Default 1,000: before the second try of a message. */
  readonly retryMs?: number;
  /** Default 100: the first pause after failures in a row. */
  readonly brakeMs?: number;
}

/** Delivers a queue of the stage in batches. Throws SFX6007, SFX6010. */
export function queueFeeds(timings: FeedTimings = {}): FeedFactory {
  return async (trigger, host) => {
    const props = trigger.props as unknown as QueueProps;
    const deadName = props.deadLetter ?? `${props.queue}-dead`;
    if (deadName === props.queue)
      throw refusal(400, 'SFX6010', `queue ${props.queue} cannot be the one for its own dead letters`);
    const [queue, dead] = [await host.queue(props.queue), await host.queue(deadName)];
    return feed(trigger, host, timings, {
      queue,
      dead,
      origin: props.queue,
      eventOf: (messages) => ({ kind: 'queue', queue: props.queue, messages }),
      props,
    });
  };
}

/** Delivers this trigger's own copies of what is published to a topic. */
export function topicFeeds(timings: FeedTimings = {}): FeedFactory {
  return async (trigger, host) => {
    const props = trigger.props as unknown as TopicProps;
    const [queue, dead] = [await host.own(), await host.queue(props.deadLetter ?? `${props.topic}-dead`)];
    return feed(trigger, host, timings, {
      queue,
      dead,
      eventOf: (messages) => ({ kind: 'topic', topic: props.topic, messages }),
      props,
    });
  };
}

interface Feeding {
  readonly queue: Queue;
  readonly dead: Queue;
  /** Name of the queue, where it is not the trigger's own. */
  readonly origin?: string;
  readonly props: Partial<QueueProps>;
  eventOf(messages: readonly unknown[]): unknown;
}

function feed(trigger: TriggerDocument, host: FeedHost, timings: FeedTimings, feeding: Feeding): Feed {
  const { queue, dead, origin, props } = feeding;
  if (props.enabled === false) return { close: async () => undefined };
  const tries = props.maxReceives ?? TRIES;
  return startPump({
    queue,
    batchSize: props.batchSize ?? BATCH_SIZE,
    windowMs: props.windowMs ?? 0,
    visibilityMs: props.visibilityMs ?? Number.POSITIVE_INFINITY,
    tries,
    concurrency: props.concurrency ?? BATCHES_AT_ONCE,
    ...(props.rate === undefined ? {} : { rate: props.rate }),
    ...timings,
    log: host.log,
    refuses: ({ depth }) =>
      depth > MOST_DEPTH ? `SFX6112: it came of a chain of more than ${MOST_DEPTH} calls` : undefined,
    bury: async (messages, why) => {
      const from = { trigger, now: host.now(), ...(origin === undefined ? {} : { queue: origin }) };
      await bury(dead, messages, why, from);
      host.log(`${messages.length} of ${queue.name} went to ${dead.name}: ${why}`);
    },
    deliver: (messages) => deliver(trigger, host, feeding, messages),
  });
}

async function deliver(
  trigger: TriggerDocument,
  host: FeedHost,
  { eventOf }: Feeding,
  messages: readonly Received[],
): Promise<Delivered> {
  const first = messages[0]!;
  const event = eventOf(
    messages.map(({ id, body, attributes, sentAt, attempt }) => ({ id, body, attributes, sentAt, attempt })),
  );
  const answered = await host.caller.call({
    cause: trigger.kind === 'topic' ? 'topic' : 'queue',
    function: trigger.function,
    alias: trigger.alias,
    input: { kind: 'invoke', requestId: randomUUID(), payload: JSON.stringify({ $event: event }) },
    depth: Math.max(...messages.map((message) => message.depth)),
    ...(first.trace === undefined ? {} : { trace: first.trace }),
    trigger: trigger.id,
    attempt: first.attempt,
    asked: Math.min(...messages.map((message) => message.sentAt)),
    fault: (outcome) => faultOf(deliveredOf(outcome, messages), messages.length),
  });
  return typeof answered === 'string'
    ? { kind: 'nobody', why: `nothing is live for ${trigger.function}` }
    : deliveredOf(answered.outcome, messages);
}

/** A version that leaves messages untaken fails, though it answers. */
function faultOf(delivered: Delivered, count: number): string | undefined {
  if (delivered.kind !== 'taken') return delivered.why;
  const { failed } = delivered;
  return failed.length === 0 ? undefined : `${failed.length} of ${count} messages were not taken`;
}

function deliveredOf(outcome: Answered['outcome'], messages: readonly Received[]): Delivered {
  if (outcome.kind === 'failed')
    return outcome.why === 'busy'
      ? { kind: 'nobody', why: outcome.message }
      : { kind: 'failed', why: `${outcome.why}: ${outcome.message}` };
  if (outcome.kind === 'http' && (outcome.status < 200 || outcome.status > 299))
    return { kind: 'failed', why: `it answered with status ${outcome.status}` };
  const failed = failuresIn(outcome);
  const unknown = failed.find((id) => messages.every((message) => message.id !== id));
  if (unknown !== undefined)
    return { kind: 'failed', why: `batchItemFailures names no message of the batch: ${unknown}` };
  return { kind: 'taken', failed };
}

/** Ids in `{ batchItemFailures: [{ itemIdentifier }] }`; what is something else says that all were taken. */
function failuresIn(outcome: Exclude<Outcome, { kind: 'failed' }>): string[] {
  const text = outcome.kind === 'json' ? outcome.text : Buffer.from(outcome.body ?? []).toString('utf8');
  if (!text.includes('batchItemFailures')) return [];
  const value = parsed(text) as { batchItemFailures?: unknown } | null;
  const items = value?.batchItemFailures;
  if (!Array.isArray(items)) return [];
  return items.map((item: { itemIdentifier?: unknown } | null) =>
    typeof item?.itemIdentifier === 'string' ? item.itemIdentifier : JSON.stringify(item ?? null),
  );
}

/** The body of an answer over HTTP need not be JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
