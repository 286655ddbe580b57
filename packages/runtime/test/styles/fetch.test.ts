import assert from 'node:assert/strict';
import { adapt } from '@sfx-deploy/runtime';
import fc from 'fast-check';
import { bytes, context, request, text } from '../samples.js';

const echo = adapt({
  async fetch(asked: Request) {
    return Response.json({
      method: asked.method,
      url: asked.url,
      headers: [...asked.headers],
      body: await asked.text(),
    });
  },
});

describe('a fetch handler', () => {
  it('gets a Request with method, address, headers and body', async () => {
    const response = await echo.http(
      request({
        method: 'PUT',
        url: 'http://127.0.0.1:4101/products/7?a=1&a=2',
        headers: [
          ['X-Trace', '1'],
          ['x-trace', '2'],
          ['cookie', 'a=1; b=2'],
        ],
        body: bytes('ä'),
      }),
      context(),
    );
    assert.deepEqual(JSON.parse(text(response.body)!), {
      method: 'PUT',
      url: 'http://127.0.0.1:4101/products/7?a=1&a=2',
      headers: [
        ['cookie', 'a=1; b=2'],
        ['x-trace', '1, 2'],
      ],
      body: 'ä',
    });
  });

  it('is asked even when a GET came with a body, which web requests cannot carry', async () => {
    const response = await echo.http(request({ method: 'GET', body: bytes('x') }), context());
    assert.equal(JSON.parse(text(response.body)!).body, '');
  });

  it('answers with any status, several cookies and no body', async () => {
    const adapted = adapt({
      fetch() {
        const headers = new Headers({ 'x-a': '1' });
        headers.append('set-cookie', 'a=1, x');
        headers.append('set-cookie', 'b=2');
        return new Response(null, { status: 204, headers });
      },
    });
    assert.deepEqual(await adapted.http(request(), context()), {
      status: 204,
      headers: [
        ['set-cookie', 'a=1, x'],
        ['set-cookie', 'b=2'],
        ['x-a', '1'],
      ],
      body: null,
    });
  });

  it('keeps its `this`', async () => {
    const adapted = adapt({
      name: 'shop',
      fetch(this: { name: string }) {
        return new Response(this.name);
      },
    });
    assert.equal(text((await adapted.http(request(), context())).body), 'shop');
  });

  it('gets and gives any bytes unchanged', async () => {
    const mirror = adapt({ fetch: async (asked: Request) => new Response(await asked.arrayBuffer()) });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (body) => {
        const response = await mirror.http(request({ method: 'POST', body }), context());
        assert.deepEqual(response.body, body);
      }),
    );
  });

  for (const [value, found] of [
    [undefined, 'undefined'],
    [null, 'null'],
    ['hi', 'string'],
    [{ status: 200 }, 'an object'],
  ] as const) {
    it(`that returns ${JSON.stringify(value)} is an error that says so`, async () => {
      await assert.rejects(
        adapt({ fetch: () => value }).http(request(), context()),
        new RegExp(`must return a Response; it returned ${found}\\.`),
      );
    });
  }
});

describe('invoking a fetch handler', () => {
  async function asked(payload: unknown) {
    const result = (await echo.invoke(payload, context())) as { body: Record<string, unknown> };
    return result.body;
  }

  it('makes a request of a payload with a path', async () => {
    const seen = await asked({ method: 'put', path: '/a?b=1', headers: { 'X-A': ['1', '2'] }, body: 'text' });
    assert.deepEqual(seen, {
      method: 'PUT',
      url: 'http://localhost/a?b=1',
      headers: [['x-a', '1, 2']],
      body: 'text',
    });
  });

  it('asks with GET without a body, and with POST and JSON with one', async () => {
    assert.equal((await asked({ path: '/' }))['method'], 'GET');
    const seen = await asked({ path: '/', body: { a: 1 } });
    assert.equal(seen['method'], 'POST');
    assert.equal(seen['body'], '{"a":1}');
    assert.deepEqual(seen['headers'], [['content-type', 'application/json']]);
  });

  for (const payload of [{ a: 1 }, 'text', [1], null, undefined, { path: 7 }]) {
    it(`posts ${JSON.stringify(payload)} as JSON to /`, async () => {
      const seen = await asked(payload);
      assert.deepEqual([seen['method'], seen['url']], ['POST', 'http://localhost/']);
      assert.equal(seen['body'], JSON.stringify(payload ?? null));
    });
  }

  it('answers with status, headers and a body that is parsed JSON, text, Base64 or null', async () => {
    const answers: [string | Uint8Array | null, string, unknown][] = [
      ['{"a":1}', 'application/json', { body: { a: 1 } }],
      ['{', 'application/json', { body: '{' }],
      ['hi', 'text/plain', { body: 'hi' }],
      [new Uint8Array([255, 0]), 'image/png', { body: '/wA=', isBase64Encoded: true }],
      [null, 'x/y', { body: null }],
    ];
    for (const [body, type, expected] of answers) {
      const adapted = adapt({
        fetch: () => new Response(body, { status: 201, headers: { 'content-type': type } }),
      });
      assert.deepEqual(await adapted.invoke({}, context()), {
        status: 201,
        headers: { 'content-type': type },
        ...(expected as object),
      });
    }
  });

  it('lists several cookies', async () => {
    const headers = new Headers();
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    const result = await adapt({ fetch: () => new Response(null, { headers }) }).invoke({}, context());
    assert.deepEqual(result, { status: 200, headers: { 'set-cookie': ['a=1', 'b=2'] }, body: null });
  });
});
