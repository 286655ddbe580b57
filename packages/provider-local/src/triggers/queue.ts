import { type Json, type QueueProps, type ResourceHandler, type Scope, sameJson } from '@sfx-deploy/plugin';
import type { Client } from '../client.js';
import { triggerHandler } from './handler.js';

/** A function that is called with the messages of a queue. The queue itself stays when its trigger goes: it holds data. */
export function queueTriggers(scope: Scope, client: Client): ResourceHandler {
  return triggerHandler(scope, client, {
    kind: 'queue',
    outputsOf({ props }): Readonly<Record<string, Json>> {
      const { queue, deadLetter } = props as unknown as QueueProps;
      return { queue, ...(deadLetter === undefined ? {} : { deadLetter }) };
    },
    change,
  });
}

/** A handler that is made for small batches, or for the time that it has, may not get more, or less. */
function change(from: Json, to: Json): ReturnType<ResourceHandler['change']> {
  if (sameJson(from, to)) return 'none';
  const [before, after] = [from as unknown as QueueProps, to as unknown as QueueProps];
  if (before.queue !== after.queue) return 'replaces';
  const larger = (after.batchSize ?? 0) > (before.batchSize ?? 0);
  const shorter =
    (after.visibilityMs ?? Number.POSITIVE_INFINITY) < (before.visibilityMs ?? Number.POSITIVE_INFINITY);
  return larger || shorter ? 'breaks' : 'widens';
}
