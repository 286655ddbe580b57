import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import {
  type Fault,
  fileWorld,
  type ShapeName,
  shapeNames,
  shapes,
} from '../../../packages/core/src/testing/index.js';
import {
  bundled,
  type Ended,
  inParallel,
  killStride,
  killsUpTo,
  plainEnv,
  startNode,
  tempDir,
} from '../../support.js';
import type { Act, Order, Report } from './actor.js';

/** What a process does that is killed, on which stage, and which v2 its service has. */
interface Scenario {
  readonly name: string;
  readonly v2: Order['v2'];
  readonly prepared: readonly Act[];
  readonly act: Act;
  /** Settled by the same command again, not by resume or rollback. */
  readonly again?: true;
}

const onAny: readonly Scenario[] = [
  { name: 'a first deploy', v2: 'all', prepared: [], act: 'deploy v1' },
  {
    name: 'a deploy that adds, moves and removes triggers',
    v2: 'all',
    prepared: ['deploy v1'],
    act: 'deploy v2',
  },
  { name: 'a rollback of it', v2: 'all', prepared: ['deploy v1', 'deploy v2'], act: 'rollback' },
  { name: 'a removal', v2: 'all', prepared: ['deploy v1'], act: 'remove', again: true },
  {
    name: 'an adoption of what is live',
    v2: 'all',
    prepared: ['deploy v1', 'lose state'],
    act: 'adopt',
    again: true,
  },
];
const gradual: readonly Scenario[] = [
  { name: 'a canary', v2: 'code', prepared: ['deploy v1'], act: 'canary v2' },
  { name: 'a promote', v2: 'code', prepared: ['deploy v1', 'canary v2'], act: 'promote' },
  { name: 'a rollback of a canary', v2: 'code', prepared: ['deploy v1', 'canary v2'], act: 'rollback' },
];

type Kill = Fault & { readonly do: 'kill' };

/** Worlds that one process settles, one after the other: each is opened anew, and starting processes is what takes time. */
const BATCH = 8;

function inParts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
}

/** Half of the kills are settled forward, half back. */
function recovery(scenario: Scenario, { at }: Kill): Act {
  if (scenario.again) return scenario.act;
  return at % 2 === 0 ? 'resume' : 'rollback';
}

/** A stage that is half removed is none that can be resumed, and nothing says that it is live. */
function looks({ act }: Scenario): Act[] {
  return act === 'remove' ? ['resume'] : [];
}

function assertSettled(
  { done }: Report,
  { started, old, fresh }: { readonly started: string; readonly old: string; readonly fresh: string },
  what: string,
): void {
  if (done.length > 3 && done[0]!.ending !== undefined) assert.equal(done[0]!.served, started, what);
  const [recovered, closed, later] = done.slice(-3);
  assert.ok(recovered && closed && later);
  // Nothing had begun yet, or there was nothing before it.
  const nothing =
    recovered.ending === undefined && ['SFX4112', 'SFX4113', 'SFX4119'].includes(recovered.code ?? '');
  const whole = /^(live|rolled back|failed|unchanged|paused|canary|removed|adopted)$/.test(
    recovered.ending ?? '',
  );
  assert.ok(nothing || whole, `${what}: ${JSON.stringify(recovered)}`);
  assert.ok(
    closed.served === old || closed.served === fresh,
    `${what}: neither all old nor all new: ${closed.served}`,
  );
  assert.deepEqual([closed.open, closed.leased], [null, false], what);
  assert.match(later.ending ?? '', /^(live|unchanged)$/, `${what}: a later deploy: ${JSON.stringify(later)}`);
}

