import type { PlainRequest } from '../plain.js';

/**
 * A `Request` that becomes undici's own when something of it is used beyond method, address and headers. Making one each
 * time, with its abort signal, would cost more than all else that a call of a small handler does.
 */

type Make = (request: PlainRequest) => Request;

/** undici's own. */
export function eagerRequest(request: PlainRequest, headers: Headers = headersOf(request)): Request {
  const { method, url, body } = request;
  const bodiless = method === 'GET' || method === 'HEAD' || body === null;
  return new Request(url, { method, headers, ...(bodiless ? {} : { body }) });
}

function headersOf(request: PlainRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of request.headers) headers.append(name, value);
  return headers;
}

/**
 * How requests are made here: lazily, where what is made so is a `Request` also to `new Request(request)` and
 * `fetch(request)`. They read it by symbols that a real one has; where it has none, each is a real one at once.
 */
export function requestMaker(): Make {
  const symbols = Object.getOwnPropertySymbols(new Request('http://localhost/'));
  const lazy = lazily(symbols);
  const sample: PlainRequest = {
    method: 'PUT',
    url: 'http://localhost/a',
    headers: [['x-a', '1']],
    body: null,
    params: {},
    route: '',
  };
  try {
    const copy = new Request(lazy(sample));
    if (copy.method === 'PUT' && copy.url === sample.url && copy.headers.get('x-a') === '1') return lazy;
  } catch {
    // It is known by something else here.
  }
  return eagerRequest;
}

function lazily(symbols: readonly symbol[]): Make {
  class Lazy {
    readonly #plain: PlainRequest;
    #headers: Headers | undefined;
    #real: Request | undefined;
    constructor(plain: PlainRequest) {
      this.#plain = plain;
    }
    get method(): string {
      return this.#real === undefined ? this.#plain.method : this.#real.method;
    }
    get url(): string {
      return this.#real === undefined ? new URL(this.#plain.url).href : this.#real.url;
    }
    get headers(): Headers {
      if (this.#real !== undefined) return this.#real.headers;
      this.#headers ??= headersOf(this.#plain);
      return this.#headers;
    }
    static real(lazy: Lazy): Request {
      lazy.#real ??= eagerRequest(lazy.#plain, lazy.#headers);
      return lazy.#real;
    }
  }
  const own = Object.getOwnPropertyDescriptors(Request.prototype);
  const base = Lazy.prototype as object;
  for (const name of Reflect.ownKeys(own)) {
    const { get, value } = own[name as keyof typeof own] as PropertyDescriptor;
    if (name === 'constructor') Object.defineProperty(base, name, { value: Request });
    else if (Object.hasOwn(base, name)) continue;
    else if (get !== undefined) forward(name, (real) => get.call(real));
    else if (typeof value === 'function')
      Object.defineProperty(base, name, {
        value(this: Lazy, ...given: unknown[]) {
          return (value as (...given: unknown[]) => unknown).apply(Lazy.real(this), given);
        },
      });
  }
  for (const symbol of symbols)
    forward(symbol, (real) => (real as unknown as Record<symbol, unknown>)[symbol]);
  Object.setPrototypeOf(base, Request.prototype as object);
  return (request) => new Lazy(request) as unknown as Request;

  function forward(name: string | symbol, read: (real: Request) => unknown): void {
    Object.defineProperty(base, name, {
      get(this: Lazy) {
        return read(Lazy.real(this));
      },
    });
  }
}
