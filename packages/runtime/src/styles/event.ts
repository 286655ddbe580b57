import { handlerContext } from '../context.js';
import { awsEvent } from '../deliveries/aws.js';
import { gathered, isParts } from '../streams.js';
import { httpEvent } from './event-in.js';
import { httpResult } from './event-out.js';
import type { Style } from './style.js';

type EventHandler = (event: unknown, context: unknown) => unknown;

/** `(event, context) => result`, as written for AWS Lambda: an HTTP API event of version 2.0 in, a result or any value out. */
export const eventStyle: Style = {
  name: 'event',
  adapt(exported) {
    if (typeof exported !== 'function') return undefined;
    if (exported.length >= 3) {
      throw new TypeError(
        `The handler takes ${exported.length} parameters, so it answers through a callback. ` +
          'Make it an async function of (event, context) that returns its result.',
      );
    }
    if (/^class\b/.test(Function.prototype.toString.call(exported))) {
      throw new TypeError(
        `The handler is the class ${exported.name || '(without a name)'}. Export a function.`,
      );
    }
    const handler = exported as EventHandler;
    return {
      async http(request, context) {
        const event = httpEvent(request, context, Date.now());
        const response = httpResult(await handler(event, handlerContext(context)));
        if (response.stream === undefined || context.streams === true) return response;
        const { stream, ...whole } = response;
        return { ...whole, body: await gathered(stream) };
      },
      invoke: async (payload, context) => value(await handler(payload, handlerContext(context))),
      deliver: async (delivery, context) => value(await handler(awsEvent(delivery), handlerContext(context))),
    };
  },
};

/** A generator was not even begun: its answer would be an empty object, and nothing of it would have run. */
function value(result: unknown): unknown {
  if (!isParts(result)) return result;
  throw new TypeError('The handler streams its answer, which only a call over HTTP can take.');
}
