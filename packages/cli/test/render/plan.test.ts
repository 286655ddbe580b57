import assert from 'node:assert/strict';
import type { Plan } from '@sfx-deploy/core';
import { describe, it } from 'mocha';
import { plainLook } from '../../src/render/look.js';
import { planLines } from '../../src/render/plan.js';

const plan: Plan = {
  version: 1,
  kind: 'deploy',
  service: 'shop',
  stage: 'prod',
  providers: [{ name: 'aws', where: 'aws 1234 eu-west-1', as: 'role/deploy' }],
  number: 42,
  base: 41,
  digest: 'sha256:a',
  bound: { config: 'sha256:a', units: {}, live: 41, open: null, next: 42, tables: 'sha256:a' },
  asked: {},
  empty: false,
  changes: [
    { area: 'function', action: 'change', name: 'checkout', why: 'code' },
    { area: 'function', action: 'change', name: 'worker', why: 'config memory 256 -> 512' },
    { area: 'function', action: 'keep', name: 'a', why: 'unchanged' },
    { area: 'function', action: 'keep', name: 'b', why: 'unchanged' },
    { area: 'trigger', action: 'add', name: 'POST /refunds', why: '-> checkout', when: 'waits for promote' },
    { area: 'resource', action: 'remove', name: 'OldQueue', why: 'gone from the file', destroys: true },
  ],
  staged: ['checkout', 'worker'],
  steps: [{ weight: 5 }, { pause: null }, { weight: 100 }],
  waits: ['POST /refunds'],
  effort: { writes: 11 },
  undo: { writes: 2, takesBack: ['POST /refunds'] },
  kept: ['RefundsTable'],
  warnings: [],
};

const context = { flags: '--stage prod', command: 'sfx deploy' };

describe('a plan on the screen', () => {
  it('shows what destroys first, then each area, traffic, effort and the way back', () => {
    assert.equal(
      planLines(plan, context, plainLook).join('\n'),
      `shop · prod · aws 1234 eu-west-1 · as role/deploy (reads only)
against release 41, read back just now

destroys
- OldQueue   gone from the file   destroys
functions
~ checkout   code
~ worker     config memory 256 -> 512
= 2 others
triggers
+ POST /refunds   -> checkout   waits for promote

traffic          5 %, then wait for promote, then 100 %
waits            POST /refunds for promote
stays            RefundsTable: holds data
effort           11 writes
undo             sfx rollback: 2 writes; takes back POST /refunds

2 functions, 1 trigger, 1 resource. Nothing was written.
  do it          sfx deploy --stage prod
  save it        sfx plan --stage prod --out plan.json`,
    );
  });

  it('says in one sentence that nothing changes', () => {
    assert.equal(
      planLines({ ...plan, empty: true }, context, plainLook).at(-1),
      'Nothing changes. Release 41 stays live on prod. Nothing was written.',
    );
  });

  it('says how a saved one is used', () => {
    const lines = planLines(plan, { ...context, saved: 'plan.json' }, plainLook);
    assert.ok(lines.includes('  do it          sfx deploy --stage prod --plan plan.json'));
  });
});
