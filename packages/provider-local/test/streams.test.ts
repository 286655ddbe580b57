import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Outcome } from '../src/daemon/instances/outcomes.js';
import { until } from './assertions.js';
import { handler } from './bench.js';
import { resultOf, type TestPools, testPools } from './pools.js';

/** The answer's body comes from a generator over `req` and `ctx`; `told` is what other calls can ask for. */
const streaming = (body: string) =>
  handler(
    `if (!ctx.streams) throw new Error('no streams');
     return { status: 200, headers: [['content-type', 'x']], body: null, stream: (async function* () { try { ${body} } finally { told.ended = true } })() }`,
    'return told',
    'const told = {};',
  );

function chunksOf(outcome: Outcome): AsyncIterable<Uint8Array> {
  assert.ok(outcome.kind === 'http' && outcome.stream !== undefined, JSON.stringify(outcome));
  return outcome.stream;
}

describe('a streamed answer', () => {
  let pools: TestPools;
  before(async () => {
    pools = await testPools();
  });
  after(() => pools.close());

  it('comes as it is made, byte for byte', async () => {
    const { http } = await pools.make(
      streaming(
        `for (let n = 0; n < 200; n++) { const part = new Uint8Array(40_000 + n).fill(n); yield part; if (part.length !== 40_000 + n) throw new Error('taken away'); }`,
      ),
    );
    const hash = createHash('sha256');
    const expected = createHash('sha256');
    for (let n = 0; n < 200; n++) expected.update(new Uint8Array(40_000 + n).fill(n));
    for await (const chunk of chunksOf(await http())) hash.update(chunk);
    assert.equal(hash.digest('hex'), expected.digest('hex'));
  });

  it('is made no faster than it is read', async () => {
    const { http, call } = await pools.make(
      streaming('for (let n = 0; n < 1000; n++) { told.made = n + 1; yield new Uint8Array(64 * 1024); }'),
    );
    const chunks = chunksOf(await http())[Symbol.asyncIterator]();
    await chunks.next();
    for (let n = 0; n < 10; n++) await call();
    const { made } = resultOf(await call()) as { made: number };
    assert.ok(made <= 8, `${made}`);
    for (let n = 0; n < 50; n++) await chunks.next();
    await until(async () => (resultOf(await call()) as { made: number }).made > 50);
    await chunks.return?.();
  });

  it('ends what makes it when nobody reads on', async () => {
    const { http, call, pool } = await pools.make(
      streaming(
        'for (;;) { yield new Uint8Array(10); await new Promise((resolve) => setTimeout(resolve, 5)); }',
      ),
    );
    for await (const _ of chunksOf(await http())) break;
    await until(async () => (resultOf(await call()) as { ended?: boolean }).ended === true);
    assert.equal(pool.instances(), 1);
  });

  it('that breaks off says so after what came, and the instance goes on', async () => {
    const { http, call, lines } = await pools.make(
      streaming('yield new Uint8Array([1]); await null; throw new Error("half way")'),
    );
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const chunk of chunksOf(await http())) seen.push(...chunk);
    }, /half way/);
    assert.deepEqual(seen, [1]);
    assert.ok(lines.some((line) => /stderr: Error: half way/.test(line)));
    await call();
  });

  it('that is no bytes breaks off', async () => {
    const { http } = await pools.make(streaming('yield 7'));
    await assert.rejects(async () => {
      for await (const _ of chunksOf(await http()));
    }, /a streamed body gave a number instead of bytes/);
  });

  it('has to end within the time of its function', async () => {
    const { http, call } = await pools.make(
      streaming(
        'for (;;) { yield new Uint8Array(10); await new Promise((resolve) => setTimeout(resolve, 5)); }',
      ),
      { timeout: 300 },
    );
    await assert.rejects(async () => {
      for await (const _ of chunksOf(await http()));
    }, /took longer than 300 ms/);
    await call();
  });

  it('of an instance that ends breaks off', async () => {
    const { http } = await pools.make(streaming('yield new Uint8Array(10); process.exit(3)'));
    await assert.rejects(async () => {
      for await (const _ of chunksOf(await http()));
    }, /exited with code 3/);
  });
});
