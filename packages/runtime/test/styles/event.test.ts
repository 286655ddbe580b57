import assert from 'node:assert/strict';
import { adapt, type HttpEvent, type PlainRequest, type PlainResponse } from '@sfx-deploy/runtime';
import fc from 'fast-check';
import { bytes, context, request, text } from '../samples.js';

async function eventOf(over: Partial<PlainRequest>): Promise<HttpEvent> {
  let seen: HttpEvent | undefined;
  const adapted = adapt((event: HttpEvent) => {
    seen = event;
  }, 'get');
  await adapted.http(request(over), context());
  return seen!;
}

function answer(value: unknown): Promise<PlainResponse> {
  return adapt(async () => value, 'get').http(request(), context());
}

describe('an HTTP event', () => {
  it('names host and path as URL reads them, whatever the target', async () => {
    const part = fc.oneof(
      fc.constantFrom(
        '.',
        '..',
        '...',
        '%2e',
        '%2E%2e',
        '',
        ' ',
        'a%20b',
        '%zz',
        'ü',
        '"',
        '<',
        '`',
        '{id}',
        '|',
        '^',
        '\\\\',
      ),
      fc.stringMatching(/^[\w.~%@!$&'()*+,;=:-]{0,8}$/),
    );
    const host = fc.constantFrom(
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      'shop.test',
      'SHOP.test',
      'a_b',
      '[::1]',
      'localhost',
      '1.2.3.4.',
    );
    const port = fc.constantFrom('', ':80', ':4101');
    await fc.assert(
      fc.asyncProperty(
        host,
        port,
        fc.array(part, { maxLength: 4 }),
        fc.constantFrom('', '?a=1', '#x'),
        async (name, at, path, end) => {
          const url = `http://${name}${at}/${path.join('/')}${end}`;
          const { hostname, pathname, search } = new URL(url);
          const event = await eventOf({ url });
          assert.deepEqual(
            [event.requestContext.domainName, event.rawPath, event.rawQueryString],
            [hostname, pathname, search.slice(1)],
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('has the shape of an AWS HTTP API, version 2.0', async () => {
    const { requestContext, ...event } = await eventOf({
      url: 'http://shop.test:4101/products/7?tag=a&tag=b&q=x%20y',
      headers: [
        ['User-Agent', 'curl/8'],
        ['X-Trace', '1'],
        ['x-trace', '2'],
        ['cookie', 'a=1; b=2'],
      ],
      params: { id: '7' },
      ip: '10.0.0.9',
    });
    assert.deepEqual(event, {
      version: '2.0',
      routeKey: 'GET /products/{id}',
      rawPath: '/products/7',
      rawQueryString: 'tag=a&tag=b&q=x%20y',
      cookies: ['a=1', 'b=2'],
      headers: { 'user-agent': 'curl/8', 'x-trace': '1,2' },
      queryStringParameters: { tag: 'a,b', q: 'x y' },
      pathParameters: { id: '7' },
      isBase64Encoded: false,
    });
    const { time, timeEpoch, ...rest } = requestContext;
    assert.deepEqual(rest, {
      apiId: 'shop',
      domainName: 'shop.test',
      http: {
        method: 'GET',
        path: '/products/7',
        protocol: 'HTTP/1.1',
        sourceIp: '10.0.0.9',
        userAgent: 'curl/8',
      },
      requestId: 'r-1',
      routeKey: 'GET /products/{id}',
      stage: 'dev',
    });
    assert.match(time, /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    assert.equal(typeof timeEpoch, 'number');
  });

  it('leaves out what the request does not have', async () => {
    const event = await eventOf({});
    for (const key of ['cookies', 'queryStringParameters', 'pathParameters', 'body'])
      assert.ok(!(key in event), key);
  });

  it('keeps names such as __proto__ in a query as plain keys', async () => {
    const event = await eventOf({ url: 'http://h/?__proto__=1' });
    assert.deepEqual(Object.keys(event.queryStringParameters!), ['__proto__']);
  });

  for (const [type, base64] of [
    ['application/json', false],
    ['text/plain; charset=utf-8', false],
    ['application/problem+json', false],
    [undefined, false],
    ['application/x-www-form-urlencoded', true],
    ['image/png', true],
  ] as const) {
    it(`hands over a body of ${type ?? 'no type'} as ${base64 ? 'Base64' : 'text'}`, async () => {
      const event = await eventOf({
        method: 'POST',
        headers: type === undefined ? [] : [['content-type', type]],
        body: bytes('{"ä":1}'),
      });
      assert.equal(event.isBase64Encoded, base64);
      assert.equal(event.body, base64 ? Buffer.from('{"ä":1}').toString('base64') : '{"ä":1}');
    });
  }

  it('loses no byte of any body, whatever its type claims', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1 }),
        fc.constantFrom('application/json', 'image/png', 'text/plain'),
        async (body, type) => {
          const event = await eventOf({ method: 'POST', headers: [['content-type', type]], body });
          const back = Buffer.from(event.body!, event.isBase64Encoded ? 'base64' : 'utf8');
          assert.deepEqual(new Uint8Array(back), body);
        },
      ),
    );
  });
});

describe('the result of an event handler', () => {
  it('is a whole response when it has a statusCode', async () => {
    const response = await answer({
      statusCode: 201,
      headers: { 'Content-Type': 'text/html', 'X-One': 1, 'X-Two': 'old', 'X-None': undefined },
      multiValueHeaders: { 'x-two': ['a', 'b'] },
      cookies: ['a=1; Path=/', 'b=2'],
      body: 'hi',
    });
    assert.deepEqual(
      { ...response, body: text(response.body) },
      {
        status: 201,
        headers: [
          ['content-type', 'text/html'],
          ['x-one', '1'],
          ['x-two', 'a'],
          ['x-two', 'b'],
          ['set-cookie', 'a=1; Path=/'],
          ['set-cookie', 'b=2'],
        ],
        body: 'hi',
      },
    );
  });

  it('decodes a Base64 body', async () => {
    const response = await answer({
      statusCode: 200,
      isBase64Encoded: true,
      body: Buffer.from([0, 255, 7]).toString('base64'),
    });
    assert.deepEqual([...response.body!], [0, 255, 7]);
    assert.deepEqual(response.headers, [['content-type', 'application/octet-stream']]);
  });

  it('may have no body', async () => {
    assert.deepEqual(await answer({ statusCode: 204 }), { status: 204, headers: [], body: null });
  });

  for (const [value, body] of [
    [{ a: 1 }, '{"a":1}'],
    [[1], '[1]'],
    [7, '7'],
    ['hi', 'hi'],
    [null, 'null'],
    [undefined, 'null'],
  ] as const) {
    it(`is a 200 with ${body} for ${JSON.stringify(value)}`, async () => {
      const response = await answer(value);
      assert.equal(response.status, 200);
      assert.deepEqual(response.headers, [['content-type', 'application/json']]);
      assert.equal(text(response.body), body);
    });
  }

  it('takes a statusCode in digits', async () => {
    assert.equal((await answer({ statusCode: '404' })).status, 404);
  });

  for (const code of [0, 99, 1000, 'ok', null, 200.5]) {
    it(`with statusCode ${JSON.stringify(code)} is an error that names it`, async () => {
      await assert.rejects(answer({ statusCode: code }), new RegExp(`statusCode ${JSON.stringify(code)};`));
    });
  }
});

it('invoking an event handler passes the payload as it is', async () => {
  const payload = { path: '/x', any: [1] };
  assert.equal(await adapt((event: unknown) => event, 'get').invoke(payload, context()), payload);
});
