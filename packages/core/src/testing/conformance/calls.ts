import assert from 'node:assert/strict';
import { isObject, type Json } from '../../json.js';
import type { Alias, InvokeTarget } from '../../provider/contract.js';
import {
  type Bench,
  type Case,
  first,
  goLive,
  notApplicable,
  type Opened,
  rejectsWith,
  setDone,
  tableOf,
} from './bench.js';
import { canaryOf, type Pair, pair } from './traffic.js';

function versionIn(bench: Bench, answer: Json): string | undefined {
  if (bench.options.versionOf !== undefined) return bench.options.versionOf(answer);
  const version = isObject(answer) ? answer['version'] : undefined;
  return typeof version === 'string' ? version : undefined;
}

async function call(bench: Bench, opened: Opened, target: InvokeTarget): Promise<string | undefined> {
  return versionIn(
    bench,
    await opened.connection.invoke(target, bench.options.payload?.(target.function) ?? null),
  );
}

/** A function of an alias whose unit's version differs between a and b. */
function functionOf(bench: Bench, alias: Alias, both: Pick<Pair, 'a' | 'b'>) {
  const unit = bench.options
    .ir('a')
    .units.find((one) => alias.units.includes(one.id) && both.a[one.id]?.id !== both.b[one.id]?.id);
  assert.ok(unit !== undefined, 'variant b must change a unit of the first alias');
  return { unit: unit.id, name: first(unit.functions, 'a function') };
}

/** How many of `calls` calls through the alias the candidate answered. */
async function hits(bench: Bench, both: Pair, calls: number): Promise<number> {
  const { unit, name } = functionOf(bench, both.alias, both);
  let count = 0;
  for (let index = 0; index < calls; index++) {
    const version = await call(bench, both.opened, { alias: both.alias.id, function: name });
    if (version === undefined) throw notApplicable('answers do not tell their version');
    assert.ok(version === both.a[unit]?.id || version === both.b[unit]?.id, `an answer of ${version}`);
    if (version === both.b[unit]?.id) count += 1;
  }
  return count;
}

export const callCases: readonly Case[] = [
  {
    name: 'an alias sends every call to stable',
    async test(bench) {
      const both = await pair(bench);
      assert.equal(await hits(bench, both, 20), 0);
      await setDone(both.opened, both.alias, { from: both.atA, to: both.atB });
      assert.equal(await hits(bench, both, 20), 20);
    },
  },
  {
    name: 'calls reach the candidate in the share that was asked for',
    async test(bench) {
      const both = await pair(bench);
      const { split } = both.opened.connection.capabilities;
      if (split.targets === 1) throw notApplicable('one target');
      const percent = Math.max(split.step, Math.round(20 / split.step) * split.step);
      const canary = canaryOf(both, percent);
      await setDone(both.opened, both.alias, { from: both.atA, to: canary });
      const calls = bench.options.calls ?? 400;
      const share = percent / 100;
      const count = await hits(bench, both, calls);
      // Wide enough to fail by chance once in a million times, and far from the share that stable has.
      const wide = 5 * Math.sqrt(calls * share * (1 - share));
      assert.ok(Math.abs(count - calls * share) <= wide, `${count} of ${calls} calls at ${percent} %`);
      const none = canaryOf(both, 0);
      await setDone(both.opened, both.alias, { from: canary, to: none });
      assert.equal(await hits(bench, both, 20), 0, 'a candidate at 0 % gets no calls');
    },
  },
  {
    name: 'a version is called by its own address before it has traffic',
    async test(bench) {
      const both = await pair(bench);
      const { opened, alias, b, a } = both;
      if (!opened.connection.capabilities.candidateAddress) throw notApplicable('no address');
      const { unit, name } = functionOf(bench, alias, both);
      const version = await call(bench, opened, { version: b[unit]!, function: name });
      assert.ok(version === undefined || version === b[unit]!.id);
      assert.ok(
        [undefined, a[unit]!.id].includes(await call(bench, opened, { alias: alias.id, function: name })),
      );
    },
  },
  {
    name: 'without an address of its own, calling a version is SFX3005',
    async test(bench) {
      const opened = await bench.open();
      if (opened.connection.capabilities.candidateAddress) throw notApplicable('versions have addresses');
      const unit = first(bench.options.ir('a').units, 'a unit');
      const version = await bench.stageOne(opened, 'a', unit);
      const target = { version, function: first(unit.functions, 'a function') };
      await rejectsWith('SFX3005', opened.connection.invoke(target, null), 'calling a version');
    },
  },
  {
    name: 'every function of every unit answers',
    async test(bench) {
      const opened = await bench.open();
      const ir = bench.options.ir('a');
      const a = await bench.stage(opened, 'a');
      await goLive(opened, ir, a);
      for (const alias of ir.aliases) {
        assert.deepEqual((await opened.connection.traffic.read(alias)).table, tableOf(alias, a));
        for (const unit of ir.units.filter((one) => alias.units.includes(one.id))) {
          for (const name of unit.functions) {
            const version = await call(bench, opened, { alias: alias.id, function: name });
            assert.ok(version === undefined || version === a[unit.id]?.id);
          }
        }
      }
    },
  },
  {
    name: 'calling an alias that is not there is a coded error',
    async test(bench) {
      const opened = await bench.open();
      const ir = bench.options.ir('a');
      const name = first(first(ir.units, 'a unit').functions, 'a function');
      const alias = first(ir.aliases, 'an alias').id;
      await assert.rejects(
        opened.connection.invoke({ alias, function: name }, null),
        (error: { code?: unknown }) => /^SFX[36]/.test(String(error.code)),
      );
    },
  },
];
