/**
 * What a trigger delivers, before a handler's style gives it its shape. A host sends it as the payload `{ $event: … }`.
 * A handler that could not process some messages of a batch answers `{ batchItemFailures: [{ itemIdentifier }] }`.
 */
export type Delivery = QueueDelivery | TopicDelivery | ScheduleDelivery | BucketDelivery;

export interface DeliveredMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  /** 1 for the first time. */
  readonly attempt: number;
}

export interface QueueDelivery {
  readonly kind: 'queue';
  readonly queue: string;
  readonly messages: readonly DeliveredMessage[];
}

export interface TopicDelivery {
  readonly kind: 'topic';
  readonly topic: string;
  readonly messages: readonly DeliveredMessage[];
}

export interface ScheduleDelivery {
  readonly kind: 'schedule';
  readonly id: string;
  /** The name or expression as written. */
  readonly schedule: string;
  /** ISO 8601: when it was due. */
  readonly at: string;
  /** What the trigger says to send instead of an event. */
  readonly input?: unknown;
}

export interface BucketDelivery {
  readonly kind: 'bucket';
  readonly id: string;
  readonly bucket: string;
  readonly change: 'created' | 'changed' | 'removed';
  /** Path in the bucket, with `/`. */
  readonly key: string;
  /** Bytes; absent when it was removed. */
  readonly size?: number;
  /** Hash of its content; absent when it was removed. */
  readonly etag?: string;
  /** ISO 8601. */
  readonly at: string;
  /** Where the file is, where the bucket is a folder. */
  readonly file?: string;
}
