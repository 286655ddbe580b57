import { encode } from '../bodies.js';
import type { DeliveredMessage, Delivery } from '../delivery.js';
import type { PlainRequest } from '../plain.js';

/** Where a delivery comes from. */
export interface Origin {
  readonly service: string;
  readonly stage: string;
  /** `traceparent` of the call. */
  readonly trace?: string;
}

/**
 * A delivery as CloudEvents 1.0 over HTTP: `POST /`, in structured mode. What a queue delivers is always a batch, also of
 * one message, so that a handler has one shape to read; anything else is one event, or a batch where there are several.
 */
export function cloudEventRequest(delivery: Delivery, origin: Origin): PlainRequest {
  const events = eventsOf(delivery, origin);
  const batch = delivery.kind === 'queue' || events.length !== 1;
  const headers: [string, string][] = [
    ['content-type', `application/cloudevents${batch ? '-batch' : ''}+json; charset=utf-8`],
  ];
  if (origin.trace !== undefined) headers.push(['traceparent', origin.trace]);
  return {
    method: 'POST',
    url: 'http://localhost/',
    headers,
    body: encode(batch ? `[${events.join(',')}]` : events[0]!),
    params: {},
    route: 'POST /',
  };
}

/** Each as JSON text. */
function eventsOf(delivery: Delivery, { service, stage, trace }: Origin): string[] {
  const from = (kind: string, name: string) =>
    `/${[service, stage, kind, name].map(encodeURIComponent).join('/')}`;
  const traced: Attributes = trace === undefined ? {} : { traceparent: trace };
  switch (delivery.kind) {
    case 'queue':
    case 'topic': {
      const { kind } = delivery;
      const source =
        delivery.kind === 'queue' ? from('queues', delivery.queue) : from('topics', delivery.topic);
      return delivery.messages.map((message) =>
        withBody({ ...head(`sfx.${kind}.message`, source, message), ...traced }, message.body),
      );
    }
    case 'schedule': {
      const { id, at, schedule, input } = delivery;
      const source = from('schedules', schedule);
      return [written({ ...common('sfx.schedule.due', source, id, at), ...traced }, input)];
    }
    case 'bucket': {
      const { kind: _, id, at, change, ...data } = delivery;
      const event = common(`sfx.bucket.${change}`, from('buckets', data.bucket), id, at);
      return [written({ ...event, subject: data.key, ...traced }, data)];
    }
  }
}

type Attributes = Readonly<Record<string, string | number>>;

function common(type: string, source: string, id: string, time: string): Attributes {
  return { specversion: '1.0', id, source, type, time };
}

/** A CloudEvent takes only short lower-case names as its own, so the attributes of a message are one value: JSON text. */
function head(type: string, source: string, message: DeliveredMessage): Attributes {
  const { id, sentAt, attempt, attributes } = message;
  const own: Attributes =
    Object.keys(attributes).length === 0 ? {} : { attributes: JSON.stringify(attributes) };
  return { ...common(type, source, id, new Date(sentAt).toISOString()), attempt, ...own };
}

function written(event: Attributes, data: unknown): string {
  if (data === undefined) return JSON.stringify(event);
  return spliced({ ...event, datacontenttype: 'application/json' }, JSON.stringify(data));
}

/** JSON where it is JSON, as it was written, so that no digit of a number is lost; text else. */
function withBody(event: Attributes, body: string): string {
  return isJson(body)
    ? spliced({ ...event, datacontenttype: 'application/json' }, body)
    : spliced({ ...event, datacontenttype: 'text/plain' }, JSON.stringify(body));
}

function spliced(event: Attributes, data: string): string {
  return `${JSON.stringify(event).slice(0, -1)},"data":${data}}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
