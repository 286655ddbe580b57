import type { Intent } from '../../../packages/core/src/plan/intent.js';
import type { Scope } from '../../../packages/core/src/provider/contract.js';
import { unitsOf } from '../../../packages/core/src/release/fleet.js';
import {
  artifactsOf,
  irOf,
  type PlainService,
  type ShapeName,
} from '../../../packages/core/src/testing/index.js';

export const scope: Scope = { service: 'shop', stage: 'prod' };
export const by = { who: 'test', at: '2030-01-01T00:00:00.000Z' };

const functions = (code: string): PlainService['functions'] => ({
  checkout: { code: `checkout ${code}`, routes: ['POST /orders'], uses: ['table'] },
  list: { code: `list ${code}`, routes: ['GET /products'] },
  worker: { code: `worker ${code}`, queues: ['orders'] },
});
const table = { table: { props: { size: 1 } } };

const first: PlainService = { functions: functions('one'), things: table };
/** New code for every function; triggers as they were. */
const code: PlainService = { functions: functions('two'), things: table };
/** New code; a function with a route and a queue is added, a route moves to it, a queue goes, a schedule and a thing come. */
const all: PlainService = {
  functions: {
    ...functions('two'),
    list: { code: 'list two' },
    catalog: {
      code: 'catalog two',
      routes: ['GET /products', 'GET /search'],
      queues: ['search'],
      uses: ['index'],
    },
    worker: { code: 'worker two', schedules: ['hourly'] },
  },
  things: { ...table, index: {} },
};

export function intentFor(shape: ShapeName, v2: 'none' | 'code' | 'all', percent?: number): Intent {
  const irs = { memory: irOf(shape, { none: first, code, all }[v2]) };
  const built = artifactsOf(irs.memory);
  return {
    irs,
    artifacts: Object.fromEntries(unitsOf(irs).map((of) => [of.key, built[of.part.id]!.digest])),
    rollout: {
      steps:
        percent === undefined ? [{ weight: 100 }] : [{ weight: percent }, { pause: null }, { weight: 100 }],
      onFailure: 'rollback',
      bakeMs: 0,
      expand: 'late',
    },
    checks: [],
    keep: 3,
    origin: 'test',
    by,
  };
}
