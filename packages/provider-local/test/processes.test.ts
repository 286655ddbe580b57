import assert, { rejects } from 'node:assert/strict';
import { isRunning, startOf } from '../src/processes.js';
import { until } from './assertions.js';
import { nodeFiles, processBench } from './process-bench.js';

describe('a Node handler in a process of its own', () => {
  const { start, close } = processBench();
  afterEach(close);
  const node = (invoke: string, config = {}, environment = {}, top = '') =>
    start({ config, environment, files: nodeFiles(invoke, top) });

  it('answers, in its folder, with its environment and nothing of the engine’s', async () => {
    process.env['OF_THE_ENGINE'] = 'secret';
    const one = await node(
      'return { cwd: process.cwd(), env: process.env, ipc: typeof process.send }',
      {},
      { OWN: 'x' },
    );
    await one.ready;
    const { cwd, env, ipc } = (await one.invoke(null)) as {
      cwd: string;
      env: Record<string, string>;
      ipc: string;
    };
    delete process.env['OF_THE_ENGINE'];
    assert.equal(cwd, one.folder);
    assert.equal(env['OWN'], 'x');
    assert.equal(ipc, 'undefined');
    assert.deepEqual(
      Object.keys(env).filter(
        (name) => !['PATH', 'OWN', 'SFX_INSTANCE', 'PWD', 'OLDPWD', '_', 'SHLVL'].includes(name),
      ),
      [],
    );
  });

  it('says why it does not load', async () => {
    const one = await node('', {}, {}, 'throw new Error("no table");');
    await rejects(one.ready, /no table.*stats\.mjs/);
  });

  for (const [what, code, why] of [
    [
      'crashes in native code',
      "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})",
      /SIGSEGV/,
    ],
    ['aborts', 'process.abort()', /SIGABRT|code 134/],
    ['kills itself', "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})", /SIGKILL/],
    ['exits', 'process.exit(3)', /code 3/],
    [
      'throws where nobody catches',
      "setTimeout(() => { throw new Error('late') }); await new Promise(() => {})",
      /nobody caught: late/,
    ],
    [
      'rejects where nobody catches',
      "Promise.reject(new Error('unseen')); await new Promise(() => {})",
      /nobody caught: unseen/,
    ],
    [
      'fills its heap',
      'const keep = []; for (;;) keep.push(new Array(1000).fill(String(Math.random())))',
      /128 MB of memory/,
    ],
    [
      'fills buffers',
      'const keep = []; for (;;) { keep.push(Buffer.alloc(20e6, 1)); await new Promise((r) => setTimeout(r, 5)) }',
      /128 MB of memory/,
    ],
    [
      'fills buffers without a pause',
      'const keep = []; for (;;) keep.push(Buffer.alloc(20e6, 1))',
      /128 MB of memory/,
    ],
  ] as const) {
    it(`that ${what} ends alone`, async () => {
      const one = await node(code);
      await one.ready;
      await rejects(one.invoke(null), why);
      assert.match(await one.gone, why);
    });
  }

  it('takes what it started with it, also when it ends by itself', async () => {
    const one = await node(`
      if (payload === 'exit') process.exit(1);
      const { spawn } = await import('node:child_process');
      return spawn('sleep', ['300'], { stdio: 'inherit' }).pid`);
    await one.ready;
    const pid = (await one.invoke(null)) as number;
    const began = startOf(pid)!;
    assert.ok(isRunning(pid, began));
    await rejects(one.invoke('exit'), /code 1/);
    await until(() => !isRunning(pid, began));
  });

  it('takes also what left its group', async function () {
    // Elsewhere the system does not show the environment of a process.
    if (process.platform !== 'linux') this.skip();
    for (const last of ['exit', 'hang']) {
      const one = await node(`
        if (payload === 'exit') process.exit(1);
        if (payload === 'hang') for (;;);
        const { spawn } = await import('node:child_process');
        const child = spawn('/bin/sh', ['-c', 'sleep 300 & wait'], { stdio: 'ignore', detached: true });
        child.unref();
        return child.pid`);
      await one.ready;
      const pid = (await one.invoke(null)) as number;
      const began = startOf(pid)!;
      assert.ok(isRunning(pid, began));
      one.invoke(last).catch(() => undefined);
      if (last === 'hang') one.instance.terminate();
      await one.gone;
      await until(() => !isRunning(pid, began));
    }
  });

  it('that answers neither calls nor SIGTERM is ended', async () => {
    const one = await node(
      "process.on('SIGTERM', () => undefined); console.log('in'); setTimeout(() => { for (;;); }, 1); await new Promise(() => {})",
    );
    await one.ready;
    one.invoke(null).catch(() => undefined);
    await until(() => one.lines('stdout').includes('in'));
    one.instance.terminate();
    assert.match(await one.gone, /SIGKILL/);
  });

  it('gets SIGTERM first, and may tidy up', async () => {
    const one = await node("process.on('SIGTERM', () => { console.log('tidy'); process.exit(0) }); return 1");
    await one.ready;
    await one.invoke(null);
    one.instance.terminate();
    assert.match(await one.gone, /code 0/);
    assert.deepEqual(one.lines('stdout'), ['tidy']);
  });

  it('tells which call wrote a line, also past console', async () => {
    const one = await node(
      "const { writeSync } = await import('node:fs'); console.log('a'); writeSync(1, 'raw\\n'); await new Promise((r) => setTimeout(r, 50)); return 1",
    );
    await one.ready;
    await one.invoke(null);
    await until(() => one.wrote.length === 2);
    assert.deepEqual(one.wrote.map(({ text, activation }) => [text, activation]).sort(), [
      ['a', 'call-1'],
      ['raw', 'call-1'],
    ]);
  });

  it('whose children write without end costs lines, not the engine', async () => {
    const one = await node(`
      const { spawnSync } = await import('node:child_process');
      spawnSync('/bin/sh', ['-c', 'yes 12345678901234567890 | head -c 60000000'], { stdio: 'inherit' });
      return 'done'`);
    await one.ready;
    const began = performance.now();
    let most = 0;
    let last = began;
    const beat = setInterval(() => {
      most = Math.max(most, performance.now() - last);
      last = performance.now();
    }, 5);
    assert.equal(await one.invoke(null), 'done');
    clearInterval(beat);
    await until(() => one.lines('engine').length > 0);
    assert.ok(one.lines('stdout').length < 500_000);
    assert.match(one.lines('engine')[0]!, /^\d+ lines on stdout were dropped/);
    assert.ok(most < 1_000, `the engine stood still for ${most} ms`);
  });

  it('carries bytes of every kind both ways', async () => {
    const one = await start({
      config: {},
      files: {
        'stats.mjs':
          'export default { async http(req) { return { status: 201, headers: [["x-a", "1"], ["x-a", "2"]], body: req.body.reverse() } }, async invoke() {} }',
      },
    });
    await one.ready;
    const body = Uint8Array.from({ length: 300_000 }, (_, n) => n % 251);
    const [, status, headers, back] = await one.call({ kind: 'http', method: 'POST', body });
    assert.equal(status, 201);
    assert.deepEqual(headers, ['x-a', '1', 'x-a', '2']);
    assert.deepEqual(Buffer.from(back as Uint8Array), Buffer.from(body).reverse());
  });
});
