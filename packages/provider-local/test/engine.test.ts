import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineStatus, startEngine, stopEngine } from '../src/index.js';
import { rejectsWith, until } from './assertions.js';
import {
  ALIAS,
  call,
  flip,
  handler,
  live,
  SCOPE,
  stage,
  type TestEngine,
  testEngine,
  urlOf,
} from './bench.js';

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the engine', () => {
  let engine: TestEngine;
  beforeEach(async () => {
    engine = await testEngine();
  });
  afterEach(() => engine.close());

  it('is started by the first connection, says so, and is found by the second', async () => {
    await using first = await engine.connect();
    assert.equal(first.identity.where, `local engine http://127.0.0.1:${engine.port}`);
    assert.match(first.identity.note ?? '', /^started, pid \d+, stops with `sfx local stop`$/);
    await using second = await engine.connect();
    assert.equal(second.identity.note, undefined);
  });

  it('keeps its home, token and environment values from other users', async () => {
    await using connection = await engine.connect();
    await live(connection, 'hello', handler('return text(process.env.KEY)'), ['GET /'], {
      environment: { KEY: 'v-1' },
    });
    assert.equal((await call(await urlOf(connection))).text, 'v-1');
    assert.equal((await stat(engine.home)).mode & 0o777, 0o700);
    const entries = await readdir(engine.home, { recursive: true, withFileTypes: true });
    assert.ok(entries.some((entry) => entry.name === 'version.json'));
    for (const entry of entries) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      assert.equal(mode & 0o077, 0, `${entry.name} is for its owner only`);
    }
  });

  it('is one, however many commands start it at once', async () => {
    const started = await Promise.all(Array.from({ length: 4 }, () => startEngine(engine.run())));
    assert.equal(new Set(started.map((one) => one.pid)).size, 1);
    assert.equal(started.filter((one) => one.started).length, 1);
  });

  it('is one, however many processes start it at once', async () => {
    const script = join(import.meta.dirname, 'fixtures', 'start.ts');
    const flags = ['--conditions=sfx-source', '--import', 'tsx'];
    const env = {
      PATH: process.env['PATH'],
      SFX_LOCAL_HOME: engine.home,
      SFX_LOCAL_PORT: String(engine.port),
    };
    const pids = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, [...process.execArgv, ...flags, script], {
          env,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const chunks: Buffer[] = [];
        child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
        await once(child, 'close');
        return Buffer.concat(chunks).toString();
      }),
    );
    assert.match(pids[0]!, /^\d+$/);
    assert.equal(new Set(pids).size, 1, `all found the same: ${pids.join(', ')}`);
  });

  it('comes back with all that it kept after kill -9, by the next call', async () => {
    await using connection = await engine.connect();
    const version = await live(connection, 'hello', handler('return text("hi")'), ['GET /hello']);
    const before = { alias: await connection.traffic.read(ALIAS), url: await urlOf(connection) };
    const { pid } = await engineStatus(engine.run());
    process.kill(pid!, 'SIGKILL');
    await until(() => !runs(pid!));
    assert.equal((await engineStatus(engine.run())).running, false);

    assert.deepEqual(await connection.traffic.read(ALIAS), before.alias);
    assert.equal(await urlOf(connection), before.url);
    assert.deepEqual(await connection.versions.list('hello'), [version]);
    assert.equal((await call(`${before.url}/hello`)).text, 'hi');
  });

  it('is old or new, never between, when it is killed while it writes', async () => {
    await using connection = await engine.connect();
    const first = await live(connection, 'hello', handler('return text(0)', 'return 0'), []);
    const made = [first];
    for (let round = 1; round <= 6; round += 1) {
      const { pid } = await engineStatus(engine.run());
      const killed = new Promise<void>((resolve) => setTimeout(resolve, round * 4)).then(() =>
        process.kill(pid!, 'SIGKILL'),
      );
      // What the kill cut off is sent again: it counts as done once.
      const version = await stage(
        connection,
        'hello',
        handler(`return text(${round})`, `return ${round}`),
        {},
        round,
      );
      made.push(version);
      await flip(connection, { hello: { stable: version.id } }, round, round);
      await killed;
      await until(() => !runs(pid!));
      assert.equal((await connection.traffic.read(ALIAS)).table['hello']?.stable, version.id);
      assert.equal(await connection.invoke({ alias: 'live', function: 'hello' }, null), round);
    }
    const kept = (await connection.versions.list('hello')).map((version) => version.id).sort();
    assert.deepEqual(kept, made.map((version) => version.id).sort());
    assert.deepEqual(await readdir(join(engine.home, 'tmp')), []);
  });

  it('removes what a killed daemon left half done', async () => {
    await using connection = await engine.connect();
    await live(connection, 'hello', handler('return text("hi")'), []);
    const { pid } = await engineStatus(engine.run());
    process.kill(pid!, 'SIGKILL');
    await until(() => !runs(pid!));
    await writeFile(join(engine.home, 'tmp', 'half'), 'of a version');
    assert.equal((await connection.versions.list('hello')).length, 1);
    assert.deepEqual(await readdir(join(engine.home, 'tmp')), []);
  });

  it('does not take another process of the same number for a dead daemon', async () => {
    const { pid } = await startEngine(engine.run());
    process.kill(pid, 'SIGKILL');
    await until(() => !runs(pid));
    const info = JSON.parse(await readFile(join(engine.home, 'engine.json'), 'utf8')) as object;
    // This process runs, and did not start when the daemon did.
    await writeFile(join(engine.home, 'engine.json'), JSON.stringify({ ...info, pid: process.pid }));
    const again = await startEngine(engine.run());
    assert.equal(again.started, true);
  });

  it('tells what it runs, and stops when asked', async () => {
    await using connection = await engine.connect();
    await live(connection, 'hello', handler('return text("hi")'), ['GET /']);
    const status = await engineStatus(engine.run());
    assert.equal(status.running, true);
    assert.equal(status.url, `http://127.0.0.1:${engine.port}`);
    const url = await urlOf(connection);
    const none = { queues: [], buckets: [] };
    assert.deepEqual(status.services, [
      { ...SCOPE, url, functions: ['hello'], versions: 1, instances: 1, ...none },
    ]);
    const stopped = await stopEngine(engine.run());
    assert.equal(stopped.stopped, true);
    assert.equal(runs(status.pid!), false);
    assert.equal((await stopEngine(engine.run())).stopped, false);
    assert.deepEqual(await engineStatus(engine.run()), { running: false, home: engine.home, services: [] });
  });

  it('lets calls finish when it is stopped', async () => {
    await using connection = await engine.connect();
    await live(
      connection,
      'slow',
      handler('await new Promise((r) => setTimeout(r, 400)); return text("done")'),
      ['GET /'],
    );
    const url = await urlOf(connection);
    const answer = call(url);
    await until(async () => (await connection.invoke({ alias: 'live', function: 'slow' }, null)) === null);
    const [done] = await Promise.all([answer, stopEngine(engine.run())]);
    assert.equal(done.text, 'done');
  });
});

