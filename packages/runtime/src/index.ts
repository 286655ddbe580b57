export { adapt } from './adapt.js';
export type { HandlerContext } from './context.js';
export { cloudEventRequest, type Origin } from './deliveries/cloud-events.js';
export type {
  BucketDelivery,
  DeliveredMessage,
  Delivery,
  QueueDelivery,
  ScheduleDelivery,
  TopicDelivery,
} from './delivery.js';
export type { Adapted, PlainContext, PlainRequest, PlainResponse } from './plain.js';
export type { HttpEvent } from './styles/event-in.js';
export type { FetchContext } from './styles/fetch.js';
