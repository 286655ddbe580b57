import assert from 'node:assert/strict';
import { until } from './assertions.js';
import { handler } from './bench.js';
import { resultOf, type TestPools, testPools } from './pools.js';

const pause = 'await new Promise((resolve) => setTimeout(resolve, 20));';

describe('what an instance writes', () => {
  let pools: TestPools;
  before(async () => {
    pools = await testPools();
  });
  after(() => pools.close());

  it('is known by the call that wrote it, whichever way it was written', async () => {
    const { call, lines } = await pools.make(
      handler(
        '',
        `console.log('log %d', 1); console.error('error'); process.stdout.write('par'); process.stdout.write('tial\\n');
         writeSync(1, 'descriptor\\n'); write(2, Buffer.from('..written\\n'), 2, () => {}); process.stdout.write(Buffer.from('ünï').subarray(0, 4)); process.stdout.write(Buffer.from('ünï').subarray(4));
         ${pause} console.log('after'); return 1`,
        `import { writeSync, write } from 'node:fs'; console.log('loading');`,
      ),
    );
    await call();
    const [id] = ['f1-1'];
    await until(() => lines.some((line) => line.includes('after')));
    assert.deepEqual(lines, [
      'stdout: loading',
      `stdout: log 1 [${id}]`,
      `stderr: error [${id}]`,
      `stdout: partial [${id}]`,
      `stdout: descriptor [${id}]`,
      `stderr: written [${id}]`,
      `stdout: ünïafter [${id}]`,
    ]);
  });

  it('is told apart between calls at the same time, after the first that could not be', async () => {
    const { call, lines } = await pools.make(
      handler('', `console.log('begin ' + payload); ${pause} console.log('end ' + payload); return payload`),
      { instances: 1 },
    );
    await call(0);
    const round = async (from: number) => {
      lines.length = 0;
      const ids = [1, 2, 3].map((n) => `r${from + n}`);
      await Promise.all(ids.map((requestId) => call(requestId, { requestId })));
      return ids;
    };
    const first = await round(0);
    for (const id of first) {
      assert.ok(lines.includes(`stdout: begin ${id} [${id}]`), lines.join('\n'));
      assert.ok(
        lines.includes(`stdout: end ${id}`) || lines.includes(`stdout: end ${id} [${id}]`),
        lines.join('\n'),
      );
    }
    for (const id of await round(3)) {
      assert.ok(lines.includes(`stdout: begin ${id} [${id}]`), lines.join('\n'));
      assert.ok(lines.includes(`stdout: end ${id} [${id}]`), lines.join('\n'));
    }
  });

  it('is there when the answer is', async () => {
    const { call, lines } = await pools.make(
      handler('', 'console.log("a"); console.log("b"); console.log("c"); return 1'),
    );
    await call();
    assert.equal(lines.length, 3);
  });

  it('is there when it never yields, and when it ends', async () => {
    const { call, lines } = await pools.make(
      handler(
        '',
        'if (payload === "loop") { console.log("into the loop"); for (;;); } console.log("no end of line"); process.stdout.write("open"); process.exit(1)',
      ),
      { timeout: 300, instances: 1 },
    );
    await call('loop');
    assert.ok(lines.some((line) => line.startsWith('stdout: into the loop [')));
    await call('exit');
    assert.ok(lines.some((line) => line.startsWith('stdout: open [')));
  });

  it('in gigabytes is cut to a megabyte a second, and that is said', async () => {
    const { call, lines } = await pools.make(
      handler(
        '',
        'const text = "x".repeat(1000); let n = 0; for (const end = Date.now() + 1200; Date.now() < end; n++) console.log(text); process.stdout.write("y".repeat(50e6)); return n',
      ),
      { timeout: 20_000 },
    );
    const written = resultOf(await call()) as number;
    assert.ok(written > 5_000);
    await until(() => lines.filter((line) => line.includes('were not kept')).length >= 2);
    const kept = lines
      .filter((line) => line.startsWith('stdout: '))
      .reduce((sum, line) => sum + line.length, 0);
    assert.ok(kept < 4 * 1024 * 1024, `${kept}`);
    assert.match(
      lines.filter((line) => line.includes('were not kept')).join('\n'),
      /engine: \d+(\.\d)? MB of output were not kept: an instance may write 1 MB in a second/,
    );
  }).timeout(20_000);

  it('of code that no call runs carries no call', async () => {
    const { call, lines } = await pools.make(
      handler('', 'setTimeout(() => console.log("later"), 30); return 1'),
    );
    await call();
    await until(() => lines.length > 0);
    assert.deepEqual(lines, ['stdout: later']);
  });
});
