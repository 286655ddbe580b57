import assert from 'node:assert/strict';
import { adapt, type Delivery } from '@sfx-deploy/runtime';
import fc from 'fast-check';
import { context } from '../samples.js';
import { bucket, queue, schedule, topic } from './samples.js';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function asked(delivery: Delivery, over = {}) {
  let seen: { method: string; path: string; type: string | null; trace: string | null; body: unknown };
  const handler = adapt({
    async fetch(request: Request) {
      const { pathname } = new URL(request.url);
      const [type, trace] = ['content-type', 'traceparent'].map((name) => request.headers.get(name));
      seen = {
        method: request.method,
        path: pathname,
        type: type!,
        trace: trace!,
        body: await request.json(),
      };
      return new Response(null, { status: 204 });
    },
  });
  await handler.invoke({ $event: delivery }, context(over));
  return seen!;
}

function answering(response: () => Response): Promise<unknown> {
  return adapt({ fetch: response }).invoke({ $event: queue }, context());
}

describe('what a trigger delivers to a fetch handler', () => {
  it('is a batch of CloudEvents for a queue, also of one message', async () => {
    const got = await asked(queue);
    assert.equal(got.method, 'POST');
    assert.equal(got.path, '/');
    assert.equal(got.type, 'application/cloudevents-batch+json; charset=utf-8');
    const first = {
      specversion: '1.0',
      id: 'm-1',
      source: '/shop/dev/queues/orders',
      type: 'sfx.queue.message',
      time: '2026-01-02T03:04:05.678Z',
      attempt: 2,
      attributes: '{"color":"red"}',
      datacontenttype: 'application/json',
      data: { sku: 7 },
    };
    const { attributes: _, ...bare } = first;
    const second = { ...bare, id: 'm-2', attempt: 1, datacontenttype: 'text/plain', data: 'plain' };
    assert.deepEqual(got.body, [first, second]);
    assert.deepEqual((await asked({ ...queue, messages: queue.messages.slice(0, 1) })).body, [first]);
  });

  it('is one CloudEvent for a message of a topic, a schedule, a change in a bucket', async () => {
    const one = await asked(topic);
    assert.equal(one.type, 'application/cloudevents+json; charset=utf-8');
    assert.equal((one.body as { type: string }).type, 'sfx.topic.message');
    assert.deepEqual((await asked(schedule)).body, {
      specversion: '1.0',
      id: 's-1',
      source: '/shop/dev/schedules/nightly',
      type: 'sfx.schedule.due',
      time: '2026-01-02T03:04:00.000Z',
    });
    assert.deepEqual(((await asked({ ...schedule, input: [1] })).body as { data: unknown }).data, [1]);
    assert.deepEqual((await asked(bucket)).body, {
      specversion: '1.0',
      id: 'b-1',
      source: '/shop/dev/buckets/uploads',
      type: 'sfx.bucket.created',
      time: '2026-01-02T03:04:05.678Z',
      subject: bucket.key,
      datacontenttype: 'application/json',
      data: { bucket: 'uploads', key: bucket.key, size: 12, etag: 'e5f1' },
    });
  });

  it('carries the trace, as a header and in each event', async () => {
    const got = await asked(topic, { trace: TRACE });
    assert.equal(got.trace, TRACE);
    assert.equal((got.body as { traceparent: string }).traceparent, TRACE);
  });

  it('keeps any body as it was sent: JSON by its value, all else as text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'grapheme' }), fc.json()), async (body) => {
        const message = { ...topic.messages[0]!, body };
        const { data, datacontenttype } = (await asked({ ...topic, messages: [message] })).body as {
          data: unknown;
          datacontenttype: string;
        };
        if (datacontenttype === 'text/plain') assert.equal(data, body);
        else assert.deepEqual(data, JSON.parse(body));
      }),
    );
  });

  it('loses no digit of a number', async () => {
    let text = '';
    const handler = adapt({
      async fetch(request: Request) {
        text = await request.text();
        return new Response(null);
      },
    });
    const body = '{"n":12345678901234567890.10}';
    await handler.invoke({ $event: { ...topic, messages: [{ ...topic.messages[0]!, body }] } }, context());
    assert.ok(text.includes(`"data":${body}`), text);
  });

  it('was taken when the answer is a 2xx, and its JSON body is handed on', async () => {
    const failures = { batchItemFailures: [{ itemIdentifier: 'm-2' }] };
    assert.deepEqual(await answering(() => Response.json(failures)), failures);
    assert.equal(await answering(() => new Response(null, { status: 202 })), null);
    assert.equal(await answering(() => new Response('fine')), 'fine');
  });

  it('failed when the answer is any other', async () => {
    for (const status of [300, 400, 429, 500, 503])
      await assert.rejects(
        answering(() => new Response('no', { status })),
        new RegExp(`answered ${status}`),
      );
  });
});
