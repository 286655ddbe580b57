import assert, { rejects } from 'node:assert/strict';
import { adapt, type PlainContext } from '@sfx-deploy/runtime';
import fc from 'fast-check';
import type { Answer } from '../src/daemon/instances/calls.js';
import type { Input } from '../src/daemon/instances/outcomes.js';
import { until } from './assertions.js';
import { needsPython } from './needs-python.js';
import { type Bench, processBench, pythonFiles } from './process-bench.js';

describe('a Python handler', () => {
  before(needsPython);
  const { start, close } = processBench();
  afterEach(close);
  const python = async (code: string, config = {}, environment = {}): Promise<Bench> => {
    const one = await start({
      config: { runtime: 'python3', ...config },
      environment,
      files: pythonFiles(code),
    });
    await one.ready;
    return one;
  };
  const refused = async (code: string, why: RegExp) => {
    const one = await start({ config: { runtime: 'python3' }, files: pythonFiles(code) });
    await rejects(one.ready, why);
    return one;
  };

  it('gets what was sent and answers what it returns, digit for digit', async () => {
    const one = await python('def handler(event, context):\n    return event');
    const payload =
      '{"big": 123456789012345678901234567890, "text": "żółw \\ud83d\\ude00", "list": [1.50, null, true]}';
    const answer = await one.call({ kind: 'invoke', payload });
    assert.match(String(answer[2]), /"big":123456789012345678901234567890,/);
    assert.deepEqual(JSON.parse(String(answer[2])), JSON.parse(payload));
  });

  it('any JSON comes back as it went', async () => {
    const one = await python('def handler(event, context):\n    return event');
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        assert.deepEqual(await one.invoke(value), JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 60 },
    );
  });

  it('finds modules beside it and its folder, and nothing of the engine’s environment', async () => {
    process.env['OF_THE_ENGINE'] = 'secret';
    const files = {
      ...pythonFiles(
        'import os\nfrom src.util import twice\ndef handler(event, context):\n    return [twice(event), os.getcwd(), dict(os.environ)]',
      ),
      'src/util.py': 'def twice(n):\n    return 2 * n',
    };
    const one = await start({ config: { runtime: 'python3' }, environment: { OWN: 'x' }, files });
    await one.ready;
    const [twice, cwd, env] = (await one.invoke(21)) as [number, string, Record<string, string>];
    delete process.env['OF_THE_ENGINE'];
    assert.equal(twice, 42);
    assert.equal(cwd, one.folder);
    assert.equal(env['OWN'], 'x');
    assert.equal(env['OF_THE_ENGINE'], undefined);
  });

  it('has the context of AWS Lambda', async () => {
    const one = await python(
      'def handler(event, context):\n    return [context.aws_request_id, context.function_name, context.function_version, context.memory_limit_in_mb, context.get_remaining_time_in_millis(), context.service, context.stage, context.release, context.trace]',
      { memory: 256 },
    );
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const answer = await one.call({ kind: 'invoke', payload: '1', trace }, 4_000);
    const [id, name, version, memory, left, service, stage, release, traced] = JSON.parse(String(answer[2]));
    assert.deepEqual(
      [id, name, version, memory, service, stage, release],
      ['call-1', 'stats', 'stats-1', '256', 'shop', 'dev', 7],
    );
    assert.ok(left > 0 && left <= 4_000);
    assert.equal(traced, trace);
  });

  it('may be async; its event loop lives on between calls', async () => {
    const one = await python(
      'import asyncio\nlock = None\nasync def handler(event, context):\n    global lock\n    lock = lock or asyncio.Event()\n    asyncio.get_running_loop().call_later(0.01, lock.set)\n    await lock.wait()\n    return event + 1',
    );
    assert.deepEqual([await one.invoke(1), await one.invoke(2)], [2, 3]);
  });

  it('that raises answers with its error and its own line, and goes on', async () => {
    const one = await python(
      'def inner(event):\n    return event["id"]\n\ndef handler(event, context):\n    return inner(event)',
    );
    await rejects(one.invoke({}), /^Error: KeyError: 'id' \(at src\/stats\.py:2\)$/);
    assert.match(
      one.lines('stderr').join('\n'),
      /Traceback[\s\S]*File "src\/stats\.py", line 2, in inner[\s\S]*KeyError: 'id'/,
    );
    assert.doesNotMatch(one.lines('stderr').join('\n'), /host\.py/);
    assert.equal(await one.invoke({ id: 5 }), 5);
  });

  it('that recurses without end goes on after it', async () => {
    const one = await python(
      'def f(n):\n    return f(n + 1)\ndef handler(event, context):\n    return 1 if event else f(0)',
    );
    await rejects(one.invoke(0), /RecursionError: maximum recursion depth exceeded.*\(at src\/stats\.py:2\)/);
    assert.equal(await one.invoke(1), 1);
  });

  for (const [what, value, why] of [
    ['a set', '{1}', /TypeError: Object of type set is not JSON serializable/],
    ['bytes', 'b"x"', /Object of type bytes is not JSON/],
    ['no number', 'float("nan")', /ValueError: Out of range float/],
    ['itself', 'loop()', /ValueError: Circular reference/],
  ] as const) {
    it(`that returns ${what} is told so`, async () => {
      const one = await python(
        `def loop():\n    a = []\n    a.append(a)\n    return a\ndef handler(event, context):\n    return ${value}`,
      );
      await rejects(one.invoke(1), why);
    });
  }

  it('that leaves with sys.exit ends its instance, as process.exit does', async () => {
    const one = await python('import sys\ndef handler(event, context):\n    print("bye")\n    sys.exit(4)');
    await rejects(one.invoke(1), /gone: it exited with code 4/);
    assert.deepEqual(one.lines('stdout'), ['bye']);
  });

  it('that crashes in native code ends alone', async () => {
    const one = await python('import ctypes\ndef handler(event, context):\n    ctypes.string_at(0)');
    await rejects(one.invoke(1), /SIGSEGV/);
  });

  it('that takes more than its memory is ended', async () => {
    const one = await python(
      'def handler(event, context):\n    keep = []\n    while True:\n        keep.append(bytearray(b"x" * 10_000_000))',
      { memory: 64 },
    );
    await rejects(one.invoke(1), /64 MB of memory/);
  });

  it('in an endless loop is ended', async () => {
    const one = await python('def handler(event, context):\n    print("in")\n    while True:\n        pass');
    one.invoke(1).catch(() => undefined);
    await until(() => one.lines('stdout').length === 1);
    one.instance.terminate();
    assert.match(await one.gone, /SIGTERM/);
  });

  it('tells exactly what each call wrote, whoever wrote it', async () => {
    const one = await python(
      'import os, subprocess, sys\ndef handler(event, context):\n    print("print", event)\n    os.write(1, b"raw %d\\n" % event)\n    subprocess.run(["/bin/sh", "-c", f"echo child {event}"])\n    print("error", event, file=sys.stderr)\n    context.log("log")\n    sys.stdout.write("open")\n    return event',
    );
    for (let n = 1; n <= 20; n += 1) {
      await one.invoke(n);
      // Nothing is waited for: with the answer all lines are there.
      const mine = one.wrote.filter(({ activation }) => activation === `call-${n}`);
      assert.deepEqual(
        mine.map(({ stream, text }) => `${stream} ${text}`).sort(),
        [
          'stderr error N',
          'stdout child N',
          'stdout log',
          'stdout open',
          'stdout print N',
          'stdout raw N',
        ].map((line) => line.replace('N', String(n))),
      );
    }
    assert.equal(one.wrote.length, 120);
  });

  it('that closes or floods its output still answers', async () => {
    const one = await python(
      'import os, sys\ndef handler(event, context):\n    if event == 1:\n        os.write(2, b"y\\n" * 10_000_000)\n    if event == 2:\n        sys.stdout.close()\n        os.close(1)\n    return event',
    );
    assert.equal(await one.invoke(1), 1);
    assert.match(one.lines('engine').join(), /lines on stderr were dropped/);
    assert.equal(await one.invoke(2), 2);
    assert.equal(await one.invoke(3), 3);
  });

  it('that does not load is told with its own line', async () => {
    await refused(
      'import nothing_like_this',
      /ModuleNotFoundError: No module named 'nothing_like_this' \(at src\/stats\.py:1\)/,
    );
    await refused('\n\ndef handler(:', /SyntaxError: .* \(at src\/stats\.py:3\)/);
    await refused('x = 1', /AttributeError: src\/stats\.py has no 'handler'/);
    await refused('handler = 5', /TypeError: 'handler' of src\/stats\.py is not a function but int/);
    await refused('import sys\nsys.exit(2)', /code 2/);
  });

  it('without Python is refused with a code and what was looked for', async () => {
    const one = await start({
      config: { runtime: 'python3.12' },
      environment: { PATH: '/nowhere' },
      files: pythonFiles(''),
    });
    await rejects(
      one.ready,
      /Python 3\.9 or newer: python3\.12 is not in the path; python3 is not in the path; python is not/,
    );
    const named = await start({
      config: { runtime: 'python3' },
      python: '/bin/false',
      files: pythonFiles(''),
    });
    await rejects(named.ready, /\/bin\/false does not run/);
  });

  it('says when it is of another version than the runtime', async () => {
    const one = await start({
      config: { runtime: 'python3.9' },
      environment: { SFX_PYTHON: 'python3' },
      files: pythonFiles('def handler(e, c):\n    return 1'),
    });
    await one.ready;
    assert.match(one.lines('engine').join(), /^runtime python3\.9: here it is Python 3\.\d+ \(\//);
  });

  it('hands on depth and trace to the engine, and to nobody else', async () => {
    const { createServer } = await import('node:http');
    const seen: unknown[] = [];
    const listen = () =>
      new Promise<import('node:http').Server>((resolve) => {
        const server = createServer((req, res) => {
          seen.push([req.url, req.headers['x-sfx-depth'], req.headers['traceparent']]);
          res.end();
        }).listen(0, '127.0.0.1', () => resolve(server));
      });
    const [ours, other] = [await listen(), await listen()];
    const at = (server: import('node:http').Server) =>
      `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    const one = await python(
      'import os\ndef handler(event, context):\n    from urllib.request import urlopen\n    for url in event:\n        urlopen(url).read()',
      {},
      { SFX_EVENTS_URL: `${at(ours)}/events/t` },
    );
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await one.call({
      kind: 'invoke',
      payload: JSON.stringify([`${at(ours)}/events/t/queues/q`, `${at(other)}/x`]),
      depth: 2,
      trace,
    });
    assert.deepEqual(seen, [
      ['/events/t/queues/q', '3', trace],
      ['/x', undefined, undefined],
    ]);
    ours.close();
    other.close();
  });

  describe('gets the same as a Node handler of the event style', () => {
    const context: PlainContext = {
      requestId: 'call-1',
      deadline: 0,
      function: 'stats',
      version: 'stats-1',
      release: 7,
      service: 'shop',
      stage: 'dev',
    };
    const seen: unknown[] = [];
    const node = adapt((event: unknown) => {
      seen.push(event);
      return {};
    }, 'handler');
    /** What differs between two calls at two times. */
    const timeless = (event: unknown) =>
      JSON.parse(JSON.stringify(event).replace(/"(time|timeEpoch|requestId)":("[^"]*"|\d+)/g, '"$1":0'));

    it('for calls over HTTP', async () => {
      const one = await python(
        'import json\ndef handler(event, context):\n    return {"statusCode": 200, "body": json.dumps(event)}',
      );
      const requests: Partial<Extract<Input, { kind: 'http' }>>[] = [
        {},
        {
          url: 'http://shop.localhost/a%20b?x=1&x=2&y=',
          headers: ['Cookie', 'a=1; b=2', 'X-Many', '1', 'x-many', '2'],
        },
        {
          method: 'POST',
          body: Buffer.from('{"a":1}'),
          headers: ['content-type', 'application/json'],
          params: ['id', '7'],
          route: 'POST /x/{id}',
        },
        {
          method: 'PUT',
          body: Buffer.from([0, 255, 1]),
          ip: '10.0.0.1',
          authorizer: '{"lambda":{"user":"ü"}}',
        },
      ];
      for (const request of requests) {
        const whole = {
          method: 'GET',
          url: 'http://shop.localhost/',
          headers: [] as string[],
          body: null,
          params: [] as string[],
          route: 'GET /',
          ...request,
        };
        const [, status, , body] = (await one.call({ kind: 'http', ...request })) as Extract<
          Answer,
          { length: 4 }
        >;
        assert.equal(status, 200);
        const pairs = (list: readonly string[]) =>
          Array.from({ length: list.length / 2 }, (_, n): [string, string] => [
            list[2 * n]!,
            list[2 * n + 1]!,
          ]);
        await node.http(
          {
            ...whole,
            headers: pairs(whole.headers),
            params: Object.fromEntries(pairs(whole.params)),
            ...(whole.authorizer === undefined
              ? { authorizer: undefined as never }
              : { authorizer: JSON.parse(whole.authorizer) }),
          },
          context,
        );
        assert.deepEqual(
          timeless(JSON.parse(Buffer.from(body as Uint8Array).toString())),
          timeless(seen.at(-1)),
        );
      }
    });

    it('for what triggers deliver', async () => {
      const one = await python(
        'last = None\ndef handler(event, context):\n    global last\n    if event == "last":\n        return last\n    last = event\n    return {"batchItemFailures": [{"itemIdentifier": "m1"}]}',
      );
      const message = { id: 'm1', body: 'ä', attributes: { a: 'b' }, sentAt: 1_700_000_000_000, attempt: 2 };
      for (const delivery of [
        { kind: 'queue', queue: 'orders', messages: [message, { ...message, id: 'm2' }] },
        { kind: 'topic', topic: 'sales', messages: [message] },
        { kind: 'schedule', id: 's1', schedule: 'rate(1 minute)', at: '2024-01-01T00:00:00.000Z' },
        {
          kind: 'bucket',
          id: 'b1',
          bucket: 'uploads',
          change: 'created',
          key: 'a b.txt',
          size: 3,
          etag: 'x',
          at: '2024-01-01T00:00:00.000Z',
        },
      ]) {
        assert.deepEqual(await one.invoke({ $event: delivery }), {
          batchItemFailures: [{ itemIdentifier: 'm1' }],
        });
        await node.invoke({ $event: delivery }, context);
        assert.deepEqual(await one.invoke('last'), JSON.parse(JSON.stringify(seen.at(-1))));
      }
    });

    it('and its results become the same answers', async () => {
      const one = await python(
        'def handler(event, context):\n    import json\n    return json.loads(event["body"])',
      );
      for (const result of [
        { statusCode: 404, body: 'no' },
        {
          statusCode: 200,
          headers: { 'X-A': 1 },
          cookies: ['a=1', 'b=2'],
          body: 'AP8=',
          isBase64Encoded: true,
        },
        { any: 'thing' },
        'text',
        null,
        [1],
      ]) {
        const body = Buffer.from(JSON.stringify(result));
        const [, status, headers, bytes] = (await one.call({
          kind: 'http',
          method: 'POST',
          body,
        })) as Extract<Answer, { length: 4 }>;
        const expected = await adapt(() => result, 'handler').http(
          { method: 'POST', url: 'http://x/', headers: [], body, params: {}, route: 'POST /' },
          context,
        );
        assert.deepEqual(
          [status, headers, bytes && Buffer.from(bytes as Uint8Array).toString('hex')],
          [
            expected.status,
            expected.headers.flat(),
            expected.body && Buffer.from(expected.body).toString('hex'),
          ],
        );
      }
      const [, kind, text] = await one.call({
        kind: 'http',
        method: 'POST',
        body: Buffer.from('{"statusCode":"x"}'),
      });
      assert.equal(kind, -2);
      assert.match(String(text), /statusCode "x"/);
    });

    it('and over HTTP as an invocation asks for it', async () => {
      const one = await python(
        'def handler(event, context):\n    return {"statusCode": 201, "body": event["rawPath"]}',
      );
      assert.deepEqual(await one.invoke({ $http: { path: '/a?b=1' } }), {
        status: 201,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: '/a',
      });
    });
  });
});
