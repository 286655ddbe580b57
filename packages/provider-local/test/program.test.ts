import assert, { rejects } from 'node:assert/strict';
import { isRunning, startOf } from '../src/processes.js';
import { until } from './assertions.js';
import { needsPython } from './needs-python.js';
import { type Bench, processBench } from './process-bench.js';

const NODE = process.execPath;

/** A server whose answer to each request is this body of `(req, res, body)`. */
function server(
  body: string,
  listen = "server.listen(process.env.PORT, '127.0.0.1')",
  top = '',
): Record<string, string> {
  return {
    'server.cjs': `const { createServer } = require('node:http');
${top}
const server = createServer((req, res) => {
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => answer(req, res, Buffer.concat(chunks)));
});
async function answer(req, res, body) { ${body} }
${listen};`,
  };
}

describe('a program on $PORT', () => {
  const { start, close } = processBench();
  afterEach(close);
  const program = (files: Record<string, string>, config = {}, environment = {}) =>
    start({
      config: { command: [NODE, 'server.cjs'], isolation: undefined as never, ...config },
      files,
      environment,
    });
  const ready = async (files: Record<string, string>, config = {}, environment = {}): Promise<Bench> => {
    const one = await program(files, config, environment);
    await one.ready;
    return one;
  };
  const text = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString();

  it('gets calls as they are, and what the engine says of them', async () => {
    const one = await ready(
      server(`
        const { SFX_FUNCTION, SFX_STAGE } = process.env;
        const told = JSON.stringify([req.method, req.url, req.rawHeaders, body.toString('hex'), SFX_FUNCTION, SFX_STAGE]);
        res.writeHead(201, ['x-a', '1', 'x-a', '2', 'connection', 'x-gone', 'x-gone', '1', 'content-length', Buffer.byteLength(told)]);
        res.end(told)`),
    );
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const [, status, headers, body] = await one.call({
      kind: 'http',
      method: 'POST',
      url: 'http://shop.localhost:4100/a%2Fb//c?x=%20&x=2',
      headers: [
        'host',
        'shop.localhost:4100',
        'X-Own',
        'ü'.normalize(),
        'connection',
        'keep-alive, x-hop',
        'x-hop',
        '1',
        'x-request-id',
        'forged',
        'transfer-encoding',
        'chunked',
      ],
      body: Uint8Array.from([0, 1, 255]),
      ip: '10.0.0.9',
      depth: 3,
      trace,
    });
    assert.equal(status, 201);
    assert.deepEqual((headers as string[]).slice(0, 4), ['x-a', '1', 'x-a', '2']);
    assert.ok(!(headers as string[]).includes('x-gone'));
    const [method, url, raw, hex, fn, stage] = JSON.parse(text(body));
    assert.deepEqual(
      [method, url, hex, fn, stage],
      ['POST', '/a%2Fb//c?x=%20&x=2', '0001ff', 'stats', 'dev'],
    );
    const sent = new Map<string, string>();
    for (let n = 0; n < raw.length; n += 2) {
      assert.ok(!sent.has(raw[n].toLowerCase()), `${raw[n]} came twice`);
      sent.set(raw[n].toLowerCase(), raw[n + 1]);
    }
    assert.equal(sent.get('host'), 'shop.localhost:4100');
    assert.equal(sent.get('x-request-id'), 'call-1');
    assert.equal(sent.get('x-forwarded-for'), '10.0.0.9');
    assert.equal(sent.get('x-sfx-depth'), '3');
    assert.equal(sent.get('traceparent'), trace);
    assert.equal(sent.get('content-length'), '3');
    assert.ok(!sent.has('x-hop') && !sent.has('transfer-encoding'));
  });

  it('any bytes and any size come whole, in a stream where its length is not known', async () => {
    const one = await ready(
      server(
        'if (req.url === "/known") res.end(body); else { for (let n = 0; n < body.length; n += 50000) res.write(body.subarray(n, n + 50000)); res.end() }',
      ),
    );
    const body = Buffer.from(Uint8Array.from({ length: 2_000_000 }, (_, n) => (n * 7) % 253));
    const [, , , small] = await one.call({
      kind: 'http',
      method: 'PUT',
      url: 'http://x/known',
      body: body.subarray(0, 1000),
    });
    assert.deepEqual(Buffer.from(small as Uint8Array), body.subarray(0, 1000));
    const [id, , , streamed] = await one.call({ kind: 'http', method: 'PUT', url: 'http://x/other', body });
    assert.equal(streamed, 1);
    const size = () => (one.chunks.get(id) ?? []).reduce((sum, chunk) => sum + chunk.length, 0);
    await until(() => size() >= 256 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Nobody took anything yet: it does not go on.
    assert.ok(size() < 600_000, String(size()));
    let taken = 0;
    await until(() => {
      one.instance.taken(id, size() - taken);
      taken = size();
      return one.ends.has(id);
    });
    assert.equal(one.ends.get(id), undefined);
    assert.deepEqual(Buffer.concat(one.chunks.get(id)!), body);
  });

  it('hears that nobody waits for a stream any more', async () => {
    const one = await ready(server('res.write("first"); res.on("close", () => console.log("left"))'));
    const [id] = await one.call({ kind: 'http' });
    one.instance.cancel(id);
    await until(() => one.ends.has(id) && one.lines('stdout').includes('left'));
  });

  it('that breaks off in the middle is told', async () => {
    const one = await ready(server('res.write("first"); setTimeout(() => res.destroy(), 30)'));
    const [id] = await one.call({ kind: 'http' });
    await until(() => one.ends.has(id));
    assert.match(one.ends.get(id)!, /aborted|closed the connection/);
  });

  it('takes an invocation as POST /, and its answer is the result', async () => {
    const one = await ready(
      server(
        'const asked = JSON.parse(body); if (asked.fail) { res.statusCode = 503; return res.end("secret") } if (asked.text) return res.end("no json"); if (asked.none) { res.statusCode = 204; return res.end() } res.end(`[123456789012345678901, ${JSON.stringify([req.method, req.url, req.headers["content-type"], asked])}]`)',
      ),
    );
    const answer = await one.call({ kind: 'invoke', payload: '{"a":1}' });
    assert.equal(answer[2], '[123456789012345678901, ["POST","/","application/json",{"a":1}]]');
    assert.equal(await one.invoke({ text: 1 }), 'no json');
    assert.equal(await one.invoke({ none: 1 }), null);
    await rejects(one.invoke({ fail: 1 }), /^Error: it answered 503$/);
  });

  it('takes what triggers deliver as CloudEvents, and $http as asked', async () => {
    const one = await ready(
      server(
        'res.setHeader("content-type", "application/json"); if (req.url !== "/") return res.end(JSON.stringify([req.method, req.url])); const events = JSON.parse(body); console.log(req.headers["content-type"], [events].flat().map((e) => e.type).join()); if ([events].flat()[0].data === "bad") res.statusCode = 500; res.end(JSON.stringify({ batchItemFailures: [{ itemIdentifier: "m2" }] }))',
      ),
    );
    const message = (id: string, body: string) => ({ id, body, attributes: {}, sentAt: 0, attempt: 1 });
    assert.deepEqual(
      await one.invoke({
        $event: { kind: 'queue', queue: 'orders', messages: [message('m1', 'x'), message('m2', 'y')] },
      }),
      { batchItemFailures: [{ itemIdentifier: 'm2' }] },
    );
    await rejects(
      one.invoke({ $event: { kind: 'queue', queue: 'orders', messages: [message('m1', 'bad')] } }),
      /500/,
    );
    await one.invoke({
      $event: { kind: 'schedule', id: 's', schedule: 'daily', at: '2024-01-01T00:00:00.000Z' },
    });
    await until(() => one.lines('stdout').length === 3);
    assert.match(
      one.lines('stdout')[0]!,
      /^application\/cloudevents-batch\+json.* sfx\.queue\.message,sfx\.queue\.message$/,
    );
    assert.match(one.lines('stdout')[2]!, /^application\/cloudevents\+json.* sfx\.schedule\.due$/);
    const told = (await one.invoke({ $http: { method: 'DELETE', path: '/a?b=1' } })) as {
      status: number;
      body: unknown;
    };
    assert.deepEqual([told.status, told.body], [200, ['DELETE', '/a?b=1']]);
  });

  it('may be a line for the shell, of any language', async function () {
    needsPython.call(this);
    const one = await start({
      config: { command: ['/bin/sh', '-c', 'exec python3 -m http.server --bind 127.0.0.1 $PORT'] },
      files: { 'page.txt': 'hello' },
    });
    await one.ready;
    const [, status, , body] = await one.call({ kind: 'http', url: 'http://x/page.txt' });
    assert.deepEqual([status, text(body)], [200, 'hello']);
    const [, missing] = await one.call({ kind: 'http', url: 'http://x/none' });
    assert.equal(missing, 404);
  });

  it('may write to /dev/stdout and /dev/stderr, to its last line', async () => {
    const line = 'echo out >/dev/stdout; echo err >/dev/stderr; seq 1 5000; exit 3';
    const one = await start({ config: { command: ['/bin/sh', '-c', line] }, files: { a: '' } });
    assert.match(await one.gone, /code 3/);
    assert.deepEqual(one.lines('stderr'), ['err']);
    assert.deepEqual(one.lines('stdout'), ['out', ...Array.from({ length: 5000 }, (_, n) => String(n + 1))]);
  });

  it('is ended with all that its shell started', async () => {
    const one = await start({
      config: { command: ['/bin/sh', '-c', `"${NODE}" server.cjs & wait`] },
      files: server('res.end(String(process.pid))'),
    });
    await one.ready;
    const [, , , body] = await one.call({ kind: 'http' });
    const pid = Number(text(body));
    const began = startOf(pid)!;
    one.instance.terminate();
    await one.gone;
    await until(() => !isRunning(pid, began));
  });

  it('on IPv6 alone is found; on every address it is warned of', async () => {
    const six = await ready(server('res.end("six")', "server.listen(process.env.PORT, '::1')"));
    assert.equal(text((await six.call({ kind: 'http' }))[3]), 'six');
    assert.deepEqual(six.lines('engine'), []);
    for (const listen of ["server.listen(process.env.PORT, '0.0.0.0')", 'server.listen(process.env.PORT)']) {
      const wide = await ready(server('res.end("wide")', listen));
      assert.equal(text((await wide.call({ kind: 'http' }))[3]), 'wide');
      assert.match(wide.lines('engine').join(), /listens on every address/);
    }
  });

  it('that exits at once, is not there, or cannot start does not load', async () => {
    const exits = await program({ 'server.cjs': 'console.error("no database"); process.exit(5)' });
    await rejects(exits.ready, /code 5/);
    assert.deepEqual(exits.lines('stderr'), ['no database']);
    const missing = await start({ config: { command: ['no-such-program'] }, files: { a: '' } });
    await rejects(missing.ready, /127: its command was not found/);
  });

  it('that never listens does not load', async () => {
    const one = await program({ 'server.cjs': 'setInterval(() => undefined, 1000)' });
    await rejects(one.ready, /it did not listen on \$PORT \(\d+\) within 9\.5 s/);
  }).timeout(20_000);

  it('that closes connections or answers what is not HTTP fails the call alone', async () => {
    const one = await ready(
      server(
        'res.end("fine")',
        "server.listen(process.env.PORT, '127.0.0.1'); server.on('connection', (socket) => socket.once('data', (data) => { if (String(data).includes('/close')) socket.destroy(); if (String(data).includes('/garbage')) { socket.write('garbage\\r\\n\\r\\n'); } }))",
      ),
    );
    const [, closed, why] = await one.call({ kind: 'http', method: 'POST', url: 'http://x/close' });
    assert.deepEqual([closed, why], [-2, 'it closed the connection without an answer']);
    const [, garbage, what] = await one.call({ kind: 'http', method: 'POST', url: 'http://x/garbage' });
    assert.equal(garbage, -2);
    assert.match(String(what), /not HTTP/);
    assert.equal(text((await one.call({ kind: 'http' }))[3]), 'fine');
    assert.deepEqual(
      one.wrote.filter(({ stream }) => stream === 'engine').map(({ activation }) => activation),
      ['call-1', 'call-2'],
    );
  });

  it('that dies during a call ends with its own reason', async () => {
    const one = await ready(server('process.kill(process.pid, "SIGSEGV")'));
    await rejects(one.call({ kind: 'http' }), /gone: it was ended by SIGSEGV/);
  });

  it('that takes more than its memory is ended', async () => {
    const one = await ready(
      server('const keep = []; setInterval(() => keep.push(Buffer.alloc(30e6, 1)), 10)'),
      { memory: 200 },
    );
    await rejects(one.call({ kind: 'http' }), /200 MB of memory/);
  });

  it('has lines that name the call while one call alone runs', async () => {
    const one = await ready(
      server('console.log("at", req.url); await new Promise((r) => setTimeout(r, 60)); res.end()'),
    );
    await one.call({ kind: 'http', url: 'http://x/1' });
    await Promise.all([
      one.call({ kind: 'http', url: 'http://x/2' }),
      one.call({ kind: 'http', url: 'http://x/3' }),
    ]);
    await until(() => one.lines('stdout').length === 3);
    assert.deepEqual(
      one.wrote.map(({ activation }) => activation),
      ['call-1', undefined, undefined],
    );
  });

  it('has no line that names a call which may not have written it', async () => {
    const one = await ready(
      server(`
        if (req.url === '/quick') {
          res.end();
          return setTimeout(() => console.log('late'), 5);
        }
        setTimeout(() => console.log('mine'), 300);
        // What is written with the answer may come behind it, and then names no call.
        setTimeout(() => res.end(), 450);`),
    );
    await one.call({ kind: 'http', url: 'http://x/quick' });
    await one.call({ kind: 'http', url: 'http://x/slow' });
    await until(() => one.wrote.length === 2);
    assert.deepEqual(
      one.wrote.map(({ text, activation }) => [text, activation]),
      [
        ['late', undefined],
        ['mine', 'call-2'],
      ],
    );
  });

  it('has a connection of its own for each POST, and keeps one for what may be repeated', async () => {
    const one = await ready(server('res.end(String(req.socket.remotePort))'));
    const ports = async (method: string) => {
      const seen = new Set<string>();
      for (let n = 0; n < 5; n += 1) seen.add(text((await one.call({ kind: 'http', method }))[3]));
      return seen.size;
    };
    assert.deepEqual([await ports('POST'), await ports('GET')], [5, 1]);
  });

  it('is asked again for what may be repeated when it closed a kept connection, and never for a POST', async () => {
    const one = await ready(
      server(
        'console.log(req.method, req.socket.remotePort); res.end("x")',
        "server.keepAliveTimeout = 1; server.listen(process.env.PORT, '127.0.0.1')",
      ),
    );
    for (let n = 0; n < 30; n += 1) {
      assert.equal(text((await one.call({ kind: 'http' }))[3]), 'x');
      assert.equal(text((await one.call({ kind: 'http', method: 'POST', body: Buffer.from('a') }))[3]), 'x');
      await new Promise((resolve) => setTimeout(resolve, n % 4));
    }
    await until(() => one.lines('stdout').length >= 60);
    assert.equal(one.lines('stdout').filter((line) => line.startsWith('POST')).length, 30);
    const connections = new Set(one.lines('stdout').filter((line) => line.startsWith('POST')));
    assert.equal(connections.size, 30);
  });
});
