import type { HttpCall, InvokeCall, Load } from '../calls.js';

/** The caller's headers, and what a program has instead of a handler's context. Flat. */
export function headersOf(call: HttpCall, load: Load): string[] {
  const [, , , , , , , headers, , , , ip, authorizer] = call;
  const more = ip === '' ? [] : ['x-forwarded-for', ip];
  return [...marked([...headers, ...more], call, load), ...authorized(authorizer)];
}

/** What the engine says of a call takes the place of what the caller said under the same names. */
export function marked(headers: readonly string[], call: HttpCall | InvokeCall, { context }: Load): string[] {
  const [, requestId, deadline, depth, trace] = call;
  const ours = [
    'x-request-id',
    requestId,
    'x-sfx-activation',
    requestId,
    'x-sfx-function',
    context.function,
    'x-sfx-version',
    context.version,
    'x-sfx-deadline',
    String(deadline),
    'x-sfx-depth',
    String(depth),
  ];
  if (trace !== '') ours.push('traceparent', trace);
  const taken = new Set([...ours.filter((_, n) => n % 2 === 0), AUTHORIZER]);
  const all: string[] = [];
  for (let n = 0; n < headers.length; n += 2) {
    if (!taken.has(headers[n]!.toLowerCase())) all.push(headers[n]!, headers[n + 1]!);
  }
  return [...all, ...ours];
}

const AUTHORIZER = 'x-sfx-authorizer';

/** JSON of the same meaning that a header can hold. */
function authorized(json: string): string[] {
  if (json === '') return [];
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return [AUTHORIZER, json.replace(/[^\x20-\x7e]/g, escaped)];
}
