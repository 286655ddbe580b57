import assert from 'node:assert/strict';
import { canonical } from '../../json.js';
import type { Version } from '../../provider/contract.js';
import {
  atEveryWrite,
  type Bench,
  type Case,
  first,
  goLive,
  notApplicable,
  type Opened,
  rejectsWith,
  STAMP,
  setDone,
  tableOf,
} from './bench.js';

const ids = (versions: readonly Version[]) => versions.map((version) => version.id).sort();

function unitOf(bench: Bench) {
  return first(bench.options.ir('a').units, 'a unit');
}

async function listed(opened: Opened, unit: string): Promise<readonly Version[]> {
  return opened.connection.versions.list(unit);
}

const staging: readonly Case[] = [
  {
    name: 'a staged version is listed with its unit and digest',
    async test(bench) {
      const opened = await bench.open();
      const unit = unitOf(bench);
      assert.deepEqual(await listed(opened, unit.id), [], 'a new stage has no versions');
      const version = await bench.stageOne(opened, 'a', unit);
      const [found, ...more] = await listed(opened, unit.id);
      assert.equal(more.length, 0);
      assert.deepEqual({ ...found, release: undefined }, { ...version, release: undefined });
      assert.equal(version.unit, unit.id);
    },
  },
  {
    name: 'staging the same digest again answers the same version',
    async test(bench) {
      const opened = await bench.open();
      const unit = unitOf(bench);
      const before = await bench.stageOne(opened, 'a', unit);
      const after = await bench.stageOne(opened, 'a', unit, { release: 2, fence: 2 });
      assert.equal(after.id, before.id);
      assert.equal((await listed(opened, unit.id)).length, 1);
    },
  },
  {
    name: 'two that stage the same digest at once get one version',
    async test(bench) {
      const opened = await bench.open();
      const other = await bench.open();
      const unit = unitOf(bench);
      const [a, b] = await Promise.all([bench.stageOne(opened, 'a', unit), bench.stageOne(other, 'a', unit)]);
      assert.equal(a.id, b.id);
      assert.equal((await listed(opened, unit.id)).length, 1);
    },
  },
  {
    name: 'other code is another version',
    async test(bench) {
      const opened = await bench.open();
      const a = await bench.stage(opened, 'a');
      const b = await bench.stage(opened, 'b');
      const changed = Object.keys(a).filter((unit) => a[unit]?.digest !== b[unit]?.digest);
      assert.ok(changed.length > 0, 'variant b must change the code of a unit');
      for (const unit of changed) assert.notEqual(a[unit]?.id, b[unit]?.id);
    },
  },
  {
    name: 'the same code with another configuration is another version',
    async test(bench) {
      const opened = await bench.open();
      const a = await bench.stage(opened, 'a');
      const config = await bench.stage(opened, 'config');
      const changed = Object.keys(a).filter((unit) => a[unit]?.digest !== config[unit]?.digest);
      assert.ok(changed.length > 0, 'variant config must configure a unit otherwise');
      for (const unit of changed) assert.notEqual(a[unit]?.id, config[unit]?.id);
    },
  },
  {
    name: 'staging a, b, and a again answers the first a',
    async test(bench) {
      const opened = await bench.open();
      const a = await bench.stage(opened, 'a');
      await bench.stage(opened, 'b');
      assert.deepEqual(
        await bench.stage(opened, 'a').then((again) => ids(Object.values(again))),
        ids(Object.values(a)),
      );
    },
  },
  {
    name: 'staging moves no traffic',
    async test(bench) {
      const opened = await bench.open();
      const ir = bench.options.ir('a');
      await goLive(opened, ir, await bench.stage(opened, 'a'));
      const before = await Promise.all(ir.aliases.map((alias) => opened.connection.traffic.read(alias)));
      for (const unit of bench.options.ir('b').units) await bench.stageOne(opened, 'b', unit);
      const after = await Promise.all(ir.aliases.map((alias) => opened.connection.traffic.read(alias)));
      assert.deepEqual(
        after.map((state) => state.table),
        before.map((state) => state.table),
      );
    },
  },
  {
    name: 'staging of a unit that has no alias yet makes none',
    async test(bench) {
      const opened = await bench.open();
      await bench.stage(opened, 'a');
      for (const alias of bench.options.ir('a').aliases) {
        assert.deepEqual((await opened.connection.traffic.read(alias)).table, {});
      }
    },
  },
  {
    name: 'an answer lost at any write of staging, repeated, leaves one version',
    async test(bench) {
      const opened = await bench.open();
      const unit = unitOf(bench);
      const writes = await atEveryWrite(opened, { do: 'lose' }, async () => {
        for (const version of await listed(opened, unit.id)) await opened.connection.versions.remove(version);
        return {
          act: () => bench.stageOne(opened, 'a', unit),
          check: async (error) => {
            assert.ok(error !== undefined, 'a lost answer is told');
            const version = await bench.stageOne(opened, 'a', unit);
            assert.deepEqual(ids(await listed(opened, unit.id)), [version.id]);
            await opened.connection.versions.warm(version);
          },
        };
      });
      assert.ok(writes > 0, 'staging writes, and each write goes through Run.call');
    },
  },
  {
    name: 'staging that failed at any write, repeated, succeeds',
    async test(bench) {
      const opened = await bench.open();
      const unit = unitOf(bench);
      await atEveryWrite(opened, { do: 'fail' }, async () => {
        for (const version of await listed(opened, unit.id)) await opened.connection.versions.remove(version);
        return {
          act: () => bench.stageOne(opened, 'a', unit),
          check: async () => {
            const version = await bench.stageOne(opened, 'a', unit);
            assert.deepEqual(ids(await listed(opened, unit.id)), [version.id]);
          },
        };
      });
    },
  },
];