describe('the port of the engine', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'sfx-local-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('is refused when it was asked for and another program has it, which is named', async () => {
    const engine = await testEngine();
    const other = createServer().listen(engine.port, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { message } = await rejectsWith('SFX6002', startEngine(engine.run()));
      assert.match(message, new RegExp(`port ${engine.port} is taken by `));
      if (process.platform === 'linux') assert.match(message, new RegExp(`process ${process.pid} \\(`));
    } finally {
      other.close();
      await engine.close();
    }
  });

  it('is the next free one, and that is said, when nobody asked for one', async () => {
    const other = createServer().listen(4100, '127.0.0.1');
    // Taken already, perhaps by the engine of the person who runs the tests: that will do as well.
    await new Promise((resolve) => other.once('listening', resolve).once('error', resolve));
    const engine = await testEngine();
    const run = engine.run({ SFX_LOCAL_PORT: '' });
    try {
      const { url, note } = await startEngine(run);
      assert.ok(Number(new URL(url).port) > 4100);
      assert.match(note ?? '', /^port 4100 is taken by /);
    } finally {
      await stopEngine(run);
      other.close();
      await engine.close();
    }
  });

  it('of a service moves on when it was taken meanwhile, and the status says so', async () => {
    const engine = await testEngine();
    await using connection = await engine.connect();
    await live(connection, 'hello', handler('return text("hi")'), ['GET /']);
    const before = Number(new URL(await urlOf(connection)).port);
    await stopEngine(engine.run());
    const other = createServer().listen(before, '127.0.0.1');
    await once(other, 'listening');
    try {
      const url = await urlOf(connection);
      assert.notEqual(Number(new URL(url).port), before);
      assert.equal((await call(url)).text, 'hi');
      const { services } = await engineStatus(engine.run());
      assert.match(services[0]?.note ?? '', new RegExp(`^port ${before} was taken`));
    } finally {
      other.close();
      await engine.close();
    }
  });

  it('must be one', async () => {
    const engine = await testEngine();
    await rejectsWith('SFX6010', startEngine(engine.run({ SFX_LOCAL_PORT: '99999' })));
    await engine.close();
  });

  it('and the home must be fit for it', async () => {
    const engine = await testEngine();
    const startIn = (folder: string) => startEngine(engine.run({ SFX_LOCAL_HOME: folder }));
    await chmod(home, 0o777);
    await rejectsWith('SFX6005', startIn(home));
    await chmod(home, 0o700);
    await writeFile(join(home, 'file'), '');
    await rejectsWith('SFX6005', startIn(join(home, 'file', 'below')));
    await rejectsWith('SFX6005', startIn('relative'));
    await engine.close();
  });
});
