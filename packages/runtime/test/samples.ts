import type { PlainContext, PlainRequest } from '@sfx-deploy/runtime';

export function request(over: Partial<PlainRequest> = {}): PlainRequest {
  return {
    method: 'GET',
    url: 'http://127.0.0.1:4101/products/7',
    headers: [],
    body: null,
    params: {},
    route: 'GET /products/{id}',
    ...over,
  };
}

export function context(over: Partial<PlainContext> = {}): PlainContext {
  return {
    requestId: 'r-1',
    function: 'product',
    version: 'product@a1b2c3d',
    release: 3,
    service: 'shop',
    stage: 'dev',
    deadline: 0,
    ...over,
  };
}

export function text(body: Uint8Array | null): string | null {
  return body === null ? null : new TextDecoder().decode(body);
}

export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
