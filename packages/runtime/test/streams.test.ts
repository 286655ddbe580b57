import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { adapt, type PlainResponse } from '@sfx-deploy/runtime';
import { bytes, context, request, text } from './samples.js';

const streams = () => context({ streams: true });

async function all(response: PlainResponse): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of response.stream!) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** A stream whose parts come when they are sent. */
function controlled() {
  let control: ReadableStreamDefaultController<Uint8Array> | undefined;
  const seen = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => {
      control = given;
    },
    cancel: () => {
      seen.cancelled = true;
    },
  });
  return { stream, control: control!, seen };
}

describe('a body that a fetch handler streams', () => {
  it('is whole where all of it is there: text, bytes, JSON, nothing', async () => {
    for (const [made, expected] of [
      [() => new Response('ä'), 'ä'],
      [() => new Response(bytes('b')), 'b'],
      [() => Response.json({ a: 1 }), '{"a":1}'],
      [() => new Response(''), ''],
      [() => new Response('x'.repeat(5_000_000)), 'x'.repeat(5_000_000)],
    ] as const) {
      const response = await adapt({ fetch: made }).http(request(), streams());
      assert.equal(response.stream, undefined);
      assert.equal(text(response.body), expected);
    }
    const none = await adapt({ fetch: () => new Response(null) }).http(request(), streams());
    assert.equal(none.body, null);
  });

  it('comes as it comes: the head before the first part', async () => {
    const { stream, control } = controlled();
    const response = await adapt({ fetch: () => new Response(stream) }).http(request(), streams());
    assert.equal(response.body, null);
    const iterator = response.stream![Symbol.asyncIterator]();
    control.enqueue(bytes('one'));
    assert.equal(text((await iterator.next()).value), 'one');
    control.enqueue(bytes('two'));
    assert.equal(text((await iterator.next()).value), 'two');
    control.close();
    assert.equal((await iterator.next()).done, true);
  });

  it('keeps the order of parts that were there before', async () => {
    const { stream, control } = controlled();
    for (const part of ['a', 'b', 'c']) control.enqueue(bytes(part));
    const response = await adapt({ fetch: () => new Response(stream) }).http(request(), streams());
    control.enqueue(bytes('d'));
    control.close();
    assert.equal(await all(response), 'abcd');
  });

  it('is cancelled by who stops early, also while it waits', async () => {
    const { stream, seen } = controlled();
    const response = await adapt({ fetch: () => new Response(stream) }).http(request(), streams());
    const iterator = response.stream![Symbol.asyncIterator]();
    void iterator.next();
    await iterator.return!();
    assert.equal(seen.cancelled, true);
  });

  it('that breaks, throws where it broke', async () => {
    const { stream, control } = controlled();
    const response = await adapt({ fetch: () => new Response(stream) }).http(request(), streams());
    control.error(new Error('torn'));
    await assert.rejects(all(response), /torn/);
  });

  it('is gathered for a host that takes none', async () => {
    const { stream, control } = controlled();
    control.enqueue(bytes('one'));
    setImmediate(() => control.close());
    const response = await adapt({ fetch: () => new Response(stream) }).http(request(), context());
    assert.equal(text(response.body), 'one');
  });
});

describe('a body that an event handler streams', () => {
  const parts = async function* () {
    yield 'ä';
    yield bytes('b');
  };
  for (const [what, made, type] of [
    ['a generator function', parts, 'application/octet-stream'],
    [
      'a body that is a generator',
      async () => ({ statusCode: 200, body: parts() }),
      'application/octet-stream',
    ],
    [
      'a body that is a stream of Node',
      async () => ({ statusCode: 200, headers: { 'content-type': 'text/x' }, body: Readable.from(parts()) }),
      'text/x',
    ],
  ] as const) {
    it(`may be ${what}`, async () => {
      const response = await adapt(made, 'get').http(request(), streams());
      assert.deepEqual(response.headers, [['content-type', type]]);
      assert.equal(await all(response), 'äb');
      const whole = await adapt(made, 'get').http(request(), context());
      assert.equal(text(whole.body), 'äb');
      assert.equal(whole.stream, undefined);
    });
  }

  it('ends its generator when who asked is gone', async () => {
    let ended = false;
    const endless = async function* () {
      try {
        for (;;) yield 'x';
      } finally {
        ended = true;
      }
    };
    const response = await adapt(endless, 'get').http(request(), streams());
    for await (const part of response.stream!) {
      assert.equal(text(part), 'x');
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ended, true);
  });

  it('is refused where the call is not one over HTTP, instead of being an empty answer', async () => {
    await assert.rejects(adapt(parts, 'get').invoke({}, context()), /only a call over HTTP/);
  });

  it('must be bytes or text', async () => {
    const wrong = async function* () {
      yield 7;
    };
    const response = await adapt(wrong, 'get').http(request(), streams());
    await assert.rejects(all(response), /it gave number/);
  });
});

it('hands what an authorizer said to handlers of both styles', async () => {
  const authorizer = { lambda: { user: 'ann' } };
  const event = adapt(
    (got: { requestContext: { authorizer: unknown } }) => got.requestContext.authorizer,
    'get',
  );
  assert.equal(text((await event.http(request({ authorizer }), context())).body), JSON.stringify(authorizer));
  const fetch = adapt({
    fetch: (_: Request, ctx: { authorizer?: unknown }) => Response.json(ctx.authorizer),
  });
  assert.equal(text((await fetch.http(request({ authorizer }), context())).body), JSON.stringify(authorizer));
});
