import type { Queue } from '../../queues/messages.js';
import { queueState } from '../../queues/queues.js';
import { refusal } from '../../refusal.js';
import { messagesOf } from '../door.js';
import { type AdminCall, type AdminRoute, known, MB, missing, route, STAGE } from './route.js';

const QUEUE = `${STAGE}/queues/:queue`;
const MOST_PEEKED = 100;

/** Queues of a stage, for whoever holds the token. */
export const queueRoutes: readonly AdminRoute[] = [
  route('GET', `${STAGE}/queues`, async (call) =>
    (known(call) ?? missing('stage')).events.queues().map(queueState),
  ),
  route('GET', QUEUE, async (call) => {
    const max = Number(call.query.get('max') ?? 10);
    if (!Number.isInteger(max) || max < 1 || max > MOST_PEEKED)
      throw refusal(400, 'SFX6010', `max is 1 to ${MOST_PEEKED}`);
    const queue = await queueOf(call);
    return { ...queueState(queue), messages: queue.peek(max) };
  }),
  route(
    'POST',
    QUEUE,
    async (call) => {
      const type = call.query.get('batch') === '1' ? 'application/x-ndjson' : 'text/plain';
      const messages = messagesOf({ headers: { 'content-type': type } }, call.body.toString('utf8'));
      return { ids: await (await queueOf(call)).send(messages) };
    },
    16 * MB,
  ),
  route('POST', `${QUEUE}/redrive`, async (call) =>
    (known(call) ?? missing('stage')).events.redrive(call.path['queue']!),
  ),
  route('POST', `${QUEUE}/purge`, async (call) => ({ purged: await (await queueOf(call)).purge() })),
  route(
    'POST',
    `${STAGE}/topics/:topic`,
    async (call) => {
      const stage = known(call) ?? missing('stage');
      const messages = messagesOf({ headers: {} }, call.body.toString('utf8'));
      return { ids: await stage.events.publish(call.path['topic']!, messages) };
    },
    MB,
  ),
];

function queueOf(call: AdminCall): Promise<Queue> {
  return (known(call) ?? missing('stage')).events.queue(call.path['queue']!);
}
