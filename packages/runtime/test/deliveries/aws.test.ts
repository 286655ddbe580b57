import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { adapt, type Delivery } from '@sfx-deploy/runtime';
import type { EventBridgeEvent, S3Event, SNSEvent, SQSEvent } from 'aws-lambda';
import fc from 'fast-check';
import { context } from '../samples.js';
import { bucket, queue, schedule, topic } from './samples.js';

async function eventOf(delivery: Delivery): Promise<unknown> {
  let seen: unknown;
  const handler = adapt((event: unknown) => {
    seen = event;
  }, 'get');
  await handler.invoke({ $event: delivery }, context());
  return seen;
}

/** Expected values carry the types that handlers for AWS are written against. */
describe('what a trigger delivers to an event handler', () => {
  it('is an SQS event for a queue', async () => {
    const common = {
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:local:000000000000:orders',
      awsRegion: 'local',
    };
    const sent = { SenderId: '000000000000', SentTimestamp: '1767323045678' };
    const expected: SQSEvent = {
      Records: [
        {
          ...common,
          messageId: 'm-1',
          receiptHandle: 'm-1#2',
          body: '{"sku":7}',
          attributes: {
            ...sent,
            ApproximateReceiveCount: '2',
            ApproximateFirstReceiveTimestamp: '1767323045678',
          },
          messageAttributes: {
            color: { stringValue: 'red', stringListValues: [], binaryListValues: [], dataType: 'String' },
          },
          md5OfBody: createHash('md5').update('{"sku":7}').digest('hex'),
        },
        {
          ...common,
          messageId: 'm-2',
          receiptHandle: 'm-2#1',
          body: 'plain',
          attributes: {
            ...sent,
            ApproximateReceiveCount: '1',
            ApproximateFirstReceiveTimestamp: '1767323045678',
          },
          messageAttributes: {},
          md5OfBody: createHash('md5').update('plain').digest('hex'),
        },
      ],
    };
    assert.deepEqual(await eventOf(queue), expected);
  });

  it('is an SNS event for a topic', async () => {
    const expected: SNSEvent = {
      Records: [
        {
          EventVersion: '1.0',
          EventSubscriptionArn: 'arn:aws:sns:local:000000000000:sales:m-1',
          EventSource: 'aws:sns',
          Sns: {
            Type: 'Notification',
            MessageId: 'm-1',
            TopicArn: 'arn:aws:sns:local:000000000000:sales',
            // Null where the sender gave none, as there; the types know it as absent.
            Subject: null as unknown as string,
            Message: '{"sku":7}',
            Timestamp: '2026-01-02T03:04:05.678Z',
            SignatureVersion: '1',
            Signature: '',
            SigningCertUrl: '',
            UnsubscribeUrl: '',
            MessageAttributes: { color: { Type: 'String', Value: 'red' } },
          },
        },
      ],
    };
    assert.deepEqual(await eventOf(topic), expected);
  });

  it('is a scheduled event for a schedule, or what the schedule says to send', async () => {
    const expected: EventBridgeEvent<'Scheduled Event', object> = {
      version: '0',
      id: 's-1',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '000000000000',
      time: '2026-01-02T03:04:00Z',
      region: 'local',
      resources: ['arn:aws:events:local:000000000000:rule/nightly'],
      detail: {},
    };
    assert.deepEqual(await eventOf(schedule), expected);
    assert.deepEqual(await eventOf({ ...schedule, input: { full: true } }), { full: true });
    assert.equal(await eventOf({ ...schedule, input: null }), null);
  });

  it('is an S3 event for a bucket', async () => {
    const expected: S3Event = {
      Records: [
        {
          eventVersion: '2.1',
          eventSource: 'aws:s3',
          awsRegion: 'local',
          eventTime: '2026-01-02T03:04:05.678Z',
          eventName: 'ObjectCreated:Put',
          userIdentity: { principalId: '000000000000' },
          requestParameters: { sourceIPAddress: '127.0.0.1' },
          responseElements: { 'x-amz-request-id': 'b-1', 'x-amz-id-2': 'b-1' },
          s3: {
            s3SchemaVersion: '1.0',
            configurationId: 'uploads',
            bucket: {
              name: 'uploads',
              ownerIdentity: { principalId: '000000000000' },
              arn: 'arn:aws:s3:::uploads',
            },
            object: {
              key: 'a+b/%C3%BC%2B%28%271%27%29.txt',
              size: 12,
              eTag: 'e5f1',
              sequencer: '0000019B7CA98F2E',
            },
          },
        },
      ],
    };
    assert.deepEqual(await eventOf(bucket), expected);
    const { size: _, etag: __, ...gone } = bucket;
    const removed = (await eventOf({ ...gone, change: 'removed' })) as S3Event;
    assert.equal(removed.Records[0]!.eventName, 'ObjectRemoved:Delete');
    assert.deepEqual(Object.keys(removed.Records[0]!.s3.object), ['key', 'sequencer']);
    assert.equal(
      ((await eventOf({ ...bucket, change: 'changed' })) as S3Event).Records[0]!.eventName,
      'ObjectCreated:Put',
    );
  });

  it('names any key so that the usual way of reading it gives it back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), async (key) => {
        const event = (await eventOf({ ...bucket, key })) as S3Event;
        const read = decodeURIComponent(event.Records[0]!.s3.object.key.replaceAll('+', ' '));
        assert.equal(read, key);
      }),
    );
  });

  it('answers what the handler answers: the messages that it could not take', async () => {
    const failures = { batchItemFailures: [{ itemIdentifier: 'm-2' }] };
    const handler = adapt(async () => failures, 'get');
    assert.deepEqual(await handler.invoke({ $event: queue }, context()), failures);
  });

  it('is the payload itself where `$event` is none of these', async () => {
    const handler = adapt(async (event: unknown) => event, 'get');
    for (const payload of [{ $event: null }, { $event: { kind: 'other' } }, { $event: 'queue' }])
      assert.deepEqual(await handler.invoke(payload, context()), payload);
  });
});
