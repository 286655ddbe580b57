import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import type { EventDocument } from '../../src/config/generated/events.types.gen.js';
import { validate as validateEvent } from '../../src/config/generated/events.validate.gen.js';
import type { IrDocument } from '../../src/config/generated/ir.types.gen.js';
import { validate as validateIr } from '../../src/config/generated/ir.validate.gen.js';
import type { OutcomeDocument } from '../../src/config/generated/outcome.types.gen.js';
import { validate as validateOutcome } from '../../src/config/generated/outcome.validate.gen.js';
import type { PlanDocument } from '../../src/config/generated/plan.types.gen.js';
import { validate as validatePlan } from '../../src/config/generated/plan.validate.gen.js';
import type { ReleaseDocument } from '../../src/config/generated/release.types.gen.js';
import { validate as validateRelease } from '../../src/config/generated/release.validate.gen.js';
import type { StatusDocument } from '../../src/config/generated/status.types.gen.js';
import { validate as validateStatus } from '../../src/config/generated/status.validate.gen.js';
import type { Event } from '../../src/events.js';
import type { Plan } from '../../src/plan/plan.js';
import type { Ir } from '../../src/provider/contract.js';
import type { Outcome, Status } from '../../src/release/outcome.js';
import type { Release } from '../../src/state/documents.js';

type Frozen<T> = T extends (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;
/** The keys of both, optional ones included; what is under a key is compared by assigning. */
type Fits<Own extends Frozen<Schema>, Schema> = keyof Own extends keyof Schema ? Own : never;

const digest = `sha256:${'0'.repeat(64)}` as const;
const by = {
  who: 'ana',
  at: '2026-01-01T00:00:00.000Z',
  git: { sha: 'abc', subject: 's', dirty: true as const },
};

const ir: Fits<Ir, IrDocument> = {
  infra: [{ id: 'role', kind: 'role', props: { a: [1, null] }, dependsOn: [], data: true }],
  units: [
    { id: 'list', functions: ['list'], build: { kind: 'node' }, config: { memory: 1 }, dependsOn: ['role'] },
  ],
  aliases: [{ id: 'live', units: ['list'] }],
  triggers: [
    {
      id: 'http:GET /',
      kind: 'http',
      props: {},
      dependsOn: [],
      source: 'GET /',
      alias: 'live',
      function: 'list',
      delivers: 'asked',
    },
  ],
};
const plan: Fits<Plan, PlanDocument> = {
  version: 1,
  kind: 'deploy',
  service: 'shop',
  stage: 'dev',
  providers: [{ name: 'local', where: 'here', as: 'ana' }],
  number: 2,
  base: 1,
  digest,
  bound: { config: digest, units: { 'local/list': digest }, live: 1, open: null, next: 2, tables: digest },
  asked: { canary: 5, functions: ['list'], expand: 'late', tag: 'v1' },
  empty: false,
  changes: [{ area: 'function', action: 'change', name: 'list', why: 'code', when: 'later', destroys: true }],
  staged: ['list'],
  steps: [{ weight: 5 }, { pause: null }, { check: 'up' }, { weight: 100 }],
  waits: [],
  effort: { writes: 2 },
  undo: { writes: 1, takesBack: [] },
  kept: [],
  warnings: [],
};
const release: Fits<Release, ReleaseDocument> = {
  version: 1,
  number: 2,
  digest,
  kind: 'deploy',
  base: 1,
  irs: { local: ir },
  artifacts: {},
  units: { 'local/list': digest },
  undo: { 'local/live': { list: { stable: 'v1', candidate: { version: 'v2', percent: 5 } } } },
  rollout: { steps: [{ weight: 100 }], onFailure: 'rollback', bakeMs: 0, expand: 'late' },
  checks: [{ name: 'up', function: 'list', payload: null, expect: { status: 200 } }],
  keep: 5,
  tag: 't',
  by,
};
const outcome: Fits<Outcome, OutcomeDocument> = {
  version: 1,
  command: 'deploy',
  ending: 'live',
  exit: 0,
  service: 'shop',
  stage: 'dev',
  release: { number: 2, digest, status: 'live' },
  serving: [{ release: 2, percent: 100 }],
  sentence: 'Release 2 is live.',
  aliases: [{ alias: 'live', table: 'unknown' }],
  waits: [],
  leaves: [],
  writes: 2,
  ms: 1.5,
  next: [{ label: 'undo', command: 'sfx rollback', writes: 1 }],
  urls: { http: 'http://127.0.0.1:1' },
  hurt: { calls: 1, errors: 0 },
  warnings: [],
};
const status: Fits<Status, StatusDocument> = {
  version: 1,
  service: 'shop',
  stage: 'dev',
  provider: 'local',
  where: 'here',
  release: { number: 1, digest, status: 'live', by },
  candidate: { release: 2, percent: 5, by, state: 'open' },
  state: 'canary',
  units: [
    {
      name: 'list',
      functions: ['list'],
      stable: 'v1',
      candidate: 'v2',
      metrics: { stable: { requests: 1, errors: 0, p95Ms: 2 } },
    },
  ],
  urls: {},
  drift: [],
  lease: { holder: 'a', command: 'deploy', since: '' },
  metricsByVersion: true,
  next: [],
  readAt: '',
};
const events: readonly Event[] = [
  { code: 'identity', service: 'a', stage: 'b', provider: 'c', where: 'd' },
  { code: 'release', number: 1, after: null, changed: [], total: 1, git: { sha: 'a' } },
  { code: 'step.start', step: 'build' },
  { code: 'step.progress', step: 'stage', done: 1, total: 2 },
  { code: 'step.end', step: 'flip', text: 't', ms: 1 },
  { code: 'step.fail', step: 'bake', text: 't', ms: 1 },
  { code: 'wait', why: 'w', ms: 1 },
  { code: 'retry', op: 'o', on: 'x', ms: 1, why: 'w' },
  { code: 'warning', error: 'SFX2107', message: 'm', at: 'a:1:1' },
  { code: 'judged', release: 1, percent: 5, verdict: 'pass', reasons: [] },
  { code: 'moved', release: 1, percent: 5, aliases: 1, confirmed: 'unknown' },
  { code: 'note', text: 't', data: { a: 1 } },
];
const eventsFit: readonly Frozen<EventDocument>[] = events;

describe('schemas of documents', () => {
  const documents = [
    ['ir', validateIr, ir],
    ['plan', validatePlan, plan],
    ['release', validateRelease, release],
    ['outcome', validateOutcome, outcome],
    ['status', validateStatus, status],
  ] as const;
  for (const [name, validate, value] of documents) {
    it(`${name}: takes what its type takes, and no other key`, () => {
      assert.ok(validate(value), JSON.stringify(validate.errors));
      assert.ok(!validate({ ...value, surprise: 1 }));
      for (const key of Object.keys(value)) {
        assert.ok(!validate({ ...value, [key]: Symbol.iterator }), key);
      }
    });
  }

  it('events: takes every code, and no other', () => {
    for (const event of eventsFit) assert.ok(validateEvent(event), JSON.stringify(event));
    assert.ok(!validateEvent({ code: 'other' }));
    assert.ok(!validateEvent({ ...eventsFit[0], secret: 1 }));
  });

  it('are what the generated files were made from', async () => {
    const script = fileURLToPath(new URL('../../../../scripts/generate.mjs', import.meta.url));
    await promisify(execFile)(process.execPath, [script, '--check']);
  });
});