const keeping: readonly Case[] = [
  {
    name: 'the list rebuilds what a lost state knew',
    async test(bench) {
      const opened = await bench.open();
      const staged = [
        ...Object.values(await bench.stage(opened, 'a')),
        ...Object.values(await bench.stage(opened, 'b')),
      ];
      const other = await bench.open();
      const found = await Promise.all(bench.options.ir('a').units.map((unit) => listed(other, unit.id)));
      const key = (version: Version) => canonical([version.unit, version.id, version.digest]);
      assert.deepEqual([...new Set(found.flat().map(key))].sort(), [...new Set(staged.map(key))].sort());
    },
  },
  {
    name: 'a version is warmed without its artifact, by another connection, twice',
    async test(bench) {
      const opened = await bench.open();
      const ir = bench.options.ir('a');
      const a = await bench.stage(opened, 'a');
      await goLive(opened, ir, a);
      const b = await bench.stage(opened, 'b');
      for (const alias of ir.aliases)
        await setDone(opened, alias, { from: tableOf(alias, a), to: tableOf(alias, b) });
      const other = await bench.open();
      for (const version of Object.values(a)) {
        await other.connection.versions.warm(version);
        await other.connection.versions.warm(version);
      }
      for (const alias of ir.aliases)
        await setDone(other, alias, { from: tableOf(alias, b), to: tableOf(alias, a) });
    },
  },
  {
    name: 'warming a version that is gone is SFX3105',
    async test(bench) {
      const opened = await bench.open();
      const version = await bench.stageOne(opened, 'a', unitOf(bench));
      await opened.connection.versions.remove(version);
      await rejectsWith('SFX3105', opened.connection.versions.warm(version), 'warming what is gone');
    },
  },
  {
    name: 'removing a version that an alias names is SFX3107, and it stays',
    async test(bench) {
      const opened = await bench.open();
      const ir = bench.options.ir('a');
      const a = await bench.stage(opened, 'a');
      await goLive(opened, ir, a);
      for (const version of Object.values(a)) {
        await rejectsWith('SFX3107', opened.connection.versions.remove(version), 'removing stable');
        assert.ok(ids(await listed(opened, version.unit)).includes(version.id));
      }
    },
  },
  {
    name: 'removing a candidate is SFX3107, at 0 % too',
    async test(bench) {
      const opened = await bench.open();
      if (opened.connection.capabilities.split.targets === 1) throw notApplicable('one target');
      const alias = first(bench.options.ir('a').aliases, 'an alias');
      const a = await bench.stage(opened, 'a');
      await setDone(opened, alias, { from: {}, to: tableOf(alias, a) });
      const b = await bench.stage(opened, 'b');
      const to = tableOf(alias, a, { versions: b, percent: 0 });
      await setDone(opened, alias, { from: tableOf(alias, a), to });
      const candidate = alias.units
        .map((unit) => b[unit]!)
        .find((version) => version.id !== a[version.unit]!.id)!;
      await rejectsWith('SFX3107', opened.connection.versions.remove(candidate), 'removing a candidate');
    },
  },
  {
    name: 'a version that nothing names is removed, and gone is success',
    async test(bench) {
      const opened = await bench.open();
      const ir = bench.options.ir('a');
      const a = await bench.stage(opened, 'a');
      await goLive(opened, ir, a);
      const b = await bench.stage(opened, 'b');
      const spare = Object.values(b).filter((version) => version.id !== a[version.unit]!.id);
      for (const version of spare) {
        await opened.connection.versions.remove(version);
        await opened.connection.versions.remove(version);
        assert.ok(!ids(await listed(opened, version.unit)).includes(version.id));
      }
      for (const version of Object.values(a)) {
        assert.ok(ids(await listed(opened, version.unit)).includes(version.id), 'others stay');
      }
    },
  },
  {
    name: 'a version that was removed can be staged again',
    async test(bench) {
      const opened = await bench.open();
      const unit = unitOf(bench);
      await opened.connection.versions.remove(await bench.stageOne(opened, 'a', unit));
      const again = await bench.stageOne(opened, 'a', unit);
      await opened.connection.versions.warm(again);
      assert.deepEqual(ids(await listed(opened, unit.id)), [again.id]);
    },
  },
  {
    name: 'a version that was cooled can be warmed again',
    async test(bench) {
      const opened = await bench.open();
      const { cool, warm } = opened.connection.versions;
      if (cool === undefined) throw notApplicable('no cool');
      const version = await bench.stageOne(opened, 'a', unitOf(bench));
      await warm(version);
      await cool(version);
      await cool(version);
      await warm(version);
    },
  },
  {
    name: 'the release that made a version is kept, or not told',
    async test(bench) {
      const opened = await bench.open();
      const version = await bench.stageOne(opened, 'a', unitOf(bench), { ...STAMP, release: 7 });
      const [found] = await listed(opened, version.unit);
      assert.ok(found?.release === undefined || found.release === 7);
    },
  },
];

export const versionCases: readonly Case[] = [...staging, ...keeping];
