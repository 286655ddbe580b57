import assert from 'node:assert/strict';
import { handler } from './bench.js';
import { resultOf, type TestPools, testPools } from './pools.js';

/** Each in a thread of this very process, which goes on. */
describe('memory of instances in threads', () => {
  let pools: TestPools;
  before(async () => {
    pools = await testPools();
  });
  after(() => pools.close());

  const bombs: Record<string, string> = {
    'Buffers without a pause': 'for (;;) keep.push(Buffer.alloc(50e6, 1))',
    'small Buffers without a pause': 'for (;;) keep.push(Buffer.alloc(64 * 1024, 1))',
    'arrays of hundreds of megabytes': 'for (;;) keep.push(new Array(3e7).fill(0))',
    'an array that grows by numbers': 'const a = []; keep.push(a); for (let n = 0; ; n++) a[n] = n + 0.5',
    'a map that grows':
      'const all = []; keep.push(all); for (;;) { const m = new Map(); all.push(m); for (let n = 0; n < 1e5; n++) m.set(n, {}); }',
    'Buffers between pauses':
      'for (;;) { keep.push(Buffer.alloc(2e6, 1)); await new Promise((resolve) => setTimeout(resolve, 2)); }',
    'objects between pauses':
      'for (;;) { keep.push(new Array(1e5).fill(0).map((_, n) => ({ n }))); await new Promise((resolve) => setTimeout(resolve, 2)); }',
  };
  for (const [name, code] of Object.entries(bombs)) {
    it(`ends one that fills it with ${name}, and a neighbour that computes is not touched`, async () => {
      const bad = await pools.make(handler('', `const keep = globalThis.keep = []; ${code}`), {
        timeout: 30_000,
      });
      const good = await pools.make(
        handler('', 'const end = Date.now() + payload; while (Date.now() < end); return "good"'),
        { timeout: 30_000 },
      );
      await Promise.all([bad.pool.warm(), good.pool.warm()]);
      const computing = good.call(1_500);
      const outcome = await bad.call();
      assert.deepEqual(outcome, {
        kind: 'failed',
        why: 'crashed',
        message: 'it used more than its 128 MB of memory',
      });
      assert.equal(resultOf(await computing), 'good');
      assert.deepEqual(good.lines, []);
    }).timeout(40_000);
  }

  it('lets one live that drops what it kept, as long as it keeps little at a time', async () => {
    const one = await pools.make(
      handler(
        '',
        `const ring = [];
         for (let n = 0; n < 120; n++) { ring[n % 4] = Array.from({ length: 50_000 }, () => ({ n, more: [n] })); await new Promise((resolve) => setTimeout(resolve, 2)); }
         return ring.length`,
      ),
      { timeout: 30_000, memory: 48 },
    );
    assert.equal(resultOf(await one.call()), 4);
  }).timeout(40_000);

  it('lets one live that makes much garbage and keeps little', async () => {
    const one = await pools.make(
      handler(
        '',
        `let sum = 0;
         for (let n = 0; n < 300; n++) { sum += Buffer.alloc(4e6, 1).length; if (payload) await new Promise((resolve) => setTimeout(resolve, 1)); }
         for (let n = 0; n < 400; n++) sum += new Array(1e5).fill(n).map((x) => ({ x })).length;
         return sum`,
      ),
      { timeout: 30_000 },
    );
    for (const pauses of [true, false]) assert.equal(resultOf(await one.call(pauses)), 300 * 4e6 + 400 * 1e5);
    assert.ok(one.pool.memory() > 1e6);
  }).timeout(40_000);
});
