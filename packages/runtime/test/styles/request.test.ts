import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { adapt, type PlainRequest } from '@sfx-deploy/runtime';
import { bytes, context, request } from '../samples.js';

/** What a handler does with the request that it gets; the request is made as each call makes it. */
async function given<T>(
  act: (request: Request) => T | Promise<T>,
  over: Partial<PlainRequest> = {},
): Promise<T> {
  let result: T | undefined;
  const handler = adapt({
    async fetch(asked: Request) {
      result = await act(asked);
      return new Response(null);
    },
  });
  await handler.http(request(over), context());
  return result as T;
}

const POST = {
  method: 'POST',
  url: 'http://127.0.0.1:4101/a/../b?x=ä',
  headers: [
    ['content-type', 'application/json'],
    ['x-a', '1'],
  ],
  body: bytes('{"a":1}'),
} as const;

describe('the request of a fetch handler', () => {
  it('is a Request, by all that one can see of it', async () => {
    const real = new Request(POST.url, { ...POST, headers: [...POST.headers].map((pair) => [...pair]) });
    const described = (asked: Request) => {
      const names = Object.entries(Object.getOwnPropertyDescriptors(Request.prototype)).flatMap(
        ([name, { get }]) => (get === undefined ? [] : [name]),
      );
      const values = asked as unknown as Record<string, unknown>;
      return Object.fromEntries(
        names.map((name) => {
          const value = values[name];
          if (name === 'headers') return [name, [...asked.headers]];
          return [name, typeof value === 'object' && value !== null ? value.constructor.name : value];
        }),
      );
    };
    const [first, second] = await given((asked) => [described(asked), described(asked)], POST);
    assert.deepEqual(first, described(real));
    assert.deepEqual(second, first);
    assert.ok(Object.keys(first).length > 10);
    assert.equal(
      await given((asked) => asked instanceof Request && asked.constructor === Request, POST),
      true,
    );
    assert.equal(await given(String), '[object Request]');
  });

  it('can be read once, in any way, and copied before', async () => {
    assert.deepEqual(await given((asked) => asked.json(), POST), { a: 1 });
    assert.equal(await given((asked) => asked.text(), POST), '{"a":1}');
    assert.equal((await given((asked) => asked.arrayBuffer(), POST)).byteLength, 7);
    assert.equal((await given((asked) => asked.blob(), POST)).size, 7);
    assert.deepEqual(
      await given(async (asked) => {
        const copy = asked.clone();
        return [await asked.text(), asked.bodyUsed, copy.bodyUsed, await copy.text()];
      }, POST),
      ['{"a":1}', true, false, '{"a":1}'],
    );
    await given(async (asked) => {
      await asked.text();
      await assert.rejects(asked.text(), TypeError);
    }, POST);
  });

  it('takes part in making another one, with what was changed of it', async () => {
    const [method, url, header, body] = await given(async (asked) => {
      asked.headers.set('x-a', '2');
      const copy = new Request(asked);
      const other = new Request(asked.url, { ...POST, headers: asked.headers });
      return [copy.method, copy.url, copy.headers.get('x-a'), await copy.text(), other.method] as const;
    }, POST);
    assert.deepEqual([method, header, body], ['POST', '2', '{"a":1}']);
    assert.equal(url, 'http://127.0.0.1:4101/b?x=%C3%A4');
    assert.equal(await given((asked) => new Request(asked, { method: 'PUT' }).method), 'PUT');
    assert.equal(
      await given((asked) => {
        const { headers } = asked;
        headers.set('x-b', '3');
        asked.clone();
        return asked.headers.get('x-b');
      }),
      '3',
    );
  });

  it('can be sent on', async () => {
    const server = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += chunk));
      req.on('end', () => res.end(`${req.method} ${req.url} ${req.headers['x-a']} ${body}`));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      const url = `http://127.0.0.1:${port}/on`;
      const text = await given(async (asked) => (await fetch(asked)).text(), { ...POST, url });
      assert.equal(text, 'POST /on 1 {"a":1}');
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('has a signal that can be listened to', async () => {
    assert.equal(await given((asked) => asked.signal.aborted), false);
  });
});
