import type { BucketDelivery, QueueDelivery, ScheduleDelivery, TopicDelivery } from '@sfx-deploy/runtime';

const message = {
  id: 'm-1',
  body: '{"sku":7}',
  attributes: { color: 'red' },
  sentAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  attempt: 2,
};

export const queue: QueueDelivery = {
  kind: 'queue',
  queue: 'orders',
  messages: [message, { ...message, id: 'm-2', body: 'plain', attributes: {}, attempt: 1 }],
};

export const topic: TopicDelivery = { kind: 'topic', topic: 'sales', messages: [message] };

export const schedule: ScheduleDelivery = {
  kind: 'schedule',
  id: 's-1',
  schedule: 'nightly',
  at: '2026-01-02T03:04:00.000Z',
};

export const bucket: BucketDelivery = {
  kind: 'bucket',
  id: 'b-1',
  bucket: 'uploads',
  change: 'created',
  key: "a b/ü+('1').txt",
  size: 12,
  etag: 'e5f1',
  at: '2026-01-02T03:04:05.678Z',
};
