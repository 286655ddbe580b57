import type { TriggerDocument } from '../../wire.js';
import type { NewMessage, Queue, Received } from './messages.js';

/** What a dead letter says about itself, as attributes beside its own. */
const MARK = 'sfx-dead-';
const LONGEST_REASON = 500;

/** Where a dead letter came from. */
export interface Origin {
  /** Name of the queue that it was in; absent: it was the trigger's own copy. */
  readonly queue?: string;
  /** Id of the trigger that could not deliver it. */
  readonly trigger: string;
}

/** Keeps messages with the reason; their ids stay, so that one that is buried twice after a kill is there once. */
export async function bury(
  dead: Queue,
  messages: readonly Received[],
  why: string,
  { trigger, queue, now }: { trigger: TriggerDocument; queue?: string; now: number },
): Promise<void> {
  await dead.send(
    messages.map(({ id, body, attributes, depth, trace, attempt }) => ({
      id,
      again: true,
      body,
      depth,
      ...(trace === undefined ? {} : { trace }),
      attributes: {
        ...attributes,
        [`${MARK}reason`]: why.slice(0, LONGEST_REASON),
        [`${MARK}tries`]: String(attempt),
        [`${MARK}at`]: new Date(now).toISOString(),
        [`${MARK}trigger`]: trigger.id,
        ...(queue === undefined ? {} : { [`${MARK}queue`]: queue }),
      },
    })),
  );
}

export function originOf({ attributes }: { attributes: Received['attributes'] }): Origin | undefined {
  const trigger = attributes[`${MARK}trigger`];
  const queue = attributes[`${MARK}queue`];
  return trigger === undefined ? undefined : { trigger, ...(queue === undefined ? {} : { queue }) };
}

export interface Redriven {
  /** Sent back to where they came from. */
  readonly sent: number;
  /** Stay: they are no dead letters, or where they came from is gone. */
  readonly left: number;
}

/**
 * Sends the dead letters of a queue back, once each; its chain of calls begins anew. One that a kill catches between both
 * queues is in both.
 */
export async function redrive(
  dead: Queue,
  originFor: (origin: Origin) => Promise<Queue | undefined>,
): Promise<Redriven> {
  let [sent, left] = [0, 0];
  const handed: string[] = [];
  try {
    // What comes back meanwhile is not sent a second time.
    for (let open = dead.counts().visible; open > 0; ) {
      const messages = dead.receive(Math.min(open, 100), Number.POSITIVE_INFINITY);
      if (messages.length === 0) break;
      open -= messages.length;
      handed.push(...messages.map(({ receipt }) => receipt));
      for (const message of messages) {
        const origin = originOf(message);
        const queue = origin === undefined ? undefined : await originFor(origin);
        if (queue === undefined || queue === dead) {
          left += 1;
          continue;
        }
        await queue.send([anew(message)]);
        await dead.ack([message.receipt]);
        sent += 1;
      }
    }
  } finally {
    // Of those that were sent nothing is left to give back.
    dead.release(handed, 0, false);
  }
  return { sent, left };
}

function anew({ id, body, attributes, trace }: Received): NewMessage {
  const own = Object.entries(attributes).filter(([name]) => !name.startsWith(MARK));
  return {
    id,
    again: true,
    body,
    attributes: Object.fromEntries(own),
    ...(trace === undefined ? {} : { trace }),
  };
}
