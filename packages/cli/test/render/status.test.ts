import assert from 'node:assert/strict';
import type { Past, Status } from '@sfx-deploy/core';
import { describe, it } from 'mocha';
import { plainLook } from '../../src/render/look.js';
import { releasesLines } from '../../src/render/releases.js';
import { statusLines } from '../../src/render/status.js';

const readAt = '2026-03-03T14:07:12.000Z';
const by = (who: string, at: string, sha: string, subject: string) => ({ who, at, git: { sha, subject } });
const ana = by('ana', '2026-03-03T14:01:12.000Z', '9f3c1ab77', 'refund endpoint');
const ci = by('ci 8812', '2026-03-01T14:00:00.000Z', '77d01ee00', 'faster search');

const settled: Status = {
  version: 1,
  service: 'shop',
  stage: 'prod',
  provider: 'local',
  where: 'local engine http://127.0.0.1:4100',
  release: { number: 41, digest: 'sha256:abc', status: 'live', by: ci },
  state: 'settled',
  units: [
    {
      name: 'checkout',
      functions: ['checkout'],
      stable: '17',
      metrics: { stable: { requests: 0, errors: 0, p95Ms: 0 } },
    },
  ],
  urls: { http: 'http://127.0.0.1:4101' },
  drift: [],
  lease: null,
  metricsByVersion: true,
  next: [],
  readAt,
};

const canary: Status = {
  ...settled,
  state: 'canary',
  candidate: { release: 42, percent: 5, by: ana, state: 'open' },
  units: [
    {
      name: 'checkout',
      functions: ['checkout'],
      stable: '17',
      candidate: '18',
      metrics: {
        stable: { requests: 3804, errors: 8, p95Ms: 180 },
        candidate: { requests: 214, errors: 9, p95Ms: 212 },
      },
    },
    { name: 'worker', functions: ['worker'], stable: '6', candidate: '7' },
    { name: 'list', functions: ['list'], stable: '3' },
  ],
  next: [{ label: 'undo', command: 'sfx rollback --stage prod', writes: 2 }],
};

/** Without the clock of the first line, which is told in the reader's own time zone. */
function text(status: Status): string {
  return statusLines(status, plainLook)
    .join('\n')
    .replace(/read at \d\d:\d\d:\d\d/, 'read at HH:MM:SS');
}

describe('the status of a stage', () => {
  it('names what pulls beside the address', () => {
    const pulls = [{ name: 'queue orders', function: 'worker' }];
    const lines = statusLines({ ...settled, pulls }, plainLook);
    assert.deepEqual(lines.slice(-2), [
      'url         http://127.0.0.1:4101',
      'pulls       queue orders -> worker',
    ]);
  });

  it('shows an open canary beside stable, version by version', () => {
    assert.equal(
      text(canary),
      `shop · prod · local engine http://127.0.0.1:4100           read at HH:MM:SS

  42  canary   5 %  6 min   9f3c1ab  ana      "refund endpoint"
  41  stable  95 %  2 days  77d01ee  ci 8812  "faster search"

function    version    calls        errors          p95 ms
            41  42       41   42       41     42     41   42
checkout    17  18     3804  214    0.2 %  4.2 %    180  212
worker       6   7        0    0        -      -      -    -
1 other     same in both

drift       none
lease       free
journal     settled
url         http://127.0.0.1:4101

  undo       sfx rollback --stage prod    2 writes`,
    );
  });

  it('fits in ten lines or so when nothing is open', () => {
    assert.equal(
      text(settled),
      `shop · prod · local engine http://127.0.0.1:4100           read at HH:MM:SS

  41  live  100 %  2 days  77d01ee  ci 8812  "faster search"

function    version    calls    errors    p95 ms
checkout    17         0        -         -

drift       none
lease       free
journal     settled
url         http://127.0.0.1:4101`,
    );
  });

  it('never shows 0 where calls cannot be told apart by version', () => {
    assert.match(text({ ...canary, metricsByVersion: false }), /n\/a \(no metrics by version here\)/);
    assert.match(text({ ...settled, metricsByVersion: false }), /n\/a \(no metrics by version here\)/);
  });

  it('tells a removal that was cut off from a release', () => {
    const { candidate: _, ...removing } = canary;
    const [, , first] = text({ ...removing, state: 'interrupted' }).split('\n');
    assert.equal(first, 'Interrupted: the removal of this stage was cut off and is not settled.');
  });

  it('says first what callers get when a release was cut off', () => {
    const [, , first, second] = text({ ...canary, state: 'interrupted' }).split('\n');
    assert.equal(first, 'Interrupted: a release was cut off and is not settled.');
    assert.equal(second, '  callers now  checkout: 17 and 5 % 18');
  });

  it('names aliases that somebody else moved', () => {
    const drift = [{ alias: 'checkout', table: { checkout: { stable: '3' } } }];
    assert.match(
      text({ ...settled, drift }),
      /^drift {7}1 alias moved by somebody else\n {2}callers now {2}checkout: 3$/m,
    );
  });

  it('says that nothing is deployed', () => {
    assert.match(text({ ...settled, release: null, units: [], state: 'empty' }), /^Nothing is deployed\.$/m);
  });
});

describe('the releases of a stage', () => {
  it('are listed newest first, with what they equal and what cannot be gone back to', () => {
    const past = (
      number: number,
      more: Partial<Past> & { reachable?: boolean },
    ): Past & { reachable: boolean } => ({
      number,
      digest: 'sha256:abcdef012345',
      kind: 'deploy',
      status: 'superseded',
      began: 1,
      by: ci,
      reachable: true,
      ...more,
    });
    const lines = releasesLines(
      {
        version: 1,
        service: 'shop',
        stage: 'prod',
        live: 43,
        open: null,
        keep: 5,
        releases: [
          past(41, { reachable: false }),
          past(42, { status: 'rolled back', by: ana, tag: 'spring' }),
          past(43, { of: 41, status: 'live' }),
        ],
      },
      Date.parse(readAt),
      plainLook,
    );
    assert.equal(
      lines.join('\n'),
      `shop · prod

  release    status       age     digest   git      by
  43 (= 41)  live         2 days  abcdef0  77d01ee  ci 8812  "faster search"
  42         rolled back  6 min   abcdef0  9f3c1ab  ana      [spring] "refund e…
  41         superseded   2 days  abcdef0  77d01ee  ci 8812  versions gone "fas…

2 releases can be gone back to; the newest 5 are kept.
  back       sfx rollback <release>`,
    );
  });
});
