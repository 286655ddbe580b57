import assert from 'node:assert/strict';
import { errorTable, fail, type SfxError } from '@sfx-deploy/core';
import { describe, it } from 'mocha';
import { errorDocument, errorLines, exitOf } from '../../src/render/error.js';
import { explainLines } from '../../src/render/explain.js';
import { plainLook } from '../../src/render/look.js';

function text(error: SfxError, { terminal = false, debug = false } = {}): string {
  return errorLines(error, { terminal, debug }, plainLook).join('\n');
}

const at = { file: 'serverless.yml', line: 14, column: 14, length: 8 };
const frame = ['  13 |   list:', '  14 |     handler: scr/list.get', '     |              ^^^^^^^^'].join(
  '\n',
);

describe('an error on the screen', () => {
  it('shows a mistake with its place, and what was left as it is', () => {
    assert.equal(
      text(fail('SFX2301', 'no scr/list.{ts,js,mjs,cjs}', { at, frame, hint: 'Did you mean src/list?' }), {
        terminal: true,
      }),
      `✖ SFX2301 handler file not found
  serverless.yml:14:14
  13 |   list:
  14 |     handler: scr/list.get
     |              ^^^^^^^^ no scr/list.{ts,js,mjs,cjs}
  Did you mean src/list?
  1 error. Nothing was built or changed. (exit 64)`,
    );
  });

  it('shows all mistakes of a file at once, warnings below them', () => {
    const diagnostics = [
      { code: 'SFX2001', severity: 'error', message: 'a tab', at, frame: `${frame} a tab stands here` },
      { code: 'SFX2204', severity: 'error', message: 'no such trigger', at },
      { code: 'SFX2200', severity: 'warning', message: 'unused', at, hint: 'remove it' },
    ] as const;
    assert.equal(
      text(fail('SFX2200', 'the configuration has 2 errors', { diagnostics })),
      `✖ SFX2001 a tab
  serverless.yml:14:14
  13 |   list:
  14 |     handler: scr/list.get
     |              ^^^^^^^^ a tab stands here
✖ SFX2204 no such trigger
  serverless.yml:14:14
  warning SFX2200  serverless.yml:14  unused -> remove it
  2 errors, 1 warning. Nothing was built or changed.`,
    );
  });

  it('tells a failing provider and a defect of sfx apart in the first words', () => {
    assert.match(text(fail('SFX3101', 'the call failed')), /^✖ SFX3101 provider: the call failed$/m);
    assert.match(
      text(fail('SFX9001', 'x is not a function')),
      /^✖ SFX9001 defect in sfx: x is not a function$/m,
    );
    assert.match(text(fail('SFX4104', 'release 42 is open')), /^✖ SFX4104 release 42 is open$/m);
  });

  it('names the unit, step, action, resource and request, and the ways out', () => {
    const error = fail('SFX3104', 'not allowed', {
      unit: 'checkout',
      step: 'flip',
      action: 'lambda:UpdateAlias',
      resource: 'function:shop-prod-checkout',
      requestId: 'r-1',
      ways: [{ label: 'forward', command: 'sfx resume --stage prod' }],
    });
    assert.equal(
      text(error, { terminal: true }),
      `✖ SFX3104 provider: not allowed
  unit        checkout
  step        flip
  action      lambda:UpdateAlias
  resource    function:shop-prod-checkout
  request     r-1
  forward     sfx resume --stage prod
  No traffic moved. See \`sfx explain SFX3104\`. (exit 1)`,
    );
  });

  it('has a stack trace only with --debug', () => {
    const error = fail('SFX9001', 'broken', { cause: new Error('inner') });
    assert.doesNotMatch(text(error), /\n +at /);
    assert.match(text(error, { debug: true }), /caused by Error: inner\n +at /);
  });

  it('never promises that no traffic moved where it did', () => {
    for (const [code, row] of Object.entries(errorTable)) {
      const said = text(fail(code as keyof typeof errorTable, 'x'));
      assert.equal(
        /No traffic moved|Nothing was (built|changed)/.test(said),
        [1, 64, 75].includes(row.exit),
        code,
      );
    }
  });

  it('is the same in JSON, with its exit code and without a stack', () => {
    const document = errorDocument(fail('SFX4101', 'held', { cause: new Error('x'), exit: 75 }), false);
    assert.deepEqual(JSON.parse(JSON.stringify(document)), {
      version: 1,
      error: {
        code: 'SFX4101',
        kind: 'conflict',
        title: errorTable.SFX4101.title,
        message: 'held',
        hint: errorTable.SFX4101.hint,
      },
      exit: 75,
    });
  });

  it('ends with the exit code of its row unless it brings its own', () => {
    assert.equal(exitOf(fail('SFX5001', 'x')), 3);
    assert.equal(exitOf(fail('SFX5001', 'x', { exit: 4 })), 4);
  });
});

describe('the explanation of a code', () => {
  it('says whose it is, what to do and how the command ends', () => {
    assert.equal(
      explainLines('SFX4101', errorTable.SFX4101, plainLook).join('\n'),
      `SFX4101 the stage is held by another

  whose      conflict: something else holds the stage, or moved it
  do         Wait for it, or run again later.
  exit       75: held by another; run again
  more       docs/reference/errors.md#sfx4101`,
    );
  });
});
