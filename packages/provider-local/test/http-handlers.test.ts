import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Connection, Json, Trigger, Version } from '@sfx-deploy/plugin';
import { digestOf } from '@sfx-deploy/plugin';
import { build } from 'esbuild';
import { call, live, type TestEngine, testEngine, urlOf } from './bench.js';

/** A handler as users write it, with the runtime beside it as the build puts it there. */
async function built(handler: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { adapt } from '@sfx-deploy/runtime';\nconst handler = ${handler};\nexport default adapt(handler, 'handler');`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    conditions: ['sfx-source'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  });
  return outputFiles[0]!.text;
}

describe('handlers of every style behind the gateway', () => {
  let engine: TestEngine;
  let connection: Connection;
  let url: string;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    await put('first', '() => 1');
    url = await urlOf(connection);
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  const put = async (name: string, code: string, routes: readonly string[] = []) =>
    live(connection, name, await built(code), routes);
  const guarded = async (name: string, source: string, authorizer: Json) => {
    const [method = '', path = ''] = source.split(' ');
    const props = { method, path, cors: null, authorizer };
    const resource: Trigger = {
      id: `http:${source}`,
      kind: 'http',
      source,
      props,
      alias: 'live',
      function: name,
      delivers: 'asked',
      dependsOn: [],
    };
    const to = { alias: 'live', function: name };
    const stamp = { release: 1, fence: 1 };
    await connection.resources['http']!.reconcile(
      { resource, to, props, digest: digestOf(props), enabled: true, stamp },
      undefined,
    );
  };
  const linesOf = async (version: Version) => {
    const lines: string[] = [];
    for await (const line of connection.logs!(version, new Date(0), false)) lines.push(line.text);
    return lines;
  };

  it('streams what a fetch handler streams, and tells it when nobody listens any more', async () => {
    const version = await put(
      'events',
      `{
        fetch() {
          let timer;
          const stream = new ReadableStream({
            start(control) {
              let n = 0;
              timer = setInterval(() => control.enqueue(new TextEncoder().encode('data: ' + n++ + '\\n\\n')), 10);
            },
            cancel() { clearInterval(timer); console.log('nobody listens'); },
          });
          return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
        },
      }`,
      ['GET /events'],
    );
    const answer = await fetch(`${url}/events`);
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    let got = '';
    for await (const part of answer.body!) {
      got += new TextDecoder().decode(part);
      if (got.includes('data: 2\n\n')) break;
    }
    assert.match(got, /^data: 0\n\ndata: 1\n\n/);
    while (!(await linesOf(version)).includes('nobody listens'))
      await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('streams what an event handler yields, byte for byte', async () => {
    await put(
      'yields',
      `async function* () {
        for (let n = 0; n < 256; n += 1) yield new Uint8Array(20_000).fill(n);
      }`,
      ['GET /yields'],
    );
    const got = new Uint8Array(await (await fetch(`${url}/yields`)).arrayBuffer());
    assert.equal(got.byteLength, 256 * 20_000);
    assert.ok(got.every((byte, n) => byte === Math.floor(n / 20_000)));
  });

  it('cuts the connection when a handler throws in the middle of its answer', async () => {
    await put(
      'torn',
      `async function* () {
        yield 'one';
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new Error('torn');
      }`,
      ['GET /torn'],
    );
    const answer = await fetch(`${url}/torn`);
    assert.equal(answer.status, 200);
    await assert.rejects(answer.text());
    assert.equal((await call(`${url}/torn/none`)).status, 404);
  });

  it('asks an authorizer function, and hands over what it says of the caller', async () => {
    await put(
      'check',
      `async (event) => {
        if (event.headers.authorization === 'broken') throw new Error('no');
        return { isAuthorized: event.headers.authorization === 'me', context: { user: event.identitySource[0] } };
      }`,
    );
    await put('whoami', `async (event) => event.requestContext.authorizer`);
    await put('whofetch', `{ fetch: (request, context) => Response.json(context.authorizer) }`);
    const authorizer = {
      function: 'check',
      identity: ['$request.header.authorization'],
      ttlMs: 60_000,
      form: 'simple',
    };
    await guarded('whoami', 'GET /whoami', authorizer);
    await guarded('whofetch', 'GET /whofetch', authorizer);
    for (const path of ['/whoami', '/whofetch']) {
      const ask = (authorization?: string) =>
        call(`${url}${path}`, authorization === undefined ? {} : { headers: { authorization } });
      assert.deepEqual(JSON.parse((await ask('me')).text), { lambda: { user: 'me' } });
      assert.equal((await ask('you')).status, 403);
      assert.equal((await ask()).status, 401);
      assert.equal((await ask('broken')).status, 500);
    }
  });

  it('tells a handler its activation and trace, which the caller is told too', async () => {
    await put('tells', `async (event, context) => [context.requestId, context.trace]`, ['GET /tells']);
    const answer = await call(`${url}/tells`);
    assert.deepEqual(JSON.parse(answer.text), [
      answer.headers['x-sfx-activation'],
      answer.headers['traceparent'],
    ]);
  });

  it('hands over what a trigger delivers, in the shape of the style', async () => {
    const $event = {
      kind: 'queue',
      queue: 'orders',
      messages: [{ id: 'm-1', body: '{"sku":7}', attributes: {}, sentAt: 0, attempt: 1 }],
    };
    await put(
      'worker',
      `async (event) => ({ batchItemFailures: event.Records.map((record) => ({ itemIdentifier: record.messageId })) })`,
    );
    await put(
      'fetcher',
      `{
        async fetch(request) {
          const events = await request.json();
          return Response.json({ batchItemFailures: events.map((event) => ({ itemIdentifier: event.id })) });
        },
      }`,
    );
    await put('refuses', `{ fetch: () => new Response('no', { status: 422 }) }`);
    const deliver = (name: string) => connection.invoke({ alias: 'live', function: name }, { $event });
    for (const name of ['worker', 'fetcher']) {
      const answer = await deliver(name);
      assert.deepEqual(answer, { batchItemFailures: [{ itemIdentifier: 'm-1' }] });
    }
    await assert.rejects(deliver('refuses'), /answered 422/);
  });
});
