import { type Answer, type HttpCall, type InvokeCall, JSON_ANSWER, STREAMED, THREW } from './calls.js';

export type Failure = 'threw' | 'crashed' | 'timeout' | 'unloadable' | 'busy';

/** How a call ended. `cold`: it waited for an instance to start. */
export type Outcome = (
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly headers: readonly string[];
      /** A text stands for its bytes in latin1. */
      readonly body: Uint8Array | string | null;
      /** A body as it comes, instead of `body`. Whoever stops early returns its iterator, which ends the call. */
      readonly stream?: AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'failed'; readonly why: Failure; readonly message: string }
) & { readonly cold?: boolean };

/** A call without what only its instance gives it: its id and deadline. */
export type Input = {
  /** Also the id of its activation. */
  readonly requestId: string;
  /** How many calls of functions led to this one; 0 for one from outside. */
  readonly depth?: number;
  /** W3C `traceparent` that the handler gets: this call's own span. */
  readonly trace?: string;
} & (
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly url: string;
      readonly headers: readonly string[];
      readonly body: Uint8Array | null;
      readonly params: readonly string[];
      readonly route: string;
      /** Address of the caller. */
      readonly ip?: string;
      /** JSON: what an authorizer said of the caller. */
      readonly authorizer?: string;
    }
  | { readonly kind: 'invoke'; readonly payload: string }
);

/** `deadline`: milliseconds since 1970. */
export function messageOf(input: Input, id: number, deadline: number): HttpCall | InvokeCall {
  const { requestId, depth = 0, trace = '' } = input;
  if (input.kind === 'invoke') return [id, requestId, deadline, depth, trace, input.payload];
  return [
    id,
    requestId,
    deadline,
    depth,
    trace,
    input.method,
    input.url,
    input.headers,
    input.body,
    input.params,
    input.route,
    input.ip ?? '',
    input.authorizer ?? '',
  ];
}

/** `streamed` gives the chunks of an answer that comes in some. */
export function outcomeOf(answer: Answer, streamed: () => AsyncIterable<Uint8Array>): Outcome {
  if (answer.length === 4) {
    const [, status, headers, body] = answer;
    return body === STREAMED
      ? { kind: 'http', status, headers, body: null, stream: streamed() }
      : { kind: 'http', status, headers, body };
  }
  if (answer[1] === JSON_ANSWER) return { kind: 'json', text: answer[2] };
  return { kind: 'failed', why: answer[1] === THREW ? 'threw' : 'crashed', message: answer[2] };
}
