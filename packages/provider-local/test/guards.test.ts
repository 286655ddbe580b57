import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handler } from './bench.js';
import { resultOf, type TestPools, testPools } from './pools.js';

describe('a thread', () => {
  let pools: TestPools;
  before(async () => {
    pools = await testPools();
  });
  after(() => pools.close());

  it('cannot end the engine by what Node.js offers for it, and is told why', async () => {
    const { call } = await pools.make(
      handler(
        '',
        'try { await ({ ...acts })[payload](); return "done" } catch (error) { return error.message }',
        `
        const acts = {
          kill: () => process.kill(process.pid, 'SIGKILL'),
          group: () => process.kill(0),
          look: () => process.kill(process.pid, 0),
          abort: () => process.abort(),
          chdir: () => process.chdir('/'),
          umask: () => process.umask(0),
          dlopen: () => { writeFileSync(import.meta.url.slice(7) + '.node', 'no library'); process.dlopen({ exports: {} }, import.meta.url.slice(7) + '.node') },
          gc: () => { throw new Error(typeof globalThis.gc) },
        };
        import { writeFileSync } from 'node:fs';`,
      ),
    );
    const said = async (what: string) => resultOf(await call(what));
    for (const what of ['kill', 'group'])
      assert.match(
        String(await said(what)),
        /would end the engine: use process.exit, or set `isolation: process`/,
      );
    assert.equal(await said('look'), 'done');
    for (const what of ['abort', 'chdir']) assert.match(String(await said(what)), /not supported in workers/);
    assert.match(String(await said('umask')), /not supported in workers/);
    assert.match(String(await said('dlopen')), /file too short|invalid|not a mach-o/i);
    assert.equal(await said('gc'), 'undefined');
  });

  it('is ended by an error in a timer, and the next call has a new one', async () => {
    const { call, lines } = await pools.make(
      handler(
        '',
        'if (payload === "ok") return 1; setTimeout(() => { throw new Error("in a timer") }, 5); await new Promise(() => {})',
      ),
    );
    const failed = await call();
    assert.equal(failed.kind === 'failed' && failed.why, 'crashed');
    assert.equal(resultOf(await call('ok')), 1);
    assert.ok(lines.some((line) => /an error that nobody caught: in a timer/.test(line)));
  });

  it('tells its own engine how deep a call is and of which trace, and nobody else', async () => {
    const seen: Record<string, unknown>[] = [];
    const server = createServer((req, res) => {
      seen.push({
        depth: req.headers['x-sfx-depth'],
        trace: req.headers['traceparent'],
        mine: req.headers['x-mine'],
      });
      res.end('{}');
    });
    const stranger = createServer((req, res) => {
      seen.push({ stranger: req.headers['x-sfx-depth'] ?? req.headers['traceparent'] ?? 'nothing' });
      res.end('{}');
    });
    for (const one of [server, stranger])
      await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    const portOf = (one: typeof server) => (one.address() as AddressInfo).port;
    const { call } = await pools.make(
      handler(
        '',
        `const url = payload.other ?? process.env.SFX_URL + '/x';
         if (payload.how === 'fetch') await (await fetch(url, { headers: { 'x-mine': 'yes', ...payload.headers } })).text();
         else if (payload.how === 'request') await (await fetch(new Request(url, { headers: { 'x-mine': 'yes' } }))).text();
         else await new Promise((resolve, reject) => http.get(url, { headers: { 'x-mine': 'yes' } }, (res) => res.resume().on('end', resolve)).on('error', reject));
         return ctx.trace ?? null`,
        `import http from 'node:http';`,
      ),
      {
        environment: {
          SFX_URL: `http://127.0.0.1:${portOf(server)}`,
          SFX_EVENTS_URL: `http://127.0.0.1:${portOf(server)}/events/t`,
        },
      },
    );
    try {
      const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      for (const how of ['fetch', 'request', 'http']) {
        const [, again] = [
          await call({ how }, { depth: 4, trace }),
          await call({ how }, { depth: 4, trace }),
        ];
        assert.equal(resultOf(again), trace);
        for (const one of seen.splice(0)) assert.deepEqual(one, { depth: '5', trace, mine: 'yes' });
      }
      // What came with its own request does not make a call less deep; a trace of its own is the handler's.
      await call({ how: 'fetch', headers: { 'x-sfx-depth': '0', traceparent: 'own' } }, { depth: 7 });
      assert.deepEqual(seen.splice(0), [{ depth: '8', trace: 'own', mine: 'yes' }]);
      const calls = [9, 3, 0].map((depth) =>
        call({ how: 'fetch' }, { depth, trace: `${trace.slice(0, -1)}${depth}` }),
      );
      await Promise.all(calls);
      assert.deepEqual(new Set(seen.splice(0).map(({ depth }) => depth)), new Set(['1', '4', '10']));
      for (const how of ['fetch', 'http'])
        await call({ how, other: `http://127.0.0.1:${portOf(stranger)}/` }, { depth: 4, trace });
      assert.deepEqual(seen, [{ stranger: 'nothing' }, { stranger: 'nothing' }]);
    } finally {
      server.close();
      stranger.close();
    }
  });
});
