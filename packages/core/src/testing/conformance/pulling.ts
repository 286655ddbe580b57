import assert from 'node:assert/strict';
import type { ResourceHandler, Table, Trigger } from '../../provider/contract.js';
import { type Bench, type Case, notApplicable, type Opened, setDone, targetOf } from './bench.js';
import { canaryOf, type Pair, pair } from './traffic.js';

/** Deliveries of one statistical case. */
const MANY = 120;
const LOOKS = 600;
const LOOK_MS = 50;

/** A trigger that pulls, what comes in at its source, and what came of it. */
interface Source {
  readonly trigger: Trigger;
  readonly handler: ResourceHandler;
  /** Lets things come in and answers the versions that got them, once all are delivered. */
  feed(count: number): Promise<readonly string[]>;
  /** Waits until nothing more is delivered for a while. */
  settle(): Promise<number>;
  /** Lets something come in and waits for a while: nothing may be delivered. */
  ignores(why: string): Promise<void>;
  enable(enabled: boolean, changes?: Parameters<typeof targetOf>[1]): Promise<void>;
  remove(): Promise<void>;
}

function sourceOf(bench: Bench, opened: Opened, trigger: Trigger): Source {
  const { offer, deliveries, quietMs = 300 } = bench.options;
  const handler = opened.connection.resources[trigger.kind]!;
  const seen = async () => (await deliveries?.(bench.scope, trigger)) ?? [];
  return {
    trigger,
    handler,
    async feed(count) {
      const before = (await seen()).length;
      await offer?.(bench.scope, trigger, count);
      for (let looks = 0; looks < LOOKS; looks++) {
        const now = await seen();
        if (now.length >= before + count) return now.slice(before);
        await opened.run.sleep(LOOK_MS);
      }
      return assert.fail(`${trigger.id}: ${(await seen()).length - before} of ${count} were delivered`);
    },
    async settle() {
      for (let looks = 0; looks < LOOKS; looks++) {
        const before = (await seen()).length;
        await opened.run.sleep(quietMs);
        if ((await seen()).length === before) return before;
      }
      return assert.fail(`${trigger.id} delivers without end`);
    },
    async ignores(why) {
      const before = (await seen()).length;
      await offer?.(bench.scope, trigger, 2);
      await opened.run.sleep(quietMs);
      assert.equal((await seen()).length - before, 0, `${trigger.id} delivers: ${why}`);
    },
    async enable(enabled, changes = {}) {
      const target = targetOf(trigger, { enabled, ...changes });
      await handler.reconcile(target, await handler.read(target));
    },
    async remove() {
      const now = await handler.read(targetOf(trigger));
      if (now !== undefined) await handler.remove(targetOf(trigger), now);
    },
  };
}

/** Every trigger of the IR that pulls. */
function sourcesOf(bench: Bench, opened: Opened): readonly Source[] {
  if (bench.options.offer === undefined || bench.options.deliveries === undefined)
    throw notApplicable('no way to let something come in');
  const found = bench.options.ir('a').triggers.filter((one) => one.delivers === 'pulls');
  if (found.length === 0) throw notApplicable('no trigger that pulls');
  return found.map((trigger) => sourceOf(bench, opened, trigger));
}

/** Enabled, and what was left from before is delivered. */
async function enabled(source: Source): Promise<void> {
  await source.enable(true);
  await source.feed(1);
  await source.settle();
}

function unitOf(both: Pair, trigger: Trigger, bench: Bench): string {
  const unit = bench.options.ir('a').units.find((one) => one.functions.includes(trigger.function));
  assert.ok(unit !== undefined && both.a[unit.id] !== undefined, `${trigger.id} has a unit`);
  return unit.id;
}

async function move(both: Pair, from: Table, to: Table): Promise<void> {
  await setDone(both.opened, both.alias, { from, to });
}

/** The pair of the alias that this trigger points at. */
function pairOf(bench: Bench, trigger: Trigger): Promise<Pair> {
  const alias = bench.options.ir('a').aliases.find((one) => one.id === trigger.alias);
  return pair(bench, alias);
}

