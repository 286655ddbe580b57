import { type Answer, type HttpCall, type InvokeCall, JSON_ANSWER, THREW } from './calls.js';

export type Failure = 'threw' | 'crashed' | 'timeout' | 'unloadable' | 'busy';

/** How a call ended. `cold`: it waited for an instance to start. */
export type Outcome = (
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly headers: readonly string[];
      readonly body: Uint8Array | null;
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
    }
  | { readonly kind: 'invoke'; readonly payload: string }
);

export function messageOf(input: Input, id: number, deadline: number): HttpCall | InvokeCall {
  if (input.kind === 'invoke') return [id, input.requestId, deadline, input.payload];
  return [
    id,
    input.requestId,
    deadline,
    input.method,
    input.url,
    input.headers,
    input.body,
    input.params,
    input.route,
  ];
}

export function outcomeOf(answer: Answer): Outcome {
  if (answer.length === 4) return { kind: 'http', status: answer[1], headers: answer[2], body: answer[3] };
  if (answer[1] === JSON_ANSWER) return { kind: 'json', text: answer[2] };
  return { kind: 'failed', why: answer[1] === THREW ? 'threw' : 'crashed', message: answer[2] };
}
