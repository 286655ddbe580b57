import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { Connection, Version } from '@sfx-deploy/plugin';
import { digestOf } from '@sfx-deploy/plugin';
import { engineStatus, stopEngine } from '../src/index.js';
import { isRunning, startOf } from '../src/processes.js';
import { rejectsWith, until } from './assertions.js';
import {
  ALIAS,
  artifactOf,
  type Config,
  call,
  flip,
  handler,
  route,
  type TestEngine,
  testEngine,
  unitOf,
  urlOf,
} from './bench.js';
import { needsPython } from './needs-python.js';
import { pythonFiles } from './process-bench.js';

type More = Config & { runtime?: string; isolation?: string; command?: string[]; calls?: number };

/** Instances that are processes, behind an engine as users have it. */
describe('processes of an engine', () => {
  before(needsPython);
  let engine: TestEngine;
  let connection: Connection;
  beforeEach(async () => {
    engine = await testEngine();
    connection = await engine.connect();
  });
  afterEach(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  const staged = (
    name: string,
    code: string,
    files: Record<string, string>,
    config: More,
  ): Promise<Version> => {
    const artifact = artifactOf(name, code, files);
    const unit = unitOf(name, config);
    return connection.versions.stage(unit, digestOf([artifact.digest, unit.config]), artifact, {
      release: 1,
      fence: 1,
    });
  };
  /** Live at `GET /<name>`. */
  const live = async (name: string, code: string, files: Record<string, string>, config: More) => {
    const version = await staged(name, code, files, config);
    await connection.versions.warm(version);
    const { table } = await connection.traffic.read(ALIAS);
    await flip(connection, { ...table, [name]: { stable: version.id } });
    await route(connection, name, `ANY /${name}/{rest+}`);
    return version;
  };
  const at = async (path: string) => call(`${await urlOf(connection)}${path}`);
  const pidOf = async () => (await engineStatus(engine.run())).pid!;
  const linesOf = async (version: Version) => {
    const lines: { stream: string; text: string; activation?: string }[] = [];
    for await (const line of connection.logs!(version, new Date(0), false)) lines.push(line as never);
    return lines;
  };
  const PYTHON = `import os, subprocess
def handler(event, context):
    print("seen", event["rawPath"])
    if event["rawPath"].endswith("hang"):
        while True:
            pass
    if event["rawPath"].endswith("child"):
        return {"statusCode": 200, "body": json_of([os.getpid(), subprocess.Popen(["sleep", "300"]).pid])}
    return {"statusCode": 201, "headers": {"x-own": "1"}, "body": str(os.getpid())}
def json_of(value):
    import json
    return json.dumps(value)
`;
  const python = (config: More = {}) => {
    const { 'stats.json': entry, ...files } = pythonFiles(PYTHON);
    return live('py', '', { 'py.json': entry!, ...files }, { runtime: 'python3', ...config });
  };
  const SERVER = `const { spawn } = require('node:child_process');
require('node:http').createServer((req, res) => {
  if (req.url.endsWith('hang')) return;
  if (req.url.endsWith('child')) return res.end(JSON.stringify([process.pid, spawn('sleep', ['300']).pid]));
  res.end(String(process.pid));
}).listen(process.env.PORT, '127.0.0.1');`;
  const program = (config: More = {}) =>
    live('web', '', { 'server.cjs': SERVER }, { command: [process.execPath, 'server.cjs'], ...config });
  const node = (config: More = {}) =>
    live(
      'own',
      handler(
        "if (req.url.endsWith('hang')) for (;;); if (req.url.endsWith('crash')) process.kill(process.pid, 'SIGSEGV'); if (req.url.endsWith('child')) { const { spawn } = await import('node:child_process'); return text(JSON.stringify([process.pid, spawn('sleep', ['300'], { detached: true }).pid])) } return text(process.pid)",
      ),
      {},
      { isolation: 'process', ...config },
    );

  it('answer over HTTP, each kind, and their lines name the call', async () => {
    const own = [await python(), await program(), await node()];
    for (const name of ['py', 'web', 'own']) {
      const answer = await at(`/${name}/x`);
      assert.match(answer.text, /^\d+$/, answer.text);
      assert.notEqual(Number(answer.text), await pidOf());
      assert.ok(answer.headers['x-sfx-version']);
      if (name !== 'py') continue;
      assert.deepEqual([answer.status, answer.headers['x-own']], [201, '1']);
      await until(async () => (await linesOf(own[0]!)).some((line) => line.text === 'seen /py/x'));
      const line = (await linesOf(own[0]!)).find(({ text }) => text === 'seen /py/x')!;
      assert.equal(line.activation, answer.headers['x-sfx-activation']);
    }
  });

  it('that crash, hang, or are killed hurt nobody else, and are replaced', async () => {
    await python({ timeout: 700 });
    await program({ timeout: 700 });
    await node({ timeout: 700 });
    const pid = await pidOf();
    for (const name of ['py', 'web', 'own']) {
      const before = (await at(`/${name}/x`)).text;
      const hung = await at(`/${name}/hang`);
      assert.equal(hung.status, 504, hung.text);
      assert.match(hung.text, /SFX6108/);
      assert.notEqual((await at(`/${name}/x`)).text, before);
    }
    const crashed = await at('/own/crash');
    assert.equal(crashed.status, 502);
    assert.match(crashed.text, /SFX6107/);
    assert.equal((await at('/own/x')).status, 200);
    assert.equal(await pidOf(), pid);
  });

  it('come by themselves where files hold native code, which is said once', async () => {
    const version = await live('addon', handler('return text(process.pid)'), { 'build/x.node': 'x' }, {});
    assert.notEqual(Number((await at('/addon/x')).text), await pidOf());
    const said = (await linesOf(version)).filter(({ text }) => text.includes('native code'));
    assert.equal(said.length, 1);
    await live('plain', handler('return text(process.pid)'), {}, {});
    assert.equal(Number((await at('/plain/x')).text), await pidOf());
    await live('chosen', handler('return text(process.pid)'), { 'x.node': 'x' }, { isolation: 'thread' });
    assert.equal(Number((await at('/chosen/x')).text), await pidOf());
  });

  it('of Python are refused before anything is kept where there is none', async () => {
    const config = { runtime: 'python3', environment: { SFX_PYTHON: '/bin/false' } };
    const { message } = await rejectsWith('SFX6130', staged('py', '', pythonFiles(''), config));
    assert.match(message, /\/bin\/false does not run/);
    assert.deepEqual(await connection.versions.list('py'), []);
  });

  /** One of each kind, in the middle of a call that never ends, each with a process of its own. */
  const busy = async () => {
    await python();
    await program();
    await node();
    const pids: { pid: number; start: string }[] = [];
    for (const name of ['py', 'web', 'own']) {
      for (const pid of JSON.parse((await at(`/${name}/child`)).text) as number[])
        pids.push({ pid, start: startOf(pid)! });
      at(`/${name}/hang`).catch(() => undefined);
    }
    assert.equal(pids.length, 6);
    assert.ok(pids.every(({ pid, start }) => isRunning(pid, start)));
    return pids;
  };

  it('do not outlive an engine that is killed, whatever they do', async () => {
    const pids = await busy();
    const pid = await pidOf();
    const guards = () =>
      execFileSync('ps', ['-eo', 'pgid=,args='])
        .toString()
        .split('\n')
        .filter((row) => pids.some((one) => row.trim().startsWith(`${one.pid} `)));
    assert.ok(guards().length >= 3);
    process.kill(pid, 'SIGKILL');
    await until(() => pids.every((one) => !isRunning(one.pid, one.start)));
    await until(() => guards().length === 0);
    // The next command has an engine again, and its versions come up.
    await connection[Symbol.asyncDispose]();
    connection = await engine.connect();
    for (const name of ['py', 'web', 'own']) assert.match((await at(`/${name}/x`)).text, /^\d+$/);
  });

  it('do not outlive an engine that is stopped', async () => {
    await python({ timeout: 60_000 });
    await program();
    await node();
    const pids: { pid: number; start: string }[] = [];
    for (const name of ['py', 'web', 'own'])
      for (const pid of JSON.parse((await at(`/${name}/child`)).text) as number[])
        pids.push({ pid, start: startOf(pid)! });
    await stopEngine(engine.run());
    await until(() => pids.every((one) => !isRunning(one.pid, one.start)));
  });
});