/** Runs `test` for each source, with a pair of its own alias. */
async function eachSource(
  bench: Bench,
  test: (source: Source, both: Pair, unit: string) => Promise<void>,
): Promise<void> {
  const pairs = new Map<string, Pair>();
  const looking = await bench.open();
  for (const { trigger } of sourcesOf(bench, looking)) {
    const both = pairs.get(trigger.alias) ?? (await pairOf(bench, trigger));
    pairs.set(trigger.alias, both);
    const { table } = await both.opened.connection.traffic.read(both.alias);
    await move(both, table, both.atA);
    await test(sourceOf(bench, both.opened, trigger), both, unitOf(both, trigger, bench));
  }
}

export const pullingCases: readonly Case[] = [
  {
    name: 'disabled it delivers nothing, enabled it does, disabled again nothing further',
    async test(bench) {
      await eachSource(bench, async (source, both, unit) => {
        await source.enable(false);
        await source.ignores('it was made disabled');
        await enabled(source);
        assert.ok((await source.feed(3)).every((version) => version === both.a[unit]!.id));
        await source.enable(false);
        await source.ignores('it was disabled');
      });
    },
  },
  {
    name: 'taken away, it delivers nothing',
    async test(bench) {
      await eachSource(bench, async (source) => {
        await enabled(source);
        await source.remove();
        await source.ignores('it was taken away');
      });
    },
  },
  {
    name: 'made enabled again as it is, it delivers each thing once',
    async test(bench) {
      await eachSource(bench, async (source) => {
        await enabled(source);
        await source.enable(true);
        await source.enable(true);
        const before = await source.settle();
        await source.feed(4);
        assert.equal((await source.settle()) - before, 4, source.trigger.id);
      });
    },
  },
  {
    name: 'deliveries go to the versions of the alias, and to no other',
    async test(bench) {
      await eachSource(bench, async (source, both, unit) => {
        const { a, b, atA, atB } = both;
        assert.notEqual(a[unit]!.id, b[unit]!.id, 'variant b must change what the trigger calls');
        await enabled(source);
        const only = (versions: readonly string[], one: { readonly id: string }) =>
          assert.deepEqual([...new Set(versions)], [one.id], source.trigger.id);
        only(await source.feed(10), a[unit]!);
        await move(both, atA, atB);
        only(await source.feed(10), b[unit]!);
        for (const version of Object.values(a)) await both.opened.connection.versions.warm(version);
        await move(both, atB, atA);
        only(await source.feed(10), a[unit]!);
      });
    },
  },
  {
    name: 'a candidate gets its share of deliveries where splits are for all, and none where they are for HTTP',
    async test(bench) {
      await eachSource(bench, async (source, both, unit) => {
        const { split } = both.opened.connection.capabilities;
        if (split.targets === 1) throw notApplicable('one target');
        const percent = Math.max(split.step, Math.round(50 / split.step) * split.step);
        await enabled(source);
        const canary = canaryOf(both, percent);
        await move(both, both.atA, canary);
        const got = await source.feed(MANY);
        const { a, b } = both;
        for (const version of got) assert.ok([a[unit]!.id, b[unit]!.id].includes(version), version);
        const hits = got.filter((version) => version === b[unit]!.id).length;
        const share = split.scope === 'all' ? percent / 100 : 0;
        // Wide enough to fail by chance once in a million times.
        const wide = 5 * Math.sqrt(MANY * share * (1 - share));
        assert.ok(
          Math.abs(hits - MANY * share) <= wide,
          `${source.trigger.id}: ${hits} of ${MANY} at ${percent} %`,
        );
        await move(both, canary, canaryOf(both, 0));
        const none = await source.feed(10);
        assert.ok(
          none.every((version) => version === a[unit]!.id),
          'a candidate at 0 % gets nothing',
        );
        await move(both, canaryOf(both, 0), both.atA);
      });
    },
  },
  {
    name: 'pointed at another function, it delivers there and not to the first',
    async test(bench) {
      await eachSource(bench, async (source, both) => {
        const { trigger } = source;
        const ir = bench.options.ir('a');
        const other = ir.units.find(
          (unit) => both.alias.units.includes(unit.id) && !unit.functions.includes(trigger.function),
        );
        if (other === undefined) throw notApplicable('no other function behind this alias');
        await enabled(source);
        await source.enable(true, { to: { alias: trigger.alias, function: other.functions[0]! } });
        const got = await source.feed(5);
        assert.ok(
          got.every((version) => version === both.a[other.id]!.id),
          trigger.id,
        );
      });
    },
  },
];
