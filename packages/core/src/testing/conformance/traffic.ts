import assert from 'node:assert/strict';
import { sameJson } from '../../json.js';
import type { Alias, Move, Table } from '../../provider/contract.js';
import {
  atEveryWrite,
  type Bench,
  type Case,
  first,
  notApplicable,
  type Opened,
  rejectsWith,
  STAMP,
  setDone,
  settled,
  tableOf,
  type Versions,
} from './bench.js';

/** An alias that is at `a`, with `b` warm beside it; the first one of the IR unless another is given. */
export interface Pair {
  readonly opened: Opened;
  readonly alias: Alias;
  readonly a: Versions;
  readonly b: Versions;
  readonly atA: Table;
  readonly atB: Table;
}

export async function pair(
  bench: Bench,
  alias: Alias = first(bench.options.ir('a').aliases, 'an alias'),
): Promise<Pair> {
  const opened = await bench.open();
  const a = await bench.stage(opened, 'a');
  const atA = tableOf(alias, a);
  await setDone(opened, alias, { from: {}, to: atA });
  const b = await bench.stage(opened, 'b');
  return { opened, alias, a, b, atA, atB: tableOf(alias, b) };
}

/** Only units whose version differs have a candidate. */
export function canaryOf({ alias, a, b }: Pair, percent: number): Table {
  const all = tableOf(alias, a, { versions: b, percent });
  return Object.fromEntries(
    Object.entries(all).map(([unit, split]) => [
      unit,
      a[unit]?.id === b[unit]?.id ? { stable: split.stable } : split,
    ]),
  );
}

const withoutCandidates = (table: Table): Table =>
  Object.fromEntries(Object.entries(table).map(([unit, split]) => [unit, { stable: split.stable }]));

const read = (opened: Opened, alias: Alias) => opened.connection.traffic.read(alias);

const setting: readonly Case[] = [
  {
    name: 'an alias that nobody made is an empty table',
    async test(bench) {
      const opened = await bench.open();
      for (const alias of bench.options.ir('a').aliases) {
        const state = await read(opened, alias);
        assert.deepEqual(state.table, {});
        assert.equal(state.busy, undefined);
      }
    },
  },
  {
    name: 'an alias is made, moved, moved back and taken away, and reads back each time',
    async test(bench) {
      const { opened, alias, atA, atB, a } = await pair(bench);
      assert.deepEqual((await settled(opened, alias)).table, atA);
      await setDone(opened, alias, { from: atA, to: atB });
      assert.deepEqual((await read(opened, alias)).table, atB);
      for (const version of Object.values(a)) await opened.connection.versions.warm(version);
      await setDone(opened, alias, { from: atB, to: atA });
      assert.deepEqual((await read(opened, alias)).table, atA);
      await setDone(opened, alias, { from: atA, to: {} });
      assert.deepEqual((await read(opened, alias)).table, {});
    },
  },
  {
    name: 'a table that is there already is done, and set again changes nothing',
    async test(bench) {
      const { opened, alias, atA, atB } = await pair(bench);
      const before = await setDone(opened, alias, { from: atA, to: atB });
      const after = await setDone(opened, alias, { from: atA, to: atB });
      assert.equal(after.token, before.token, 'nothing was written');
    },
  },
  {
    name: 'a table that somebody else left is a conflict, and stays',
    async test(bench) {
      const { opened, alias, atA, atB } = await pair(bench);
      const other = await bench.open();
      await setDone(other, alias, { from: atA, to: {} });
      assert.equal(
        await opened.connection.traffic.set(alias, { from: atA, to: atB, stamp: STAMP }),
        'conflict',
      );
      assert.deepEqual((await read(opened, alias)).table, {});
    },
  },
  {
    name: 'an alias that is there is a conflict for who expects none',
    async test(bench) {
      const { opened, alias, atA, atB } = await pair(bench);
      assert.equal(
        await opened.connection.traffic.set(alias, { from: {}, to: atB, stamp: STAMP }),
        'conflict',
      );
      assert.deepEqual((await read(opened, alias)).table, atA);
    },
  },
  {
    name: 'a remembered token does not carry over what somebody else wrote',
    async test(bench) {
      const { opened, alias, atA, atB, a } = await pair(bench);
      const { token } = await read(opened, alias);
      if (token === undefined) throw notApplicable('no tokens');
      const other = await bench.open();
      await setDone(other, alias, { from: atA, to: atB });
      for (const version of Object.values(a)) await other.connection.versions.warm(version);
      const move: Move = { from: atA, to: {}, stamp: STAMP, token };
      assert.equal(await opened.connection.traffic.set(alias, move), 'conflict');
      assert.deepEqual((await read(opened, alias)).table, atB);
    },
  },
  {
    name: 'a token that only staging changed does not stand in the way',
    async test(bench) {
      const opened = await bench.open();
      const alias = first(bench.options.ir('a').aliases, 'an alias');
      const atA = tableOf(alias, await bench.stage(opened, 'a'));
      await setDone(opened, alias, { from: {}, to: atA });
      const { token } = await read(opened, alias);
      if (token === undefined) throw notApplicable('no tokens');
      const atB = tableOf(alias, await bench.stage(opened, 'b'));
      await setDone(opened, alias, { from: atA, to: atB, token });
    },
  },
  {
    name: 'a table that names a version that is gone is refused',
    async test(bench) {
      const { opened, alias, atA, atB, b, a } = await pair(bench);
      for (const version of Object.values(b)) {
        if (a[version.unit]?.id !== version.id) await opened.connection.versions.remove(version);
      }
      await rejectsWith(
        'SFX3105',
        opened.connection.traffic.set(alias, { from: atA, to: atB, stamp: STAMP }),
        'set',
      );
      assert.deepEqual((await settled(opened, alias)).table, atA);
    },
  },
  {
    name: 'aliases move one by one',
    async test(bench) {
      const ir = bench.options.ir('a');
      const [alias, other] = ir.aliases;
      if (alias === undefined || other === undefined) throw notApplicable('one alias');
      const opened = await bench.open();
      const a = await bench.stage(opened, 'a');
      await setDone(opened, alias, { from: {}, to: tableOf(alias, a) });
      assert.deepEqual((await read(opened, other)).table, {});
      await setDone(opened, other, { from: {}, to: tableOf(other, a) });
      await setDone(opened, alias, { from: tableOf(alias, a), to: {} });
      assert.deepEqual((await read(opened, other)).table, tableOf(other, a));
    },
  },
];

