import assert from 'node:assert/strict';
import { adapt } from '@sfx-deploy/runtime';
import { context, request } from './samples.js';

describe('the style of a handler', () => {
  it('is fetch for an object with fetch, whatever its export is called', () => {
    assert.equal(adapt({ fetch: () => new Response() }, 'default').style, 'fetch');
  });

  it('is fetch for a callable that carries fetch', () => {
    const app = Object.assign(() => 1, { fetch: () => new Response() });
    assert.equal(adapt(app).style, 'fetch');
  });

  it('is fetch for a function exported as fetch, also when a bundler renamed it', () => {
    assert.equal(adapt(function fetch() {}).style, 'fetch');
    assert.equal(adapt(function fetch2() {}, 'fetch').style, 'fetch');
  });

  it('is event for any other function', () => {
    assert.equal(adapt(async (_event: unknown, _context: unknown) => 1, 'get').style, 'event');
  });

  for (const [what, value, found] of [
    ['nothing', undefined, /handler `get` is undefined: the file has no such export/],
    ['null', null, /is null/],
    ['text', 'hi', /is a string/],
    ['an array', [], /is an array/],
    ['a promise', Promise.resolve(), /is a promise/],
    ['an object without fetch', { get: 1, put: 2 }, /is an object with get, put/],
    ['an empty object', {}, /is an object without keys/],
    ['a class', class Shop {}, /is the class Shop/],
  ] as const) {
    it(`refuses ${what}, naming it`, () => {
      assert.throws(
        () => adapt(value, 'get'),
        (error) => error instanceof TypeError && found.test(error.message),
      );
    });
  }

  it('refuses a handler that answers through a callback, and says what to write', () => {
    const handler = (_event: unknown, _context: unknown, done: (error: null, value: number) => void) =>
      done(null, 1);
    assert.throws(() => adapt(handler), /through a callback.*async function of \(event, context\)/s);
  });
});

describe('the context of a handler', () => {
  it('says which version of which release runs, and counts down to the deadline', async () => {
    const adapted = adapt(async (_event: unknown, ctx: Record<string, unknown>) => {
      const { getRemainingTimeInMillis, ...rest } = ctx;
      return { ...rest, left: (getRemainingTimeInMillis as () => number)() };
    }, 'get');
    assert.deepEqual(await adapted.invoke({}, context({ deadline: 0 })), {
      requestId: 'r-1',
      awsRequestId: 'r-1',
      functionName: 'product',
      functionVersion: 'product@a1b2c3d',
      release: 3,
      service: 'shop',
      stage: 'dev',
      left: 0,
    });
    const later = (await adapted.invoke({}, context({ deadline: Date.now() + 3_600_000 }))) as {
      left: number;
    };
    assert.ok(later.left > 0 && later.left <= 3_600_000);
  });

  it('gives a fetch handler route and path parameters too', async () => {
    const adapted = adapt({
      fetch: (_request: Request, ctx: { route: string; params: unknown }) =>
        Response.json([ctx.route, ctx.params]),
    });
    const response = await adapted.http(request({ params: { id: '7' } }), context());
    assert.equal(new TextDecoder().decode(response.body!), '["GET /products/{id}",{"id":"7"}]');
  });
});

it('passes on what a handler throws, as it is', async () => {
  const error = new Error('no');
  for (const handler of [
    adapt(() => {
      throw error;
    }, 'get'),
    adapt({ fetch: () => Promise.reject(error) }),
  ]) {
    await assert.rejects(handler.http(request(), context()), (thrown) => thrown === error);
    await assert.rejects(handler.invoke({}, context()), (thrown) => thrown === error);
  }
});
