import { type Answer, type HttpCall, type InvokeCall, JSON_ANSWER, THREW } from './calls.js';

export type Failure = 'threw' | 'crashed' | 'timeout' | 'unloadable' | 'busy';

export type Outcome =
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly headers: readonly string[];
      readonly body: Uint8Array | null;
    }
  | { readonly kind: 'json'; readonly text: string }
  | { readonly kind: 'failed'; readonly why: Failure; readonly message: string };

/** A call without what only its instance gives it: its id and deadline. */
export type Input =
  | {
      readonly kind: 'http';
      readonly requestId: string;
      readonly method: string;
      readonly url: string;
      readonly headers: readonly string[];
      readonly body: Uint8Array | null;
      readonly params: readonly string[];
      readonly route: string;
    }
  | { readonly kind: 'invoke'; readonly requestId: string; readonly payload: string };

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
