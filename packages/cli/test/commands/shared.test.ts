import assert from 'node:assert/strict';
import type { Outcome } from '@sfx-deploy/core';
import { describe, it } from 'mocha';
import type { Context } from '../../src/commands/definition.js';
import { tell } from '../../src/commands/shared.js';
import { createHost } from '../../src/host/host.js';
import { fakeIo } from '../fake-io.js';

const outcome = (exit: Outcome['exit'], ending: Outcome['ending'], error?: Outcome['error']): Outcome => ({
  version: 1,
  command: 'deploy',
  ending,
  exit,
  service: 'shop',
  stage: 'prod',
  release: null,
  serving: [],
  sentence: 'Release 41 takes 100 % of prod.',
  ...(error ? { error } : {}),
  waits: [],
  leaves: [],
  writes: 0,
  ms: 0,
  next: [],
  urls: {},
  warnings: [],
});

function told(value: Outcome, json: 'no' | 'lines') {
  const io = fakeIo();
  const host = createHost(io, { json, verbose: false, debug: false, color: true, quietIdentity: false });
  const exit = tell({ host } as Context, value);
  return { exit, out: io.out(), err: io.err() };
}

describe('how a command that changes a stage ends', () => {
  it('is its exit code: 0 done, 1 failed, 3 rolled back, 4 partial, 5 paused', () => {
    const endings = [
      [0, 'live'],
      [1, 'failed'],
      [3, 'rolled back'],
      [4, 'partial'],
      [5, 'paused'],
    ] as const;
    for (const [exit, ending] of endings) {
      assert.equal(told(outcome(exit, ending), 'no').exit, exit);
      assert.equal(told(outcome(exit, ending), 'lines').exit, exit);
    }
  });

  it('goes to stdout when it is a result, to stderr when it is an error, and as JSON always to stdout', () => {
    const bad = outcome(3, 'rolled back', {
      code: 'SFX5001',
      message: 'release 42 failed its canary and was rolled back',
    });
    assert.match(told(outcome(0, 'live'), 'no').out, /^Release 41 takes/);
    assert.deepEqual([told(bad, 'no').out, told(bad, 'no').err.startsWith('✖ SFX5001 ')], ['', true]);
    const last = JSON.parse(told(bad, 'lines').out) as {
      code: string;
      exit: number;
      error: { code: string };
    };
    assert.deepEqual([last.code, last.exit, last.error.code], ['result', 3, 'SFX5001']);
  });
});
