import assert from 'node:assert/strict';
import { get, request } from 'node:http';
import { call } from './bench.js';
import { answered, eventually, exchange, streamed, type TestGateway, testGateway } from './http-bench.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A source of parts that a test feeds and watches. */
function source() {
  const waiting: ((result: IteratorResult<Uint8Array>) => void)[] = [];
  const failing: ((error: Error) => void)[] = [];
  const seen = { asked: 0, returned: false };
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => {
      seen.asked += 1;
      return new Promise((resolve, reject) => {
        waiting.push(resolve);
        failing.push(reject);
      });
    },
    return: async () => {
      seen.returned = true;
      return { done: true, value: undefined };
    },
  };
  const feed = async (result: IteratorResult<Uint8Array>) => {
    await eventually(() => waiting.length > 0);
    failing.shift();
    waiting.shift()!(result);
  };
  return {
    seen,
    stream: { [Symbol.asyncIterator]: () => iterator },
    send: (text: string) => feed({ done: false, value: bytes(text) }),
    end: () => feed({ done: true, value: undefined }),
    async fail(message: string) {
      await eventually(() => failing.length > 0);
      failing.shift()!(new Error(message));
    },
  };
}

describe('an answer that is streamed', () => {
  let gateway: TestGateway;
  let current: ReturnType<typeof source>;
  let endless: { sent: number; returned: boolean };
  before(async () => {
    gateway = await testGateway({
      functions: {
        parts: () => streamed(current.stream, ['content-type', 'text/event-stream', 'content-length', '3']),
        none: () => streamed(current.stream, [], 304),
        wrong: () => streamed(current.stream, ['bad name', 'x']),
        endless: () => {
          const chunk = new Uint8Array(64 * 1024);
          return streamed({
            async *[Symbol.asyncIterator]() {
              try {
                for (;;) {
                  endless.sent += chunk.byteLength;
                  yield chunk;
                }
              } finally {
                endless.returned = true;
              }
            },
          });
        },
        large: () =>
          streamed({
            async *[Symbol.asyncIterator]() {
              for (let n = 0; n < 60; n += 1) yield new Uint8Array(1024 * 1024).fill(n);
            },
          }),
        plain: () => answered('ok'),
      },
      routes: {
        'GET /parts': 'parts',
        'GET /none': 'none',
        'GET /wrong': 'wrong',
        'GET /endless': 'endless',
        'GET /large': 'large',
        'GET /plain': 'plain',
      },
    });
  });
  after(() => gateway.close());
  beforeEach(() => {
    current = source();
    endless = { sent: 0, returned: false };
  });

  it('reaches the caller part by part: the head before the first one', async () => {
    const answer = await fetch(`${gateway.url}/parts`);
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    assert.equal(answer.headers.get('content-length'), null);
    assert.equal(answer.headers.get('x-sfx-version'), 'parts@abcdef1');
    const reader = answer.body!.getReader();
    for (const part of ['one', 'ä']) {
      await current.send(part);
      assert.equal(new TextDecoder().decode((await reader.read()).value), part);
    }
    const recorded = gateway.recorded.length;
    await current.end();
    assert.equal((await reader.read()).done, true);
    await eventually(() => gateway.recorded.length > recorded);
    assert.deepEqual(gateway.recorded.at(-1), { function: 'parts', failed: false });
    assert.equal(current.seen.returned, false);
  });

  it('may be larger than any that is whole', async () => {
    const answer = await fetch(`${gateway.url}/large`);
    const got = new Uint8Array(await answer.arrayBuffer());
    assert.equal(got.byteLength, 60 * 1024 * 1024);
    assert.equal(got.at(-1), 59);
  });

  it('ends when the caller leaves, also while it waits for a part', async () => {
    const recorded = gateway.recorded.length;
    const req = get(`${gateway.url}/parts`, (res) => {
      res.on('error', () => undefined);
    });
    req.on('error', () => undefined);
    await current.send('one');
    await eventually(() => current.seen.asked === 2);
    req.destroy();
    await eventually(() => current.seen.returned);
    await current.end();
    await eventually(() => gateway.recorded.length > recorded);
    assert.deepEqual(gateway.recorded.at(-1), { function: 'parts', failed: false });
  });

  it('is made no faster than the caller takes it', async () => {
    const req = request(`${gateway.url}/endless`).end();
    const res = await new Promise<import('node:http').IncomingMessage>((resolve) =>
      req.on('response', resolve),
    );
    res.on('error', () => undefined);
    // Nobody reads: what the connection holds is full soon, and then no more is asked for.
    let before = -1;
    while (endless.sent !== before) {
      before = endless.sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(endless.sent < 100 * 1024 * 1024, `${endless.sent} bytes`);
    assert.equal(endless.returned, false);
    req.destroy();
    await eventually(() => endless.returned);
  });

  it('that breaks off cuts the connection, so that nobody takes it for whole', async () => {
    const failing = fetch(`${gateway.url}/parts`).then((answer) => answer.text());
    failing.catch(() => undefined);
    await current.send('one');
    await current.fail('torn');
    await assert.rejects(failing);
    await eventually(() => gateway.lines.some((line) => line.includes('broke off: torn')));
    assert.deepEqual(gateway.recorded.at(-1), { function: 'parts', failed: true });
    assert.equal((await call(`${gateway.url}/plain`)).text, 'ok');
  });

  it('is left alone where there is no body to send: HEAD, 304, headers that are not valid', async () => {
    for (const [method, path, status] of [
      ['HEAD', '/parts', 200],
      ['GET', '/none', 304],
      ['GET', '/wrong', 502],
    ] as const) {
      current = source();
      const answer = await call(`${gateway.url}${path}`, { method });
      assert.equal(answer.status, status);
      assert.equal(current.seen.asked, 0);
      assert.equal(current.seen.returned, true, path);
    }
  });

  it('ends with the connection for who speaks HTTP/1.0', async () => {
    const text = exchange(gateway.port, 'GET /parts HTTP/1.0\r\n\r\n');
    await current.send('one');
    await current.send('two');
    await current.end();
    assert.match(await text, /\r\n\r\nonetwo$/);
  });
});
