import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './assertions.js';
import { handler } from './bench.js';
import { resultOf, type TestPools, testPools } from './pools.js';

/** Computes for so many milliseconds, and says when it began and ended. */
const COMPUTE =
  'const began = performance.timeOrigin + performance.now(); const end = Date.now() + payload; while (Date.now() < end); return [began, performance.timeOrigin + performance.now()]';
const WAIT = 'await new Promise((resolve) => setTimeout(resolve, payload)); return 1';

/** Most of these spans that overlap at any time. */
function together(spans: readonly (readonly [number, number])[]): number {
  return Math.max(...spans.map(([at]) => spans.filter(([from, to]) => from <= at && at < to).length));
}

describe('instances of one version', () => {
  let pools: TestPools;
  beforeEach(async () => {
    pools = await testPools();
  });
  afterEach(() => pools.close());

  it('grow to as many as the function may have while calls compute', async () => {
    const { call, pool } = await pools.make(handler('', COMPUTE), { instances: 4 });
    const spans = await Promise.all(Array.from({ length: 4 }, () => call(800)));
    assert.equal(together(spans.map(resultOf) as [number, number][]), 4);
    assert.equal(pool.instances(), 4);
    await Promise.all(Array.from({ length: 12 }, () => call(20)));
    assert.equal(pool.instances(), 4);
  });

  it('take calls that wait for something together', async () => {
    const { call, pool } = await pools.make(handler('', WAIT), { instances: 4 });
    await call(1);
    await Promise.all(Array.from({ length: 30 }, () => call(150)));
    assert.ok(pool.instances() <= 2);
  });

  it('take one call each where the file says so', async () => {
    const top = 'let running = 0;';
    const { call, pool } = await pools.make(
      handler(
        '',
        `running++; const seen = running; ${WAIT.replace('return 1', 'running--; return seen')}`,
        top,
      ),
      { instances: 3, calls: 1 },
    );
    const seen = await Promise.all(Array.from({ length: 9 }, () => call(80)));
    assert.deepEqual(new Set(seen.map(resultOf)), new Set([1]));
    assert.equal(pool.instances(), 3);
  });

  it('do not hold up calls behind one that computes', async () => {
    const { call } = await pools.make(handler('', COMPUTE), { instances: 2 });
    await Promise.all([call(50), call(50), call(50)]);
    const long = call(1_500);
    const began = Date.now();
    for (let n = 0; n < 5; n++) await call(1);
    const short = Date.now() - began;
    const [from, to] = resultOf(await long) as [number, number];
    assert.ok(short < to - from, `${short} ms`);
  });

  it('go back to none when nobody calls, and come back with the next call, which is a cold one', async () => {
    const short = await testPools({ idleMs: 60_000 });
    try {
      const { call, pool } = await short.make(handler('', 'return 1'), { instances: 2 });
      assert.equal((await call()).cold, true);
      assert.equal((await call()).cold, undefined);
      pool.sweep(Date.now() + 30_000);
      assert.equal(pool.instances(), 1);
      pool.sweep(Date.now() + 61_000);
      await until(() => pool.instances() === 0);
      assert.equal((await call()).cold, true);
    } finally {
      await short.close();
    }
  });

  it('give calls that they never began to another when they end', async () => {
    const { call, lines } = await pools.make(
      handler('', 'if (payload === "exit") process.exit(7); return payload'),
      { instances: 1 },
    );
    for (let n = 0; n < 20; n++) await call(n);
    const ends = call('exit');
    const others = await Promise.all([1, 2, 3, 4, 5].map((n) => call(n)));
    assert.deepEqual(await ends, { kind: 'failed', why: 'crashed', message: 'it exited with code 7' });
    assert.deepEqual(others.map(resultOf), [1, 2, 3, 4, 5]);
    assert.ok(lines.some((line) => line.includes('exited with code 7')));
  });

  for (const isolation of ['thread', 'process'] as const) {
    it(`never begin a call twice, whatever it ended (${isolation})`, async () => {
      const file = join(pools.dir, 'begun');
      const { call } = await pools.make(
        handler(
          '',
          `appendFileSync(${JSON.stringify(file)}, String(payload));
           if (payload !== 'x') return payload;
           await new Promise((resolve) => setTimeout(resolve, 20));
           process.exit(7);`,
          `import { appendFileSync } from 'node:fs';`,
        ),
        { instances: 1, isolation },
      );
      assert.equal(resultOf(await call('a')), 'a');
      assert.equal((await call('x')).kind, 'failed');
      assert.equal(resultOf(await call('b')), 'b');
      assert.equal(readFileSync(file, 'utf8'), 'axb');
    });
  }

  it('are ended with the processes that they started', async () => {
    const seconds = 600 + Math.random();
    const { call, pool } = await pools.make(
      handler(
        '',
        `const { spawn, spawnSync } = await import('node:child_process');
         if (payload === 'wait') return spawnSync('sleep', [process.env.SECONDS]).status;
         const child = spawn('sleep', [process.env.SECONDS], payload === 'own group' ? { detached: true } : {});
         await new Promise((resolve) => child.on('spawn', resolve));
         setTimeout(() => process.exit(1), 20);
         await new Promise(() => {});`,
      ),
      { timeout: 500, instances: 1, environment: { SECONDS: String(seconds) } },
    );
    for (const how of ['same group', 'own group']) assert.equal((await call(how)).kind, 'failed');
    const began = Date.now();
    const waited = await call('wait');
    assert.equal(waited.kind === 'failed' && waited.why, 'timeout');
    await until(() => pool.instances() === 0 && sleepers(seconds) === 0);
    assert.ok(Date.now() - began < 60_000);
  });
});

describe('instances of several versions', () => {
  let pools: TestPools;
  beforeEach(async () => {
    pools = await testPools({ most: 4 });
  });
  afterEach(() => pools.close());

  it('leave a first one for each, however many another has', async () => {
    const flood = await pools.make(handler('', COMPUTE), { instances: 4 });
    const other = await pools.make(handler('', 'return "here"'));
    const flooding = Promise.all(Array.from({ length: 60 }, () => flood.call(100)));
    await until(() => flood.pool.instances() === 4);
    assert.equal(resultOf(await other.call()), 'here');
    await flooding;
  });

  it('go from one that has many to one that waits', async () => {
    const flood = await pools.make(handler('', COMPUTE), { instances: 4 });
    const other = await pools.make(handler('', COMPUTE), { instances: 4 });
    let on = true;
    const client = async () => {
      while (on) await flood.call(50);
    };
    const clients = Array.from({ length: 8 }, client);
    await until(() => flood.pool.instances() === 4);
    const second = async () => {
      while (on) await other.call(50);
    };
    const seconds = Array.from({ length: 8 }, second);
    await until(() => other.pool.instances() >= 2 && flood.pool.instances() <= 3);
    on = false;
    await Promise.all([...clients, ...seconds]);
    assert.ok(flood.pool.instances() + other.pool.instances() <= 5);
  });
});

/** Processes of the test above that run. */
function sleepers(seconds: number): number {
  let count = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? 'Z';
      if (line[0] === 'sleep' && line[1] === String(seconds) && !state.startsWith('Z')) count += 1;
    } catch {
      // It ended meanwhile.
    }
  }
  return count;
}