const stamping: readonly Case[] = [
  {
    name: 'a write that was accepted and did not land is a conflict, not a success',
    async test(bench) {
      const { ignoreWrite } = bench.options;
      const { opened, alias, atA, atB } = await pair(bench);
      if (opened.connection.capabilities.cas === 'native') throw notApplicable('native compare-and-swap');
      if (ignoreWrite === undefined) throw notApplicable('no way to lose a write');
      await ignoreWrite(bench.scope);
      assert.equal(
        await opened.connection.traffic.set(alias, { from: atA, to: atB, stamp: STAMP }),
        'conflict',
      );
      assert.deepEqual((await settled(opened, alias)).table, atA);
      await setDone(opened, alias, { from: atA, to: atB });
    },
  },
  {
    name: 'release and fence come back with the table',
    async test(bench) {
      const { opened, alias, atA, atB } = await pair(bench);
      if (!opened.connection.capabilities.stamps) throw notApplicable('no stamps');
      const stamp = { release: 41, fence: 7 };
      await setDone(opened, alias, { from: atA, to: atB, stamp });
      assert.deepEqual((await read(opened, alias)).stamp, stamp);
    },
  },
  {
    name: 'who takes over stamps an alias anew, and an earlier fence is then a conflict',
    async test(bench) {
      const { opened, alias, atA, atB } = await pair(bench);
      if (!opened.connection.capabilities.stamps) throw notApplicable('no stamps');
      const { token } = await read(opened, alias);
      const stamp = { release: 1, fence: 5 };
      await setDone(await bench.open(), alias, { from: atA, to: atA, stamp });
      assert.deepEqual((await read(opened, alias)).stamp, stamp);
      const late: Move = {
        from: atA,
        to: atB,
        stamp: { release: 1, fence: 4 },
        ...(token === undefined ? {} : { token }),
      };
      assert.equal(await opened.connection.traffic.set(alias, late), 'conflict');
      assert.deepEqual((await read(opened, alias)).table, atA);
    },
  },
];

