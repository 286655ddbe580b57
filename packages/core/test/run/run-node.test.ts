import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, it } from 'mocha';
import { isSfxError } from '../../src/errors.js';
import type { Holder } from '../../src/run.js';
import { createRun, type RunInit } from '../../src/run-node.js';

const runOf = (more: Partial<RunInit> = {}) =>
  createRun({ signal: new AbortController().signal, emit: () => {}, env: {}, ...more });
const interrupted = (error: unknown) => isSfxError(error) && error.code === 'SFX4120';

describe('time of the real run', () => {
  it('passes by itself, and ends at once when what was waited for has come', async () => {
    const run = runOf();
    const before = run.now();
    await run.sleep(15);
    assert.ok(run.now() - before >= 14);
    const until = new AbortController();
    const sleeping = run.sleep(60_000, until.signal);
    until.abort();
    await sleeping;
    await run.sleep(60_000, until.signal);
  });

  it('ends with an error when the run is interrupted, before or meanwhile', async () => {
    const controller = new AbortController();
    const run = runOf({ signal: controller.signal });
    const sleeping = assert.rejects(run.sleep(60_000, new AbortController().signal), interrupted);
    controller.abort();
    await sleeping;
    await assert.rejects(run.sleep(0), interrupted);
  });

  it('warns of nothing while many sleep at once, and an interrupt ends them all', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    const controller = new AbortController();
    const run = runOf({ signal: controller.signal });
    const sleeping = Array.from({ length: 40 }, () => assert.rejects(run.sleep(60_000), interrupted));
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await Promise.all(sleeping);
    process.off('warning', onWarning);
    assert.deepEqual(warnings, []);
  });

  it('leaves nothing behind at the signals, however often it sleeps', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    const run = runOf();
    const until = new AbortController();
    for (let n = 0; n < 30; n++) await run.sleep(0, until.signal);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    assert.deepEqual(warnings, []);
  });
});

describe('what the real run says of itself', () => {
  it('is who runs it: the user and machine, in CI the job, or who was named', () => {
    assert.match(runOf().holder.name, new RegExp(`^.+@${hostname()}$`));
    assert.equal(
      runOf({ env: { GITHUB_RUN_ID: '9001', RUNNER_NAME: 'runner-7' } }).holder.name,
      'ci run 9001 on runner-7',
    );
    assert.equal(runOf({ env: { CI_JOB_ID: '8812' } }).holder.name, `ci job 8812 on ${hostname()}`);
    assert.equal(runOf({ who: 'ana' }).holder.name, 'ana');
  });

  it('is random text of the length asked for, and another one each time', () => {
    const run = runOf();
    assert.match(run.random(6), /^[0-9a-f]{12}$/);
    assert.notEqual(run.random(6), run.random(6));
  });

  it('passes calls and events on as they are', async () => {
    const events: unknown[] = [];
    const run = runOf({ emit: (event) => events.push(event) });
    assert.equal(await run.call({ op: 'x', on: 'y', writes: true }, async () => 7), 7);
    run.emit({ code: 'note', text: 'said' });
    assert.deepEqual(events, [{ code: 'note', text: 'said' }]);
  });
});

describe('whether a holder is gone', () => {
  const run = runOf();
  const fields = run.holder.process.split('|');
  const like = (change: Record<number, string>): Holder => ({
    name: 'other',
    process: fields.map((field, index) => change[index] ?? field).join('|'),
  });

  it('is no for this very process, and for another one that runs', async () => {
    assert.equal(run.isGone(run.holder), false);
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
    await new Promise((resolve) => child.on('spawn', resolve));
    assert.equal(run.isGone(like({ 3: String(child.pid), 4: startOf(child.pid!) })), false);
    child.kill('SIGKILL');
    const holder = like({ 3: String(child.pid), 4: startOf(child.pid!) });
    await new Promise((resolve) => child.on('close', resolve));
    assert.equal(run.isGone(holder), true);
  });

  it('is yes for a process whose number another one has by now', () => {
    assert.equal(run.isGone(like({ 4: '1' })), true);
  });

  it('is yes for one that was killed and whose parent has not noticed', async () => {
    const parent = spawn('/bin/sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.on('data', (text) => resolve(Number(text))),
    );
    const holder = like({ 3: String(pid), 4: startOf(pid) });
    assert.equal(run.isGone(holder), false);
    process.kill(pid, 'SIGKILL');
    for (let n = 0; n < 200 && run.isGone(holder) !== true; n++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const gone = run.isGone(holder);
    parent.kill('SIGKILL');
    assert.equal(gone, true);
  });

  it('is not known for one of another machine, boot or process namespace, or of no form', () => {
    for (const at of [0, 1, 2]) assert.equal(run.isGone(like({ [at]: 'another' })), 'unknown');
    assert.equal(run.isGone({ name: 'x', process: '' }), 'unknown');
    assert.equal(run.isGone({ name: 'x', process: 'nonsense' }), 'unknown');
  });

  function startOf(pid: number): string {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]!;
  }
});
