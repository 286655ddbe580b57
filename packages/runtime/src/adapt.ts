import { described, httpIn, requestOf } from './asked.js';
import { deliveryIn } from './deliveries/in.js';
import type { Adapted } from './plain.js';
import { eventStyle } from './styles/event.js';
import { fetchStyle } from './styles/fetch.js';
import type { Handled, Style } from './styles/style.js';

/** In the order in which they are tried: an object with `fetch` may be callable too. */
const styles: readonly Style[] = [fetchStyle, eventStyle];

/**
 * Finds the style of a handler export and gives it the one form that hosts call.
 *
 * @param exportName Name under which it was exported; by default the function's own. A bundler may rename functions,
 *   so whoever knows the name passes it.
 * @throws TypeError for what is not a handler, with what was found instead.
 */
export function adapt(exported: unknown, exportName: string = nameOf(exported)): Adapted {
  // Whoever imports a CommonJS module finds all of it as its default, and in there what it called `exports.default`.
  const inner = exportName === 'default' ? defaultIn(exported) : undefined;
  for (const one of inner === undefined ? [exported] : [exported, inner]) {
    for (const style of styles) {
      const found = style.adapt(one, exportName);
      if (found !== undefined) return hosted(found, style.name);
    }
  }
  const name = exportName === '' ? 'The handler' : `The handler \`${exportName}\``;
  throw new TypeError(
    `${name} is ${whatItIs(exported)}. Export a function of (event, context), or an object with \`fetch(request)\`.`,
  );
}

/**
 * `invoke` with `{ $http: … }` calls the function as over HTTP, whatever its style, and answers `{ status, headers, body }`;
 * with `{ $event: … }` it hands over what a trigger delivers, in the shape of the style.
 */
function hosted(found: Handled, style: string): Adapted {
  return {
    http: found.http,
    style,
    async invoke(payload, context) {
      const asked = httpIn(payload);
      if (asked !== undefined)
        return described(await found.http(requestOf(asked), { ...context, streams: false }));
      const delivery = deliveryIn(payload);
      return delivery === undefined ? found.invoke(payload, context) : found.deliver(delivery, context);
    },
  };
}

function defaultIn(exported: unknown): unknown {
  return typeof exported === 'object' && exported !== null
    ? (exported as { readonly default?: unknown }).default
    : undefined;
}

function nameOf(exported: unknown): string {
  return typeof exported === 'function' ? exported.name : '';
}

function whatItIs(value: unknown): string {
  if (value === undefined) return 'undefined: the file has no such export';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Promise) return 'a promise';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const keys = Object.keys(value);
  const shown = keys.slice(0, 5).join(', ') + (keys.length > 5 ? ', …' : '');
  return keys.length === 0 ? 'an object without keys' : `an object with ${shown}`;
}