describe('a process that deploys is killed at a call', () => {
  let dir = '';
  let script = '';
  let worlds = 0;

  before(async function () {
    this.timeout(60_000);
    dir = await tempDir('kill-memory');
    script = await bundled(join(import.meta.dirname, 'actor.ts'), join(dir, 'actor.mjs'));
    for (const name of ['here', 'elsewhere']) await mkdir(join(dir, name));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  function actor(orders: readonly Order[], cwd = 'here'): Promise<Ended> {
    const words = [script, ...orders.map((order) => JSON.stringify(order))];
    return startNode(words, { cwd: join(dir, cwd), env: plainEnv }).ended;
  }

  async function reports(orders: readonly Order[], cwd?: string): Promise<readonly Report[]> {
    const ended = await actor(orders, cwd);
    assert.equal(ended.exit, 0, ended.err);
    return JSON.parse(ended.out) as Report[];
  }

  /** A world like that of another folder; of its revisions only the last is needed. */
  function worldLike(folder?: string): string {
    const made = join(dir, `world-${worlds++}`);
    const world = fileWorld(made);
    if (folder !== undefined) {
      const document = fileWorld(folder).read();
      world.change((empty) => Object.assign(empty, document));
    }
    return made;
  }

  /** A stage before the scenario, what callers meet when it is undone and when it is done, and the calls that it makes. */
  async function measure(shape: ShapeName, scenario: Scenario) {
    const began = worldLike();
    const order = (folder: string, ...acts: readonly Act[]): Order => ({
      folder,
      shape,
      v2: scenario.v2,
      faults: [],
      hurry: false,
      acts,
    });
    const [start] = await reports([order(began, ...scenario.prepared)]);
    const isCanary = scenario.act === 'canary v2';
    const open = start!.done.at(-1)?.open != null;
    const [done, whole, undone] = await reports([
      order(worldLike(began), scenario.act),
      order(worldLike(began), scenario.act, ...(isCanary ? ['promote' as const] : [])),
      order(worldLike(began), ...(open ? ['rollback' as const] : [])),
    ]);
    assert.match(
      done!.done[0]!.ending ?? '',
      /^(live|canary|rolled back|removed|adopted)$/,
      JSON.stringify(done!.done),
    );
    const before = open ? undone : start;
    const fresh = whole!.done.at(-1)!.served;
    const old = scenario.again ? fresh : (before!.done.at(-1)?.served ?? '{}');
    return { began, calls: done!.calls, started: start!.done.at(-1)?.served ?? '{}', old, fresh };
  }

  type Measured = Awaited<ReturnType<typeof measure>>;

  /** Answers how many were killed. */
  async function killAndSettle(
    shape: ShapeName,
    scenario: Scenario,
    measured: Measured,
    faults: readonly Kill[],
  ): Promise<number> {
    const orders: Order[] = [];
    let killed = 0;
    const killedAt = (fault: Kill): string =>
      `${shape}: ${scenario.name}, killed ${fault.when} call ${fault.at} (${measured.calls[fault.at - 1]?.op}), then ${recovery(scenario, fault)}`;
    for (const fault of faults) {
      const order = { folder: worldLike(measured.began), shape, v2: scenario.v2 };
      const victim = await actor([{ ...order, acts: [scenario.act], faults: [fault], hurry: false }]);
      assert.ok(victim.signal === 'SIGKILL' || victim.exit === 0, `${killedAt(fault)}: ${victim.err}`);
      if (victim.signal === 'SIGKILL') killed += 1;
      orders.push({
        ...order,
        acts: [...looks(scenario), recovery(scenario, fault), 'close', 'deploy v2'],
        faults: [],
        hurry: true,
      });
    }
    const settled = await reports(orders, 'elsewhere');
    for (const [index, fault] of faults.entries()) assertSettled(settled[index]!, measured, killedAt(fault));
    for (const { folder } of orders) await rm(folder, { recursive: true, force: true });
    return killed;
  }

  for (const [turn, shape] of shapeNames.entries()) {
    describe(`on a provider in the shape of ${shape}`, () => {
      const scenarios = [...onAny, ...(shapes[shape].split.targets === 2 ? gradual : [])];
      for (const [index, scenario] of scenarios.entries()) {
        it(`${scenario.name} comes out all old or all new`, async () => {
          const measured = await measure(shape, scenario);
          const kills = killsUpTo(measured.calls.length, turn + index).flatMap((at, nth): Kill[] => {
            const { writes } = measured.calls[at - 1]!;
            const before = { at, do: 'kill', when: 'before' } as const;
            // After a read all is as before the next call.
            if (!writes) return [before];
            const after = { at, do: 'kill', when: 'after' } as const;
            return killStride === 1 ? [before, after] : [nth % 2 === 0 ? after : before];
          });
          assert.ok(kills.length > 0);
          let killed = 0;
          await inParallel(inParts(kills, BATCH), 2, async (part) => {
            const many = await killAndSettle(shape, scenario, measured, part);
            killed += many;
          });
          // What takes its time is looked at more or less often, so a command may end before its last call.
          assert.ok(killed >= kills.length * 0.9, `${killed} of ${kills.length} were killed`);
        }).timeout(300_000);
      }
    });
  }
});
