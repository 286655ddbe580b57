import assert from 'node:assert/strict';
import fc from 'fast-check';
import { call } from './bench.js';
import {
  answered,
  eventually,
  exchange,
  type HttpInput,
  type TestGateway,
  testGateway,
  wire,
} from './http-bench.js';

const MB = 1024 * 1024;

describe('what goes over the wire', () => {
  let gateway: TestGateway;
  let held: (() => void) | undefined;
  before(async () => {
    gateway = await testGateway({
      headersMs: 300,
      requestMs: 600,
      checkMs: 50,
      hosts: ['shop.test'],
      functions: {
        echo: (input) =>
          answered(JSON.stringify({ ...input, body: (input as HttpInput).body?.byteLength ?? null })),
        mirror: (input) => answered((input as HttpInput).body, 200, ['content-type', 'application/x-any']),
        path: (input) => answered((input as HttpInput).url),
        says: (input) => {
          const said = JSON.parse(new TextDecoder().decode((input as HttpInput).body!));
          return answered(said.body ?? null, said.status ?? 200, said.headers ?? []);
        },
        large: () => answered(new Uint8Array(20 * MB + 1)),
        most: () => answered(new Uint8Array(20 * MB)),
        held: async () => {
          await new Promise<void>((resolve) => {
            held = resolve;
          });
          return answered('late');
        },
      },
      routes: {
        'ANY /echo': 'echo',
        'GET /p/{id}': 'echo',
        'GET /files/{path+}': 'echo',
        'POST /mirror': 'mirror',
        'POST /says': 'says',
        'GET /n/{n}': 'path',
        'GET /large': 'large',
        'GET /most': 'most',
        'GET /held': 'held',
        'GET /nothing': 'nobody',
      },
    });
  });
  after(() => gateway.close());

  const says = (said: unknown) => call(`${gateway.url}/says`, { method: 'POST', body: JSON.stringify(said) });
  const codeOf = (text: string) =>
    (JSON.parse(text.slice(text.indexOf('{'))) as { error: { code: string } }).error.code;
  const inputOf = async (path: string) => {
    const text = await exchange(
      gateway.port,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 200 /);
    const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
    return JSON.parse(body.toString()) as HttpInput;
  };

  it('carries any bytes both ways', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 20_000, maxLength: 60_000 })),
        async (bytes) => {
          const answer = await fetch(`${gateway.url}/mirror`, { method: 'POST', body: bytes });
          assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), bytes);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('says what answered, and which call it was', async () => {
    const { headers } = await call(`${gateway.url}/echo`);
    assert.equal(headers['x-sfx-version'], 'echo@abcdef1');
    assert.equal(headers['x-sfx-release'], '3');
    const { input } = gateway.begun.at(-1)!;
    assert.equal(headers['x-sfx-activation'], input.requestId);
    assert.match(String(headers['traceparent']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('keeps the trace that came, and gives the handler its own span of it', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers } = await call(`${gateway.url}/echo`, { headers: { traceparent } });
    assert.match(String(headers['traceparent']), /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b)/);
    assert.equal(gateway.begun.at(-1)!.input.trace, headers['traceparent']);
    const wrong = await call(`${gateway.url}/echo`, { headers: { traceparent: '00-0-0-01' } });
    assert.match(String(wrong.headers['traceparent']), /^00-[0-9a-f]{32}-/);
  });

  it('refuses a chain of calls that is too deep', async () => {
    const { text } = await call(`${gateway.url}/echo`, { headers: { 'x-sfx-depth': '16' } });
    assert.equal(JSON.parse(text).depth, 16);
    const before = gateway.begun.length;
    for (const depth of ['17', '999999', '1, 17']) {
      const deep = await call(`${gateway.url}/echo`, { headers: { 'x-sfx-depth': depth } });
      assert.equal(deep.status, 508);
      assert.equal(codeOf(deep.text), 'SFX6112');
    }
    assert.equal(gateway.begun.length, before);
    for (const none of ['', 'x', '-1', '1e9', '1.5'])
      assert.equal(
        (await call(`${gateway.url}/echo`, { headers: { 'x-sfx-depth': none } })).status,
        200,
        none,
      );
  });

  it('takes only this machine for its Host: a page whose name was pointed here is refused', async () => {
    for (const host of ['127.0.0.1', 'localhost:80', '[::1]:9', 'shop.localhost', 'LOCALHOST', 'Shop.test:1'])
      assert.equal((await call(`${gateway.url}/echo`, { headers: { host } })).status, 200, host);
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      'notlocalhost',
    ]) {
      const refused = await call(`${gateway.url}/echo`, { headers: { host } });
      assert.equal(refused.status, 403, host);
      assert.equal(codeOf(refused.text), 'SFX6116');
    }
    const empty = 'GET /echo HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n';
    assert.match(await exchange(gateway.port, empty), /^HTTP\/1\.1 403 /);
    assert.match(await exchange(gateway.port, 'GET /echo HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  });

  it('hands parameters over decoded once, and a path as it came', async () => {
    assert.deepEqual((await inputOf('/p/a%2Fb%20c%2525')).params, ['id', 'a/b c%25']);
    assert.deepEqual((await inputOf('/p/%C3%A4')).params, ['id', 'ä']);
    assert.deepEqual((await inputOf('/p/%ff%')).params, ['id', '%ff%']);
    assert.deepEqual((await inputOf('/p/..%2f..%2fetc')).params, ['id', '../../etc']);
    assert.deepEqual((await inputOf('/files/../../etc/passwd')).params, ['path', '../../etc/passwd']);
    assert.deepEqual((await inputOf('/files//a//b')).params, ['path', '/a//b']);
    assert.match((await inputOf('/p/x?q=%2525')).url, /\/p\/x\?q=%2525$/);
    for (const path of ['//echo', '/p/', '/echo//', '/p/a/b'])
      assert.match(
        await exchange(gateway.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
        /^HTTP\/1\.1 404 /,
        path,
      );
  });

  it('hands over headers in lower case, several of one name each, none of the connection', async () => {
    const text = await exchange(
      gateway.port,
      'GET /echo HTTP/1.1\r\nHost: localhost\r\nX-One: 1\r\nx-one: 2\r\nConnection: close\r\nTE: trailers\r\n\r\n',
    );
    const { headers } = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as HttpInput;
    assert.deepEqual(headers, ['host', 'localhost', 'x-one', '1', 'x-one', '2']);
  });

  it('loses no header, however many there are', async () => {
    const many = Array.from({ length: 1_500 }, (_, n) => `a${n}: 1\r\n`).join('');
    const text = await exchange(
      gateway.port,
      `GET /echo HTTP/1.1\r\nHost: localhost\r\n${many}Connection: close\r\n\r\n`,
    );
    const { headers } = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as HttpInput;
    assert.equal(headers.length, 2 + 3_000);
  });

  it('refuses an address or headers beyond 16 KB, with a code', async () => {
    for (const text of [
      `GET /p/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      `GET /echo HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ]) {
      const refused = await exchange(gateway.port, text);
      assert.match(refused, /^HTTP\/1\.1 431 /);
      assert.equal(codeOf(refused), 'SFX6119');
    }
    const long = 'x'.repeat(14_000);
    assert.equal((await call(`${gateway.url}/p/${long}`)).status, 200);
  });

  it('refuses what is no HTTP with a code', async () => {
    for (const text of [
      '\0\0\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /echo HTTP/1.1\r\nBad Name: x\r\n\r\n',
      'GET /echo HTTP/1.1\r\n\r\n',
    ]) {
      const refused = await exchange(gateway.port, text);
      assert.match(refused, /^HTTP\/1\.1 400 /, text);
    }
    // Two lengths: what one side takes for a body the other takes for a request.
    const smuggled = await exchange(
      gateway.port,
      'POST /mirror HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    assert.match(smuggled, /^HTTP\/1\.1 400 /);
    assert.equal(codeOf(smuggled), 'SFX6119');
  });

  it('answers requests that were sent at once in their order', async () => {
    const ask = (n: number, last = false) =>
      `GET /n/${n} HTTP/1.1\r\nHost: localhost\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
    const text = await exchange(gateway.port, [0, 1, 2, 3, 4].map((n) => ask(n, n === 4)).join(''));
    assert.deepEqual(
      [...text.matchAll(/http:\/\/localhost\/n\/(\d)/g)].map(([, n]) => n),
      ['0', '1', '2', '3', '4'],
    );
  });

  it('lets a caller that waits for it go on, and refuses it before it sends too much', async () => {
    const one = await wire(gateway.port);
    one.write(
      'POST /mirror HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n',
    );
    await one.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    one.write('ok');
    await one.until(/HTTP\/1\.1 200 [\s\S]*\r\n\r\nok$/);
    one.socket.destroy();
    const two = await wire(gateway.port);
    two.write(
      `POST /mirror HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${20 * MB}\r\nExpect: 100-continue\r\n\r\n`,
    );
    assert.match(await two.until(/SFX6103/), /^HTTP\/1\.1 413 /);
    two.socket.destroy();
  });

  it('answers 413 to a body over its limit while it is sent, and does not read it to its end', async () => {
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MB), Buffer.from('\r\n')]);
    const one = await wire(gateway.port);
    one.write('POST /mirror HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
    let sent = 0;
    while (!one.socket.destroyed && sent < 200) {
      sent += 1;
      await new Promise((resolve) => one.socket.write(chunk, resolve));
    }
    assert.ok(sent < 200, `${sent} MB were read`);
    assert.match(one.got(), /^HTTP\/1\.1 413 [\s\S]*SFX6103/);
    const told = await wire(gateway.port);
    told.write(`POST /mirror HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${11 * MB}\r\n\r\n`);
    await told.until(/^HTTP\/1\.1 413 /);
    told.socket.destroy();
  });

  it('takes a body of exactly its limit', async () => {
    const body = new Uint8Array(10 * MB);
    const answer = await fetch(`${gateway.url}/mirror`, { method: 'POST', body });
    assert.equal((await answer.arrayBuffer()).byteLength, body.byteLength);
  });

  it('cuts off who sends headers or a body too slowly', async () => {
    for (const text of [
      'GET /echo HTTP/1.1\r\nHost: loc',
      'POST /mirror HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nslow',
    ]) {
      const cut = await exchange(gateway.port, text);
      assert.match(cut, /^HTTP\/1\.1 408 /);
      assert.equal(codeOf(cut), 'SFX6119');
    }
  });

  it('refuses a WebSocket, and takes other upgrades for what they offer: nothing', async () => {
    const ask = (upgrade: string) =>
      exchange(
        gateway.port,
        `GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}\r\n\r\n`,
      );
    const refused = await ask('websocket');
    assert.match(refused, /^HTTP\/1\.1 501 /);
    assert.equal(codeOf(refused), 'SFX6118');
    assert.match(await ask('h2c'), /^HTTP\/1\.1 200 /);
  });

  it('takes an answer of 20 MB at once, and says that a larger one must be streamed', async () => {
    const most = await fetch(`${gateway.url}/most`);
    assert.equal((await most.arrayBuffer()).byteLength, 20 * MB);
    const large = await call(`${gateway.url}/large`);
    assert.equal(large.status, 502);
    assert.equal(codeOf(large.text), 'SFX6117');
    assert.ok(gateway.lines.some((line) => line.includes('larger than')));
    assert.deepEqual(gateway.recorded.at(-1), { function: 'large', failed: true });
  });

  it('lets no header of a handler through that is not its own to say', async () => {
    const mine = [
      ...['connection', 'close', 'Transfer-Encoding', 'chunked', 'content-length', '99', 'keep-alive', 'x'],
      ...[
        'x-sfx-release',
        '9',
        'x-sfx-activation',
        'me',
        'traceparent',
        'me',
        'Set-Cookie',
        'a=1',
        'set-cookie',
        'b=2',
      ],
    ];
    const { headers, text } = await says({ body: 'ok', headers: mine });
    assert.equal(text, 'ok');
    assert.equal(headers['content-length'], '2');
    assert.equal(headers['x-sfx-release'], '3');
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
    assert.match(String(headers['traceparent']), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    assert.equal(headers['x-sfx-activation'], gateway.begun.at(-1)!.input.requestId);
  });

  it('answers 502 to headers and statuses that HTTP does not have, and goes on', async () => {
    for (const wrong of [
      { status: 100 },
      { status: 101 },
      { status: 199 },
      { status: 600 },
      { status: 200.5 },
      { headers: ['bad name', 'x'] },
      { headers: ['', 'x'] },
      { headers: ['x', 'a\r\nset-cookie: b'] },
      { headers: ['x', 'a\0b'] },
      { headers: ['x', 'ł'] },
    ]) {
      const answer = await says(wrong);
      assert.equal(answer.status, 502, JSON.stringify(wrong));
      assert.equal(answer.reason, 'Bad Gateway', JSON.stringify(wrong));
      assert.equal(codeOf(answer.text), 'SFX6109');
      assert.deepEqual(gateway.recorded.at(-1), { function: 'says', failed: true });
    }
  });

  it('sends no body with 204, 304 and HEAD, and the length only where there may be one', async () => {
    for (const status of [204, 304]) {
      const { headers, text } = await says({ status, body: 'x' });
      assert.equal(text, '');
      assert.equal(headers['content-length'], undefined, String(status));
    }
    const text = await exchange(
      gateway.port,
      'HEAD /n/1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /n/2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)*content-length: 20\r\n/);
    assert.equal(text.split('http://localhost/n/').length, 2);
    assert.match(text, /http:\/\/localhost\/n\/2$/);
  });

  it('goes on when a caller leaves in the middle of a call, and records the call', async () => {
    const before = gateway.recorded.length;
    const one = await wire(gateway.port);
    one.write('GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually(() => held !== undefined);
    one.socket.destroy();
    await one.closed();
    held!();
    await eventually(() => gateway.recorded.length > before);
    assert.deepEqual(gateway.recorded.at(-1), { function: 'held', failed: false });
  });

  it('calls nothing for a body that was cut off', async () => {
    const before = gateway.begun.length;
    const one = await wire(gateway.port);
    one.write('POST /mirror HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf');
    one.socket.destroy();
    await one.closed();
    assert.equal((await call(`${gateway.url}/echo`)).status, 200);
    assert.equal(gateway.begun.length, before + 1);
  });

  it('says with a code when nothing is live, or no candidate is', async () => {
    const none = await call(`${gateway.url}/nothing`);
    assert.equal(none.status, 503);
    assert.equal(codeOf(none.text), 'SFX6105');
    const candidate = await call(`${gateway.url}/echo`, { headers: { 'x-sfx-candidate': '1' } });
    assert.equal(candidate.status, 409);
    assert.equal(codeOf(candidate.text), 'SFX6104');
  });
});
