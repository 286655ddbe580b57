import type {
  BucketDelivery,
  DeliveredMessage,
  Delivery,
  QueueDelivery,
  ScheduleDelivery,
  TopicDelivery,
} from '../delivery.js';

/** What stands where AWS has a region and an account: nothing of AWS is there. */
const REGION = 'local';
const ACCOUNT = '000000000000';

/** A delivery as the event that AWS Lambda hands to a function for the same kind of trigger. */
export function awsEvent(delivery: Delivery): unknown {
  switch (delivery.kind) {
    case 'queue':
      return { Records: delivery.messages.map((message) => sqsRecord(delivery, message)) };
    case 'topic':
      return { Records: delivery.messages.map((message) => snsRecord(delivery, message)) };
    case 'schedule':
      return delivery.input === undefined ? scheduledEvent(delivery) : delivery.input;
    case 'bucket':
      return { Records: [s3Record(delivery)] };
  }
}

function sqsRecord({ queue }: QueueDelivery, { id, body, attributes, sentAt, attempt }: DeliveredMessage) {
  const entries = Object.entries(attributes).map(([name, stringValue]) => [
    name,
    { stringValue, stringListValues: [], binaryListValues: [], dataType: 'String' },
  ]);
  return {
    messageId: id,
    receiptHandle: `${id}#${attempt}`,
    body,
    attributes: {
      ApproximateReceiveCount: String(attempt),
      SentTimestamp: String(sentAt),
      SenderId: ACCOUNT,
      // Not before it was sent; nothing closer is kept.
      ApproximateFirstReceiveTimestamp: String(sentAt),
    },
    messageAttributes: Object.fromEntries(entries) as Record<string, unknown>,
    md5OfBody: md5(body),
    eventSource: 'aws:sqs',
    eventSourceARN: arn('sqs', queue),
    awsRegion: REGION,
  };
}

function snsRecord({ topic }: TopicDelivery, { id, body, attributes, sentAt }: DeliveredMessage) {
  const entries = Object.entries(attributes).map(([name, Value]) => [name, { Type: 'String', Value }]);
  return {
    EventVersion: '1.0',
    EventSubscriptionArn: arn('sns', `${topic}:${id}`),
    EventSource: 'aws:sns',
    Sns: {
      Type: 'Notification',
      MessageId: id,
      TopicArn: arn('sns', topic),
      Subject: null,
      Message: body,
      Timestamp: new Date(sentAt).toISOString(),
      // There is nobody who signs.
      SignatureVersion: '1',
      Signature: '',
      SigningCertUrl: '',
      UnsubscribeUrl: '',
      MessageAttributes: Object.fromEntries(entries) as Record<string, unknown>,
    },
  };
}

function scheduledEvent({ id, schedule, at }: ScheduleDelivery) {
  return {
    version: '0',
    id,
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: ACCOUNT,
    time: at.replace(/\.\d+Z$/, 'Z'),
    region: REGION,
    resources: [arn('events', `rule/${schedule}`)],
    detail: {},
  };
}

function s3Record({ id, bucket, change, key, size, etag, at }: BucketDelivery) {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: REGION,
    eventTime: new Date(at).toISOString(),
    eventName: change === 'removed' ? 'ObjectRemoved:Delete' : 'ObjectCreated:Put',
    userIdentity: { principalId: ACCOUNT },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': id, 'x-amz-id-2': id },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: bucket,
      bucket: { name: bucket, ownerIdentity: { principalId: ACCOUNT }, arn: `arn:aws:s3:::${bucket}` },
      object: {
        key: encodeKey(key),
        ...(size !== undefined && { size }),
        ...(etag !== undefined && { eTag: etag }),
        sequencer: Date.parse(at).toString(16).toUpperCase().padStart(16, '0'),
      },
    },
  };
}

/** As S3 writes a key in an event: percent-encoded but for slashes, a space as `+`. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+')
    .replace(/[!'()]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function arn(service: string, name: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT}:${name}`;
}

/** Loaded with the first message, so that no other function pays for it. */
function md5(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('md5').update(text).digest('hex');
}
