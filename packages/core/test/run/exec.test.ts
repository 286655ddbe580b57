import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { execute } from '../../src/exec.js';
import type { Exec } from '../../src/run.js';

const env = { PATH: process.env['PATH'] ?? '', GREETING: 'hello' };

function exec(
  code: string | readonly string[],
  more: Partial<Exec> = {},
  signal = new AbortController().signal,
) {
  const command = typeof code === 'string' ? [process.execPath, '-e', code] : code;
  return execute(
    { command, cwd: tmpdir(), env, timeoutMs: 20_000, output: () => undefined, ...more },
    signal,
  );
}

/** One that has ended and that nobody asked about yet does nothing any more. */
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a program that is run to its end', () => {
  it('answers how it ended, and the last lines that it wrote', async () => {
    const pieces: string[] = [];
    const ended = await exec(
      "console.log(process.env.GREETING, process.env.HOME); for (let n = 0; n < 50; n++) console.error('line ' + n); process.exit(7)",
      { output: (text, from) => pieces.push(`${from} ${text}`) },
    );
    assert.deepEqual([ended.as, ended.exit], ['exit', 7]);
    assert.equal(ended.tail.at(-1), 'line 49');
    assert.equal(ended.tail.length, 20);
    assert.ok(pieces.some((piece) => piece === 'stdout hello undefined\n'));
    assert.ok(pieces.some((piece) => piece.startsWith('stderr line 0')));
  });

  it('keeps no more of a flood than its end', async () => {
    const ended = await exec("process.stdout.write('x'.repeat(3e6) + '\\nend\\n')");
    assert.deepEqual([ended.as, ended.exit, ended.tail.at(-1)], ['exit', 0, 'end']);
    assert.ok(ended.tail.join('\n').length <= 4_000);
  });

  it('runs a line for the shell, and tells a program that is not there (SFX1011)', async () => {
    assert.deepEqual((await exec([], { command: 'echo one && exit 3' })).exit, 3);
    await assert.rejects(exec(['/no/such/program']), { code: 'SFX1011' });
    await assert.rejects(exec('0', { cwd: '/no/such/folder' }), { code: 'SFX1011' });
  });

  it('that was killed says so', async () => {
    const ended = await exec("process.kill(process.pid, 'SIGKILL')");
    assert.deepEqual([ended.as, ended.exit], ['signal', null]);
  });

  it('is ended by force when it does not listen, with its children', async () => {
    let text = '';
    const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";
    const ended = await exec(
      `${stubborn} const c = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`${stubborn} console.log('up')`)}], { stdio: 'inherit' }); console.log('child ' + c.pid)`,
      { timeoutMs: 1_000, output: (piece) => (text += piece) },
    );
    assert.deepEqual([ended.as, ended.exit], ['time', null]);
    const child = Number(/child (\d+)/.exec(text)![1]);
    assert.ok(!alive(child));
  }).timeout(20_000);

  it('ends when the run is interrupted, also before it began', async () => {
    const controller = new AbortController();
    const going = exec(
      "console.log('up'); setInterval(() => {}, 1000)",
      { output: () => controller.abort() },
      controller.signal,
    );
    assert.equal((await going).as, 'interrupted');
    assert.equal((await exec('setInterval(() => {}, 1000)', {}, AbortSignal.abort())).as, 'interrupted');
  });

  it('does not wait for what a child of a child holds open', async () => {
    let text = '';
    const ended = await exec(
      "const c = require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 8000)'], { stdio: 'inherit', detached: true }); c.unref(); console.log('child ' + c.pid); process.exit(0)",
      { output: (piece) => (text += piece) },
    );
    const child = Number(/child (\d+)/.exec(text)![1]);
    assert.ok(alive(child));
    process.kill(child, 'SIGKILL');
    assert.deepEqual([ended.as, ended.exit], ['exit', 0]);
  });
});
