import type { Artifact, Ir, Json, Scope } from '../../src/index.js';
import { canonical, type Digest } from '../../src/json.js';
import type { Intent } from '../../src/plan/intent.js';
import { adoptRelease } from '../../src/release/adopt.js';
import type { Context } from '../../src/release/context.js';
import { deployRelease, planRelease, type ReleaseOptions } from '../../src/release/deploy.js';
import { fleet, unitsOf } from '../../src/release/fleet.js';
import { promoteRelease } from '../../src/release/promote.js';
import { removeStage } from '../../src/release/remove.js';
import { resumeRelease } from '../../src/release/resume.js';
import { rollbackRelease } from '../../src/release/rollback.js';
import type { Rollout } from '../../src/release/rollout.js';
import { statusOf } from '../../src/release/status.js';
import type { Run } from '../../src/run.js';
import { stageState } from '../../src/state/stage-state.js';
import {
  type ClockOptions,
  emptyWorld,
  irOf,
  memoryProvider,
  memoryWorld,
  type PlainService,
  type ShapeName,
  type SimulatedRun,
  simulatedClock,
  stageHands,
  type World,
  worldStore,
} from '../../src/testing/index.js';
import { artifactOf } from '../../src/testing/memory/ir.js';

export const scope: Scope = { service: 'shop', stage: 'prod' };
const by = { who: 'test', at: '2030-01-01T00:00:00.000Z' };
export const allAtOnce: Rollout = {
  steps: [{ weight: 100 }],
  onFailure: 'rollback',
  bakeMs: 0,
  expand: 'late',
};
export const canary = (percent: number): Rollout => ({
  ...allAtOnce,
  steps: [{ weight: percent }, { pause: null }, { weight: 100 }],
});

/** One provider of a stage under test. */
export interface Site {
  readonly name: string;
  readonly shape: ShapeName;
  readonly world: World;
}

/** Three functions, one with a route and one that pulls; `code` changes all, `extra` changes what is asked for. */
export function service(code: string, extra: Partial<PlainService> = {}): PlainService {
  return {
    functions: {
      checkout: { code: `checkout ${code}`, routes: ['POST /orders'] },
      list: { code: `list ${code}`, routes: ['GET /products'] },
      worker: { code: `worker ${code}`, queues: ['orders'] },
      ...extra.functions,
    },
    things: extra.things ?? {},
  };
}

export function intentOf(sites: readonly Site[], plain: PlainService, extra: Partial<Intent> = {}): Intent {
  const irs: Record<string, Ir> = Object.fromEntries(
    sites.map((site) => [site.name, irOf(site.shape, plain)]),
  );
  return {
    irs,
    artifacts: digestsOf(irs),
    rollout: allAtOnce,
    checks: [],
    keep: 3,
    origin: 'test',
    by,
    ...extra,
  };
}

function digestsOf(irs: Readonly<Record<string, Ir>>): Record<string, Digest> {
  return Object.fromEntries(unitsOf(irs).map((of) => [of.key, built(of.part.build).digest]));
}

const built = (build: Json): Artifact => artifactOf(canonical(build));

/** A stage on one or more simulated providers, with actors that share a clock. */
export interface Bench {
  readonly sites: readonly Site[];
  readonly world: World;
  run(name?: string, options?: Parameters<ReturnType<typeof simulatedClock>['run']>[1]): SimulatedRun;
  context(run: Run, options?: ContextOptions): Promise<Context>;
  deploy(run: Run, intent: Intent, options?: Partial<ReleaseOptions>): ReturnType<typeof deployRelease>;
  readonly hands: (site?: Site) => ReturnType<typeof stageHands>;
  readonly clock: ReturnType<typeof simulatedClock>;
}

export interface ContextOptions {
  /** Built code at hand; default true. */
  readonly artifacts?: Intent | false;
  readonly scope?: Scope;
  readonly secrets?: Context['secrets'];
}

export function bench(sites: readonly Site[], options: ClockOptions = {}): Bench {
  const clock = simulatedClock({ seed: 1, ...options });
  const world = sites[0]!.world;
  const at =
    (where: Scope) =>
    async (run: Run, given: ContextOptions = {}): Promise<Context> => {
      const connections = Object.fromEntries(
        await Promise.all(
          sites.map(
            async (site) => [site.name, await memoryProvider({ ...site }).connect(where, {}, run)] as const,
          ),
        ),
      );
      const intent = given.artifacts;
      return {
        run,
        scope: where,
        state: stageState(worldStore(world), where, run),
        fleet: fleet(connections, run),
        ...(given.secrets === undefined ? {} : { secrets: given.secrets }),
        ...(intent
          ? { artifact: async (unit) => built(unitsOf(intent.irs).find((of) => of.key === unit)!.part.build) }
          : {}),
      };
    };
  return {
    sites,
    world,
    clock,
    run: (name = 'ana', actor = {}) => clock.run(name, actor),
    context: (run, given = {}) => at(given.scope ?? scope)(run, given),
    deploy: async (run, intent, given = {}) =>
      deployRelease(await at(scope)(run, { artifacts: intent }), intent, { waitMs: 0, ...given }),
    hands: (site = sites[0]!) => stageHands(site.world, site.shape, scope, clock.now),
  };
}

export function siteOf(shape: ShapeName, name = 'memory', world: World = memoryWorld(emptyWorld())): Site {
  return { name, shape, world };
}

export const act = {
  promote: async (b: Bench, run: Run, options: { full?: boolean } = {}) =>
    promoteRelease(await b.context(run), { waitMs: 600_000, ...options }),
  rollback: async (b: Bench, run: Run, to?: string, waitMs = 600_000) =>
    rollbackRelease(await b.context(run), { waitMs, to, by }),
  resume: async (b: Bench, run: Run, artifacts: Intent | false = false) =>
    resumeRelease(await b.context(run, { artifacts }), { waitMs: 600_000 }),
  adopt: async (b: Bench, run: Run, intent: Intent) =>
    adoptRelease(await b.context(run), intent, { waitMs: 600_000 }),
  remove: async (b: Bench, run: Run, where: Scope = scope) =>
    removeStage(await b.context(run, { scope: where }), { waitMs: 600_000 }),
  status: async (b: Bench, run: Run) => statusOf(await b.context(run)),
  plan: async (b: Bench, run: Run, intent: Intent) => planRelease(await b.context(run), intent),
};

/** unit → `build text` share, through every alias, as callers meet it now. */
export function servedNow(b: Bench): Record<string, Record<string, number>> {
  const result: Record<string, Record<string, number>> = {};
  for (const site of b.sites) {
    for (const caller of b.hands(site).callers(b.clock.now())) {
      if (!caller.active) continue;
      const key = `${site.name} ${caller.source}`;
      result[key] = {};
      for (const to of caller.to)
        result[key][to.digest ?? to.version] = (result[key][to.digest ?? to.version] ?? 0) + to.percent;
      if (caller.problem !== undefined) result[key][`problem: ${caller.problem}`] = 100;
    }
  }
  return result;
}

export async function headOf(b: Bench, run: Run) {
  return (await (await b.context(run)).state.readHead()).head;
}
