import type { PlainContext, PlainRequest } from '@sfx-deploy/runtime';
import type { HttpCall, InvokeCall, Load } from '../calls.js';

/** A call in the form that the runtime's styles take. */
export function requestOf(call: HttpCall): PlainRequest {
  const [, , , , , method, url, headers, body, params, route, ip, authorizer] = call;
  return {
    method,
    url,
    headers: pairs(headers),
    body,
    params: Object.fromEntries(pairs(params)),
    route,
    ...(ip !== '' && { ip }),
    ...(authorizer !== '' && { authorizer: JSON.parse(authorizer) as Record<string, unknown> }),
  };
}

export function contextOf(call: HttpCall | InvokeCall, load: Load): PlainContext {
  const [, requestId, deadline, , trace] = call;
  return { ...load.context, requestId, deadline, ...(trace !== '' && { trace }) };
}

export function pairs(list: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let n = 0; n < list.length; n += 2) found.push([list[n]!, list[n + 1]!]);
  return found;
}

export function flat(list: readonly (readonly [string, string])[]): string[] {
  return list.flat();
}
