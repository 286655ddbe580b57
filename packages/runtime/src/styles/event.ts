import { handlerContext } from '../context.js';
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
      http: async (request, context) =>
        httpResult(await handler(httpEvent(request, context, Date.now()), handlerContext(context))),
      invoke: async (payload, context) => handler(payload, handlerContext(context)),
    };
  },
};
