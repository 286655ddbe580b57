import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Activation, Connection } from '@sfx-deploy/plugin';
import { engineStatus } from '../src/index.js';
import { call, flip, handler, live, stage, type TestEngine, testEngine, urlOf } from './bench.js';

/** What a handler can be told to do. */
const INVOKE = `
  console.log('begun ' + JSON.stringify(payload));
  if (payload?.throw) throw new Error('as it was told');
  if (payload?.wait) await new Promise((resolve) => setTimeout(resolve, payload.wait));
  if (payload?.size) return 'x'.repeat(payload.size);
  if (payload?.count) { const fs = await import('node:fs'); fs.appendFileSync(payload.count, ctx.requestId + '\\n'); }
  return { got: payload };
`;

describe('activations', () => {
  let engine: TestEngine;
  let connection: Connection;
  let url: string;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    await live(connection, 'work', handler('return text("x", req.url.endsWith("bad") ? 503 : 200)', INVOKE), [
      'GET /work',
    ]);
    url = `${await urlOf(connection)}/work`;
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  const target = { alias: 'live', function: 'work' };
  const kill = async () => {
    const { pid } = await engineStatus(engine.run());
    process.kill(pid!, 'SIGKILL');
    // What is sent to one that is about to die may be sent in vain.
    const refused = (error: { code?: string }) => error.code === 'ECONNREFUSED';
    while (!(await call(`http://127.0.0.1:${engine.port}/`).then(() => false, refused))) await sleep(5);
  };
  const all = (query = {}) => connection.activations!({ limit: 1_000, ...query });
  const until = async (id: string, ...status: string[]): Promise<Activation> => {
    for (let n = 0; n < 400; n += 1) {
      const one = await connection.activation!(id);
      if (one !== undefined && status.includes(one.status)) return one;
      await sleep(25);
    }
    throw new Error(`${id} did not become ${status}: ${JSON.stringify(await connection.activation!(id))}`);
  };

  it('tell a call that somebody waited for: version, cause, times, result and its own lines', async () => {
    await Promise.all([connection.invoke(target, 1), connection.invoke(target, 'two')]);
    const [found] = (await all({ function: 'work' })).filter((one) => one.cause === 'invoke');
    const whole = await connection.activation!(found!.id);
    assert.equal(whole?.status, 'ok');
    assert.match(whole.version!, /^work@/);
    assert.equal(whole.release, 1);
    assert.equal(whole.attempt, 1);
    assert.ok(whole.durationMs! > 0 && typeof whole.cold === 'boolean');
    assert.ok(Math.abs(Date.parse(whole.asked) - Date.now()) < 60_000);
    const { got } = whole.result as { got: unknown };
    assert.ok(got === 1 || got === 'two');
    assert.deepEqual(
      whole.logs?.map((line) => [line.text, line.activation]),
      [[`begun ${JSON.stringify(got)}`, whole.id]],
    );
  });

  it('tell what failed and why, and can be asked for by status, function and time', async () => {
    await assert.rejects(connection.invoke(target, { throw: true }), { code: 'SFX6106' });
    const [failed] = await all({ status: 'failed' });
    assert.deepEqual(failed?.error, { code: 'SFX6106', message: 'as it was told' });
    assert.equal((await all({ status: 'failed' })).length, 1);
    assert.deepEqual(await all({ function: 'nobody' }), []);
    assert.deepEqual(await all({ since: new Date(Date.now() + 60_000) }), []);
    assert.equal((await all({ limit: 1 })).length, 1);
    assert.equal(await connection.activation!('unknown'), undefined);
    assert.equal(await connection.activation!('../../x'), undefined);
  });

  it('keep the beginning of a result that is too long', async () => {
    assert.equal(((await connection.invoke(target, { size: 100_000 })) as string).length, 100_000);
    const [newest] = await all({ limit: 1 });
    const { $cut } = (await connection.activation!(newest!.id))!.result as {
      $cut: { characters: number; text: string };
    };
    assert.equal($cut.characters, 100_002);
    assert.ok($cut.text.length < 20_000);
  });

  it('of calls over HTTP are there too; of those, failed ones also after kill -9, as all others', async () => {
    await call(url);
    await call(`${url}?bad`);
    await connection.invoke(target, 'kept');
    const before = await all();
    const http = before.filter((one) => one.cause === 'http');
    assert.deepEqual(http.map((one) => one.status).sort(), ['failed', 'ok']);
    await sleep(200);
    await kill();
    const after = await all();
    const lost = before.filter((one) => !after.some((two) => two.id === one.id));
    assert.deepEqual(
      lost.map((one) => [one.cause, one.status]),
      [['http', 'ok']],
    );
    const told = (some: readonly Activation[]) =>
      some.map(({ id, status, durationMs }) => [id, status, durationMs].join(' ')).sort();
    assert.deepEqual(told(after), told(before.filter((one) => !lost.includes(one))));
  });

  it('are the newest of all kinds, however many calls over HTTP came before', async () => {
    for (let n = 0; n < 5; n += 1) await call(url);
    await connection.invoke(target, 'later than those');
    assert.deepEqual(
      (await all({ limit: 3 })).map((one) => one.cause),
      ['invoke', 'http', 'http'],
    );
  });

  it('are files that only their owner reads, and no payload or result is in the engine log', async () => {
    const secret = 'S3CRET-payload';
    const id = await connection.invokeLater!(target, { secret });
    await until(id, 'ok');
    const dir = join(engine.home, 'stages/shop/dev/activations');
    const files = await readdir(dir);
    assert.ok(files.length > 0);
    for (const file of files) assert.equal((await stat(join(dir, file))).mode & 0o077, 0);
    assert.ok(!(await readFile(join(engine.home, 'engine.log'), 'utf8')).includes(secret));
  });

  it('of a call that is made later: its id at once, then its result', async () => {
    const id = await connection.invokeLater!(target, { wait: 300 });
    assert.ok(['waiting', 'running'].includes((await connection.activation!(id))!.status));
    const over = await until(id, 'ok');
    assert.deepEqual(over.result, { got: { wait: 300 } });
    assert.equal(over.cause, 'async');
    assert.equal(over.attempt, 1);
    assert.equal(over.logs?.length, 1);
    assert.equal((await all()).filter((one) => one.id === id).length, 1);
  });

  it('of one that fails tell that it is tried again, and in the end that it failed', async () => {
    const id = await connection.invokeLater!(target, { throw: true });
    const first = await until(id, 'retrying');
    assert.equal(first.error?.message, 'as it was told');
    const last = await until(id, 'failed');
    assert.equal(last.attempt, 3);
    assert.equal(last.logs?.filter((line) => line.stream === 'stdout').length, 3);
  });

  it('go on after kill -9: every call that was accepted is made', async () => {
    const path = join(engine.home, 'made');
    const ids: string[] = [];
    for (let n = 0; n < 60; n += 1) {
      ids.push(await connection.invokeLater!(target, { wait: 20, count: path, n }));
      if (n % 20 === 19) await kill();
    }
    for (const id of ids) assert.equal((await until(id, 'ok', 'failed')).status, 'ok');
    const made = new Set((await readFile(path, 'utf8')).trim().split('\n'));
    assert.deepEqual(
      ids.filter((id) => !made.has(id)),
      [],
    );
  });

  it('draw the version when the call is made', async () => {
    const old = (await connection.traffic.read({ id: 'live', units: [] })).table['work']!.stable;
    const next = await stage(connection, 'work', handler('return text(1)', 'return "next"'), {}, 2);
    const first = await connection.invokeLater!(target, { throw: true });
    await until(first, 'retrying');
    await flip(connection, { work: { stable: next.id } }, 1, 2);
    const gone = (await connection.versions.list('work')).find((one) => one.id === old)!;
    await connection.versions.remove(gone);
    const over = await until(first, 'ok');
    assert.deepEqual([over.version, over.release, over.result], [next.id, 2, 'next']);
  });

  it('of a version by its own id fail when it is gone', async () => {
    const [version] = await connection.versions.list('work');
    const ghost = { ...version!, id: 'work@000000000000' };
    const id = await connection.invokeLater!({ version: ghost, function: 'work' }, 1);
    assert.equal((await until(id, 'failed')).error?.code, 'SFX3105');
  });
});
