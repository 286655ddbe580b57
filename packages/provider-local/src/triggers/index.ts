import type { ResourceHandler, Scope } from '@sfx-deploy/plugin';
import type { Client } from '../client.js';
import { bucketTriggers } from './bucket.js';
import { httpTriggers } from './http.js';
import { queueTriggers } from './queue.js';
import { scheduleTriggers } from './schedule.js';
import { topicTriggers } from './topic.js';

/** A handler for each kind of trigger that `compile` makes. */
export function triggers(scope: Scope, client: Client): Readonly<Record<string, ResourceHandler>> {
  return {
    http: httpTriggers(scope, client),
    queue: queueTriggers(scope, client),
    topic: topicTriggers(scope, client),
    schedule: scheduleTriggers(scope, client),
    bucket: bucketTriggers(scope, client),
  };
}