const splitting: readonly Case[] = [
  {
    name: 'a candidate has the percent that was asked for, and stable the rest',
    async test(bench) {
      const both = await pair(bench);
      const { opened, alias, atA } = both;
      if (opened.connection.capabilities.split.targets === 1) throw notApplicable('one target');
      const step = opened.connection.capabilities.split.step;
      const tables = [step, step * 2, 0].map((percent) => canaryOf(both, percent));
      let from = atA;
      for (const to of tables) {
        await setDone(opened, alias, { from, to });
        assert.deepEqual((await settled(opened, alias)).table, to);
        from = to;
      }
      await setDone(opened, alias, { from, to: atA });
      assert.deepEqual((await read(opened, alias)).table, atA);
    },
  },
  {
    name: 'a candidate goes to 100 %, and back from there',
    async test(bench) {
      const both = await pair(bench);
      const { opened, alias, atA, atB } = both;
      if (opened.connection.capabilities.split.targets === 1) throw notApplicable('one target');
      const canary = canaryOf(both, opened.connection.capabilities.split.step);
      await setDone(opened, alias, { from: atA, to: canary });
      await setDone(opened, alias, { from: canary, to: atB });
      assert.deepEqual((await settled(opened, alias)).table, atB);
      for (const version of Object.values(both.a)) await opened.connection.versions.warm(version);
      await setDone(opened, alias, { from: atB, to: atA });
    },
  },
  {
    name: 'with one target a candidate is SFX3005, and nothing moves',
    async test(bench) {
      const both = await pair(bench);
      const { opened, alias, atA } = both;
      if (opened.connection.capabilities.split.targets === 2) throw notApplicable('two targets');
      for (const percent of [10, 0, 100]) {
        const move = { from: atA, to: canaryOf(both, percent), stamp: STAMP };
        await rejectsWith(
          'SFX3005',
          opened.connection.traffic.set(alias, move),
          `a candidate at ${percent} %`,
        );
      }
      assert.deepEqual((await read(opened, alias)).table, atA);
    },
  },
  {
    name: 'confirm never says more than is known',
    async test(bench) {
      const { opened, alias, atA, atB } = await pair(bench);
      await setDone(opened, alias, { from: atA, to: atB });
      const { capabilities, traffic } = opened.connection;
      const served = await traffic.confirm(alias, atB);
      if (capabilities.flip.confirmable) assert.equal(served, true, 'it says that it can tell');
      else assert.equal(served, 'unknown', 'it says that it cannot tell');
      assert.notEqual(await traffic.confirm(alias, atA), true, 'a table that is not there is not served');
    },
  },
];

/** What may be read after a part of a move was written. */
function isBetween(seen: Table, from: Table, to: Table): boolean {
  return [from, withoutCandidates(from), to].some((table) => sameJson(seen, table));
}

/** Puts an alias back to `from`, whatever a broken move left. */
async function reset(both: Pair, from: Table): Promise<void> {
  const { opened, alias } = both;
  const now = await settled(opened, alias);
  for (const version of [...Object.values(both.a), ...Object.values(both.b)])
    await opened.connection.versions.warm(version);
  if (!sameJson(now.table, from)) await setDone(opened, alias, { from: now.table, to: from });
}

const breaking: readonly Case[] = (['lose', 'fail'] as const).map((kind) => ({
  name:
    kind === 'lose'
      ? 'an answer lost at any write of a move, repeated, is done'
      : 'a move that failed at any write is old, new or busy, and can be repeated',
  async test(bench) {
    const both = await pair(bench);
    const { opened, alias, atA, atB } = both;
    const two = opened.connection.capabilities.split.targets === 2;
    const moves: [Table, Table][] = two
      ? [[atA, canaryOf(both, opened.connection.capabilities.split.step)]]
      : [];
    moves.push([two ? canaryOf(both, opened.connection.capabilities.split.step) : atA, atB]);
    for (const [from, to] of moves) {
      let stamp = STAMP;
      const writes = await atEveryWrite(opened, { do: kind }, async (n) => {
        await reset(both, from);
        // A stamp of its own, so that each attempt has something to write.
        stamp = { release: n, fence: 1 };
        const move: Move = { from, to, stamp };
        return {
          act: () => opened.connection.traffic.set(alias, move),
          check: async (error) => {
            assert.ok(error !== undefined, 'what was not answered is told');
            const state = await read(opened, alias);
            assert.ok(
              state.busy || isBetween(state.table, from, to),
              `between ${JSON.stringify([from, to])}: ${JSON.stringify(state)}`,
            );
            const now = await settled(opened, alias);
            await setDone(opened, alias, { from: now.table, to, stamp });
          },
        };
      });
      assert.ok(writes > 0, 'a move writes, and each write goes through Run.call');
    }
  },
}));

export const trafficCases: readonly Case[] = [...setting, ...stamping, ...splitting, ...breaking];
