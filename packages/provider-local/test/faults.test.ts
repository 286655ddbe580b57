import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { Connection, Version } from '@sfx-deploy/plugin';
import { engineStatus } from '../src/index.js';
import { rejectsWith, until } from './assertions.js';
import { type Answer, call, handler, live, stage, type TestEngine, testEngine, urlOf } from './bench.js';

/** Gone, or only waiting to be counted as gone. */
function isOver(pid: number): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return status !== 0 || stdout.trim().startsWith('Z');
}

/** Each case is a handler that does real harm, and a neighbour that must not notice. */
describe('a handler that misbehaves', () => {
  let engine: TestEngine;
  let connection: Connection;
  let url: string;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    await live(connection, 'good', handler('return text("good")'), ['GET /good']);
    url = await urlOf(connection);
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });
  afterEach(async () => {
    assert.equal((await call(`${url}/good`)).text, 'good');
  });

  const bad = (http: string, path: string, config = {}, top = ''): Promise<Version> =>
    live(
      connection,
      path.slice(1),
      handler(`if (new URL(req.url).search === '?ok') return text('ok'); ${http}`, 'return payload', top),
      [`GET ${path}`],
      config,
    );
  const instances = async () => (await engineStatus(engine.run())).services[0]!.instances;
  const failed = (answer: Answer, status: number, code: string) => {
    assert.equal(answer.status, status, answer.text);
    assert.equal(JSON.parse(answer.text).error.code, code);
    assert.ok(answer.headers['x-sfx-version']);
  };
  const logsOf = async (version: Version) => {
    const lines: string[] = [];
    for await (const line of connection.logs!(version, new Date(0), false))
      lines.push(`${line.stream}: ${line.text}`);
    return lines;
  };

  it('by throwing while it loads does not come up, and its own words and place are told', async () => {
    const version = await stage(
      connection,
      'unloadable',
      handler('', '', '\nconst settings = undefined;\nsettings.key;'),
    );
    const { message } = await rejectsWith('SFX3106', connection.versions.warm(version));
    assert.match(
      message,
      /unloadable did not come up: TypeError: Cannot read properties of undefined \(reading 'key'\) \(at unloadable\.mjs:3:\d+\)/,
    );
    assert.match((await logsOf(version)).join('\n'), /stderr: TypeError: Cannot read/);
  });

  it('by not being one does not come up', async () => {
    for (const [name, code] of [
      ['no-export', 'export const x = 1'],
      ['no-syntax', 'export default {'],
      ['no-module', 'import "./gone.mjs"; export default 1'],
    ] as const) {
      await rejectsWith('SFX3106', connection.versions.warm(await stage(connection, name, code)));
    }
  });

  it('by ending the process while it loads does not come up', async () => {
    const version = await stage(connection, 'exits', handler('', '', 'process.exit(3);'));
    const { message } = await rejectsWith('SFX3106', connection.versions.warm(version));
    assert.match(message, /code 3/);
  });

  it('by throwing answers 500, and nothing of its message goes to the caller', async () => {
    const version = await bad('throw new Error("secret detail")', '/throws');
    const answer = await call(`${url}/throws`);
    failed(answer, 500, 'SFX6106');
    assert.doesNotMatch(answer.text, /secret detail/);
    assert.match((await logsOf(version)).join('\n'), /stderr: Error: secret detail \(at /);
    assert.equal((await call(`${url}/throws?ok`)).text, 'ok');
  });

  it('by process.exit loses only its own call; the next one has a fresh instance', async () => {
    await bad('process.exit(1)', '/exit');
    failed(await call(`${url}/exit`), 502, 'SFX6107');
    assert.equal((await call(`${url}/exit?ok`)).text, 'ok');
  });

  it('by an endless loop runs into its timeout, is replaced, and the next call is served', async () => {
    await bad('for (;;) {}', '/loop', { timeout: 300 });
    const before = await instances();
    failed(await call(`${url}/loop`), 504, 'SFX6108');
    assert.equal((await call(`${url}/loop?ok`)).text, 'ok');
    await until(async () => (await instances()) <= before);
  });

  it('by never answering runs into its timeout, and calls beside it are served', async () => {
    await bad('await new Promise(() => {})', '/never', { timeout: 300 });
    const [stuck, fine] = await Promise.all([call(`${url}/never`), call(`${url}/never?ok`)]);
    failed(stuck, 504, 'SFX6108');
    assert.equal(fine.text, 'ok');
    assert.equal((await call(`${url}/never?ok`)).text, 'ok');
  });

  it('by an unhandled rejection loses the calls of its instance; the next one has a fresh instance', async () => {
    const version = await bad(
      'Promise.reject(new Error("nobody caught me")); await new Promise(() => {})',
      '/reject',
    );
    failed(await call(`${url}/reject`), 502, 'SFX6107');
    assert.equal((await call(`${url}/reject?ok`)).text, 'ok');
    assert.match((await logsOf(version)).join('\n'), /engine: .*nobody caught me/);
  });

  it('by filling its heap is stopped at its memory', async () => {
    const version = await bad('const all = []; for (;;) all.push(new Array(10_000).fill({}))', '/heap', {
      memory: 64,
      timeout: 20_000,
    });
    failed(await call(`${url}/heap`), 502, 'SFX6107');
    assert.equal((await call(`${url}/heap?ok`)).text, 'ok');
    assert.match((await logsOf(version)).join('\n'), /more than its 64 MB of memory/);
  });

  it('by filling Buffers without a pause is stopped at its memory, and its neighbours answer meanwhile', async () => {
    const version = await bad('const all = []; for (;;) all.push(Buffer.alloc(50e6, 1))', '/buffers', {
      memory: 128,
      timeout: 20_000,
    });
    const bomb = call(`${url}/buffers`);
    for (let n = 0; n < 20; n++) assert.equal((await call(`${url}/good`)).text, 'good');
    failed(await bomb, 502, 'SFX6107');
    assert.equal((await call(`${url}/buffers?ok`)).text, 'ok');
    assert.match((await logsOf(version)).join('\n'), /more than its 128 MB of memory/);
  });

  it('by killing its own process is told that it may not', async () => {
    await bad('process.kill(process.pid, "SIGKILL"); return text("alive")', '/kill');
    failed(await call(`${url}/kill`), 500, 'SFX6106');
  });

  it('by starting processes leaves none when it ends', async () => {
    await bad(
      `const pids = []; for (let n = 0; n < 5; n++) pids.push(spawn('sleep', ['300'], { detached: n % 2 === 0 }).pid);
       await new Promise((resolve) => setTimeout(resolve, 50)); setTimeout(() => process.exit(), 20); return text(pids.join())`,
      '/spawn',
      {},
      'import { spawn } from "node:child_process";',
    );
    const pids = (await call(`${url}/spawn`)).text.split(',').map(Number);
    assert.equal(pids.length, 5);
    await until(() => pids.every((pid) => isOver(pid)));
  });

  it('by never giving back what it began to stream runs into its timeout', async () => {
    await bad(
      'return { status: 200, headers: [], body: null, stream: (async function* () { for (;;) { yield new Uint8Array(5); await new Promise((resolve) => setTimeout(resolve, 10)); } })() }',
      '/stream',
      { timeout: 300 },
    );
    await assert.rejects(call(`${url}/stream`));
    assert.equal((await call(`${url}/stream?ok`)).text, 'ok');
  });

  it('by writing without end costs lines, not the engine', async () => {
    const version = await bad(
      'for (let n = 0; n < 200_000; n++) console.log("x".repeat(200)); return text("wrote")',
      '/logs',
      { timeout: 20_000 },
    );
    assert.equal((await call(`${url}/logs`)).status, 200);
    assert.ok((await logsOf(version)).length > 0);
  });

  it("sees its own environment, not the daemon's, nor another function's", async () => {
    await bad('return text(JSON.stringify(process.env))', '/env', { environment: { MINE: 'mine' } });
    await bad('return text(JSON.stringify(process.env))', '/other', { environment: { OTHER: 'other' } });
    const seen = JSON.parse((await call(`${url}/env`)).text) as Record<string, string>;
    assert.equal(seen['MINE'], 'mine');
    assert.equal(seen['OTHER'], undefined);
    assert.deepEqual(
      Object.keys(seen)
        .filter((name) => name.startsWith('SFX_'))
        .sort(),
      ['SFX_EVENTS_URL', 'SFX_URL'],
    );
  });
});
