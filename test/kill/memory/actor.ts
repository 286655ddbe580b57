/**
 * Run as a process of its own: does things to stages in worlds of files, and is killed where the plan says.
 * Words: JSON `Order`s. Answers with a JSON `Report` for each on stdout.
 */

import { isSfxError } from '../../../packages/core/src/errors.js';
import type { Intent } from '../../../packages/core/src/plan/intent.js';
import { adoptRelease } from '../../../packages/core/src/release/adopt.js';
import type { Context } from '../../../packages/core/src/release/context.js';
import { deployRelease } from '../../../packages/core/src/release/deploy.js';
import { fleet } from '../../../packages/core/src/release/fleet.js';
import type { Outcome } from '../../../packages/core/src/release/outcome.js';
import { promoteRelease } from '../../../packages/core/src/release/promote.js';
import { removeStage } from '../../../packages/core/src/release/remove.js';
import { resumeRelease } from '../../../packages/core/src/release/resume.js';
import { rollbackRelease } from '../../../packages/core/src/release/rollback.js';
import type { Run } from '../../../packages/core/src/run.js';
import { createRun } from '../../../packages/core/src/run-node.js';
import { stageState } from '../../../packages/core/src/state/stage-state.js';
import {
  artifactsOf,
  type Fault,
  fileWorld,
  memoryProvider,
  type ShapeName,
  shapes,
  stageHands,
  type World,
  withFaults,
  worldStore,
} from '../../../packages/core/src/testing/index.js';
import { by, intentFor, scope } from './service.js';

export type Act =
  | 'deploy v1'
  | 'deploy v2'
  | 'canary v2'
  | 'promote'
  | 'rollback'
  | 'resume'
  /** Rolls back what is open, if anything is. */
  | 'close'
  | 'remove'
  | 'adopt'
  /** Takes the documents of the stage away, as a lost disk does. */
  | 'lose state';

export interface Order {
  readonly folder: string;
  readonly shape: ShapeName;
  /** v2 changes code only, or triggers and things as well. */
  readonly v2: 'code' | 'all';
  /** One after the other; the state is looked at after each. */
  readonly acts: readonly Act[];
  readonly faults: readonly Fault[];
  /** Sleeps of 100 ms and more take a hundredth: whoever takes a lease over waits out what its dead holder sent. */
  readonly hurry: boolean;
}

export interface Report {
  readonly calls: readonly { readonly op: string; readonly writes: boolean }[];
  readonly done: readonly {
    readonly act: Act;
    readonly ending?: Outcome['ending'];
    readonly code?: string;
    readonly message?: string;
    readonly served: string;
    readonly open: number | null;
    readonly leased: boolean;
  }[];
}

const clock = createRun({ signal: new AbortController().signal, emit: () => {} });

interface Scene {
  readonly order: Order;
  readonly world: World;
  readonly run: Run;
}

async function contextOf({ order: { shape }, world, run }: Scene, intent?: Intent): Promise<Context> {
  const provider = memoryProvider({
    shape,
    world,
    // Short leases and no write rate: what is tested is what a kill leaves, not how long clouds take.
    probed: { writesPerSecond: 10_000, flip: { ...shapes[shape].flip, takes: 'subsecond' } },
    // A redeploy has two parts, and the second must come while the first one lasts.
    timing: { readyMs: 1, busyMs: shape === 'flex' ? 200 : 1, pollMs: 1 },
  });
  const connections = { memory: await provider.connect(scope, {}, run) };
  const built = intent === undefined ? undefined : artifactsOf(intent.irs['memory']!);
  return {
    run,
    scope,
    state: stageState(worldStore(world), scope, run),
    fleet: fleet(connections, run),
    ...(built === undefined ? {} : { artifact: async (unit) => built[unit.slice('memory/'.length)] }),
  };
}

async function perform(scene: Scene, act: Exclude<Act, 'close' | 'lose state'>): Promise<Outcome> {
  const { shape, v2 } = scene.order;
  const next = intentFor(shape, v2, act === 'canary v2' ? 5 : undefined);
  const waitMs = 60_000;
  switch (act) {
    case 'deploy v1': {
      const first = intentFor(shape, 'none');
      return deployRelease(await contextOf(scene, first), first, { waitMs });
    }
    case 'deploy v2':
    case 'canary v2':
      // What was rolled back is deployed again at the end, to see that it can be.
      return deployRelease(await contextOf(scene, next), { ...next, force: true }, { waitMs });
    case 'promote':
      return promoteRelease(await contextOf(scene), { waitMs });
    case 'rollback':
      return rollbackRelease(await contextOf(scene), { waitMs, by });
    case 'remove':
      return removeStage(await contextOf(scene), { waitMs });
    case 'adopt': {
      const first = intentFor(shape, 'none');
      return adoptRelease(await contextOf(scene, first), first, { waitMs });
    }
    case 'resume':
      return resumeRelease(await contextOf(scene, next), { waitMs });
  }
}

/** Source of each trigger that is active → what its calls meet. */
function servedIn({ order, world }: Scene): string {
  const rows = stageHands(world, order.shape, scope)
    .callers()
    .filter((caller) => caller.active)
    .map((caller) => [
      `${caller.kind} ${caller.source}`,
      [
        ...caller.to.map((to) => `${to.digest ?? to.version} ${to.percent}`),
        ...(caller.problem ? [caller.problem] : []),
      ],
    ]);
  return JSON.stringify(Object.fromEntries(rows.sort()));
}

async function one(scene: Scene, act: Act): Promise<Report['done'][number]> {
  const headNow = async () => (await stageState(worldStore(scene.world), scope, clock).readHead()).head;
  let ended: Pick<Report['done'][number], 'ending' | 'code' | 'message'> = {};
  try {
    if (act === 'lose state') {
      scene.world.change((document) => {
        document.store = {};
      });
    } else if (act !== 'close' || (await headNow())?.open != null) {
      const outcome = await perform(scene, act === 'close' ? 'rollback' : act);
      const { error } = outcome;
      ended = { ending: outcome.ending, ...(error && { code: error.code, message: error.message }) };
    }
  } catch (error) {
    if (!isSfxError(error)) throw error;
    ended = { code: error.code, message: error.message };
  }
  const head = await headNow();
  return {
    act,
    ...ended,
    served: servedIn(scene),
    open: head?.open ?? null,
    leased: (head?.lease ?? null) !== null,
  };
}

async function follow(order: Order): Promise<Report> {
  const sleep: Run['sleep'] = (ms, until) => clock.sleep(order.hurry && ms >= 100 ? ms / 100 : ms, until);
  const run = withFaults({ ...clock, holder: clock.holder, sleep }, order.faults);
  const scene = { order, world: fileWorld(order.folder), run };
  const done: Report['done'][number][] = [];
  for (const act of order.acts) done.push(await one(scene, act));
  return { calls: run.faults.calls, done };
}

const reports: Report[] = [];
for (const order of process.argv.slice(2)) reports.push(await follow(JSON.parse(order) as Order));
process.stdout.write(JSON.stringify(reports));
