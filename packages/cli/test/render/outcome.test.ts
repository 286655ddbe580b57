import assert from 'node:assert/strict';
import type { Outcome } from '@sfx-deploy/core';
import { describe, it } from 'mocha';
import { plainLook } from '../../src/render/look.js';
import { outcomeLines } from '../../src/render/outcome.js';

const live: Outcome = {
  version: 1,
  command: 'deploy',
  ending: 'live',
  exit: 0,
  service: 'shop',
  stage: 'prod',
  release: { number: 42, digest: 'sha256:abc', status: 'live' },
  serving: [{ release: 42, percent: 100 }],
  sentence: 'Release 42 is live on prod.',
  waits: [],
  leaves: [],
  writes: 11,
  ms: 4800,
  next: [{ label: 'undo', command: 'sfx rollback --stage prod', writes: 2, note: 'about 1 s' }],
  urls: { http: 'https://a1b2c3.example/prod' },
  warnings: [],
};

function text(outcome: Partial<Outcome>, look = plainLook): string {
  return outcomeLines({ ...live, ...outcome }, look).join('\n');
}

describe('the ending of a command', () => {
  it('says who gets traffic, how long it took, and the way back with its cost', () => {
    assert.equal(
      text({}),
      `Release 42 is live on prod.                                        4.8 s

  undo       sfx rollback --stage prod    2 writes, about 1 s
  url        https://a1b2c3.example/prod`,
    );
  });

  it('names what pulls, of many the first ones', () => {
    const pull = (name: string, fn = 'work') => ({ name, function: fn });
    const lines = (pulls: NonNullable<Outcome['pulls']>) => text({ pulls }).split('\n').slice(4);
    assert.deepEqual(lines([pull('queue orders', 'worker'), pull('rate(5 minutes)', 'sweep')]), [
      '  pulls      queue orders -> worker',
      '             rate(5 minutes) -> sweep',
    ]);
    assert.deepEqual(lines(['a', 'b', 'c', 'd', 'e'].map((name) => pull(`queue ${name}`))), [
      '  pulls      queue a -> work',
      '             queue b -> work',
      '             queue c -> work',
      '             and 2 others',
    ]);
  });

  it('names an open canary, what waits for promote, and every way on', () => {
    assert.equal(
      text({
        ending: 'canary',
        sentence: 'Release 42 takes 5 % of prod, 41 takes 95 %.',
        waits: ['POST /refunds'],
        next: [
          { label: 'promote', command: 'sfx promote --stage prod', writes: 2, note: 'then POST /refunds' },
          { label: 'undo', command: 'sfx rollback --stage prod', writes: 1 },
          { label: 'try it', command: 'sfx invoke checkout --stage prod --candidate' },
        ],
      }),
      `● Release 42 takes 5 % of prod, 41 takes 95 %.                     4.8 s
  The canary stays open: nobody judges it until you look at it.

  waits      POST /refunds (until promote)

  promote    sfx promote --stage prod     2 writes, then POST /refunds
  undo       sfx rollback --stage prod    1 write
  try it     sfx invoke checkout --stage prod --candidate
  url        https://a1b2c3.example/prod`,
    );
  });

  it('counts the calls that a canary hurt', () => {
    assert.match(
      text({
        command: 'rollback',
        ending: 'rolled back',
        sentence: 'Release 41 takes 100 % of prod.',
        hurt: { calls: 251, errors: 10 },
      }),
      /^ {2}251 calls reached the candidate, 10 failed\.$/m,
    );
  });

  it('names every alias where callers are on two releases, unknown ones too', () => {
    assert.equal(
      text({
        ending: 'partial',
        exit: 4,
        sentence: 'checkout serves 19, worker is unknown.',
        error: { code: 'SFX4121', message: 'release 43 is partial', hint: 'Run `sfx resume`.' },
        aliases: [
          { alias: 'checkout', table: { checkout: { stable: '19' } } },
          { alias: 'worker', table: 'unknown' },
          { alias: 'sweep', table: { sweep: { stable: '6', candidate: { version: '7', percent: 5 } } } },
        ],
        next: [],
        urls: {},
      }),
      `✖ SFX4121 release 43 is partial
  Run \`sfx resume\`.
  checkout serves 19, worker is unknown.

  callers now  checkout: 19
               worker: unknown, could not be read
               sweep: 6 and 5 % 7`,
    );
  });

  it('uses colour only beside words that say the same', () => {
    const coloured = text(
      { ending: 'canary', sentence: 'Release 42 takes 5 %.' },
      { colour: true, unicode: true },
    );
    assert.match(coloured, /\u001b\[33m●\u001b\[39m \u001b\[1mRelease\u001b\[22m/);
    assert.equal(
      coloured.replace(/\u001b\[\d+m/g, ''),
      text({ ending: 'canary', sentence: 'Release 42 takes 5 %.' }),
    );
  });
});
