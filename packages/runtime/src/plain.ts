/**
 * The middle form between hosts and handler styles: plain values only, so that a host can send them over any channel.
 */
export interface PlainRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** In the order received; a name may occur several times. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | null;
  /** Path parameters of the route, decoded: `{ id: "7" }`. */
  readonly params: Readonly<Record<string, string>>;
  /** The route as written: `GET /products/{id}`. */
  readonly route: string;
  /** Address of the caller, where the host knows it. */
  readonly ip?: string;
  /** What an authorizer function said of the caller, for `requestContext.authorizer` of an event. */
  readonly authorizer?: Readonly<Record<string, unknown>>;
}

export interface PlainResponse {
  readonly status: number;
  /** `set-cookie` occurs once per cookie. */
  readonly headers: [name: string, value: string][];
  readonly body: Uint8Array | null;
  /** A body as it comes, instead of `body`, where the host said that it takes one (`PlainContext.streams`). */
  readonly stream?: AsyncIterable<Uint8Array>;
}

export interface PlainContext {
  readonly requestId: string;
  readonly function: string;
  readonly version: string;
  readonly release: number | null;
  readonly service: string;
  readonly stage: string;
  /** Milliseconds since 1970 at which the host gives up on this call. */
  readonly deadline: number;
  /** Takes one line for the function's log. */
  readonly log?: (text: string) => void;
  /** The host can send a body as it comes. */
  readonly streams?: boolean;
  /** W3C `traceparent` of this call, for calls that the handler makes. */
  readonly trace?: string;
}

/** A handler export in the form that every host calls. What the handler throws is passed on as it is. */
export interface Adapted {
  http(request: PlainRequest, context: PlainContext): Promise<PlainResponse>;
  invoke(payload: unknown, context: PlainContext): Promise<unknown>;
  /** Name of the style that was found: `fetch` or `event`. */
  readonly style: string;
}
