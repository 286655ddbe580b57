import assert from 'node:assert/strict';
import {
  type Alias,
  type AliasState,
  compareAndWrite,
  fail,
  isSfxError,
  type Move,
  type Stamp,
  type Table,
} from '@sfx-deploy/core';
import fc from 'fast-check';

const alias: Alias = { id: 'live', units: ['list'] };
const at = (stable: string): Table => ({ list: { stable } });
const stamp: Stamp = { release: 3, fence: 3 };

/** A place for one table, with everything that happened to it. */
function place(
  cas: 'native' | 'check-then-write',
  state: AliasState,
  manners: { ignores?: boolean; stamps?: boolean } = {},
) {
  const log: string[] = [];
  let now = state;
  let version = 1;
  const traffic = compareAndWrite({
    cas,
    ...(manners.stamps === undefined ? {} : { stamps: manners.stamps }),
    async read() {
      log.push('read');
      return now;
    },
    async write(_alias, move, token) {
      log.push('write');
      if (cas === 'native' && token !== now.token) return 'conflict';
      const next: AliasState = {
        table: move.to,
        stamp: move.stamp,
        ...(cas === 'native' ? { token: `t${++version}` } : {}),
      };
      if (!manners.ignores) now = next;
      return next;
    },
  });
  return {
    log,
    traffic,
    now: () => now,
    put: (next: AliasState) => {
      now = next;
    },
  };
}

const move = (from: Table, to: Table, more: Partial<Move> = {}): Move => ({ from, to, stamp, ...more });

describe('a table that is compared and written', () => {
  for (const cas of ['native', 'check-then-write'] as const) {
    describe(cas, () => {
      it('is written when it is what was expected', async () => {
        const { traffic, now } = place(cas, { table: at('1') });
        assert.deepEqual((await traffic.set(alias, move(at('1'), at('2')))) as AliasState, now());
        assert.deepEqual([now().table, now().stamp], [at('2'), stamp]);
      });

      it('is not written when it is neither what was expected nor what is wanted', async () => {
        const { traffic, log } = place(cas, { table: at('9') });
        assert.equal(await traffic.set(alias, move(at('1'), at('2'))), 'conflict');
        assert.deepEqual(log, ['read']);
      });

      it('is done without a write when it is there under our stamp', async () => {
        const { traffic, log, now } = place(cas, { table: at('2'), stamp });
        assert.equal(await traffic.set(alias, move(at('1'), at('2'))), now());
        assert.deepEqual(log, ['read']);
      });

      it('is stamped anew when it is there under an earlier stamp', async () => {
        const { traffic, now } = place(cas, { table: at('2'), stamp: { release: 2, fence: 2 } });
        assert.notEqual(await traffic.set(alias, move(at('2'), at('2'))), 'conflict');
        assert.deepEqual(now().stamp, stamp);
      });

      it('is a conflict under a later fence, whatever it holds', async () => {
        for (const table of [at('1'), at('2')]) {
          const { traffic, log } = place(cas, { table, stamp: { release: 3, fence: 4 } });
          assert.equal(await traffic.set(alias, move(at('1'), at('2'))), 'conflict');
          assert.deepEqual(log, ['read']);
        }
      });

      it('is a conflict while a write of several parts is under way', async () => {
        const { traffic, log } = place(cas, { table: at('1'), busy: true });
        assert.equal(await traffic.set(alias, move(at('1'), at('2'))), 'conflict');
        assert.deepEqual(log, ['read']);
      });

      it('that is gone is done for who takes it away', async () => {
        const { traffic, log } = place(cas, { table: {} });
        assert.deepEqual(await traffic.set(alias, move(at('1'), {})), { table: {} });
        assert.deepEqual(log, ['read']);
      });

      it('is done where no stamps are kept, once it is equal', async () => {
        const { traffic, log } = place(cas, { table: at('2') }, { stamps: false });
        await traffic.set(alias, move(at('1'), at('2')));
        assert.deepEqual(log, ['read']);
      });

      it('holds what the caller wanted or what was there before, never a third thing', async () => {
        const name = fc.constantFrom('1', '2', '3');
        const stamps = fc.record({
          release: fc.integer({ min: 1, max: 3 }),
          fence: fc.integer({ min: 1, max: 5 }),
        });
        await fc.assert(
          fc.asyncProperty(
            name,
            name,
            name,
            fc.option(stamps, { nil: undefined }),
            async (there, from, to, kept) => {
              const before: AliasState = { table: at(there), ...(kept ? { stamp: kept } : {}) };
              const { traffic, now } = place(cas, before);
              const answer = await traffic.set(alias, move(at(from), at(to)));
              const may = (kept?.fence ?? 0) <= stamp.fence && (there === from || there === to);
              assert.equal(answer !== 'conflict', may);
              assert.deepEqual(now().table, may ? at(to) : at(there));
              if (may) assert.deepEqual({ ...now().stamp }, stamp);
            },
          ),
        );
      });
    });
  }

  it('is not read first when its token is remembered', async () => {
    const { traffic, log } = place('native', { table: at('1'), token: 'a' });
    assert.notEqual(await traffic.set(alias, move(at('1'), at('2'), { token: 'a' })), 'conflict');
    assert.deepEqual(log, ['write']);
  });

  it('is read and compared by value when the remembered token is stale', async () => {
    const same = place('native', { table: at('1'), token: 'b' });
    assert.notEqual(await same.traffic.set(alias, move(at('1'), at('2'), { token: 'a' })), 'conflict');
    assert.deepEqual(same.log, ['write', 'read', 'write']);
    const other = place('native', { table: at('9'), token: 'b' });
    assert.equal(await other.traffic.set(alias, move(at('1'), at('2'), { token: 'a' })), 'conflict');
    assert.deepEqual(other.now().table, at('9'));
  });

  it('is done when the write that made the token stale was our own', async () => {
    const { traffic, log } = place('native', { table: at('2'), stamp, token: 'b' });
    assert.notEqual(await traffic.set(alias, move(at('1'), at('2'), { token: 'a' })), 'conflict');
    assert.deepEqual(log, ['write', 'read']);
  });

  it('is read back where nothing is compared, so a write that was accepted and did not land is a conflict', async () => {
    const { traffic, log } = place('check-then-write', { table: at('1') }, { ignores: true });
    assert.equal(await traffic.set(alias, move(at('1'), at('2'))), 'conflict');
    assert.deepEqual(log, ['read', 'write', 'read']);
  });

  it('is a conflict where somebody else wrote right after us', async () => {
    const states: AliasState[] = [{ table: at('1') }, { table: at('9') }];
    const traffic = compareAndWrite({
      cas: 'check-then-write',
      read: async () => states.shift()!,
      write: async (_alias, { to }) => ({ table: to, stamp }),
    });
    assert.equal(await traffic.set(alias, move(at('1'), at('2'))), 'conflict');
  });

  it('whose read-back fails may have been written', async () => {
    let reads = 0;
    const traffic = compareAndWrite({
      cas: 'check-then-write',
      async read() {
        if (++reads === 2) throw fail('SFX3101', 'no');
        return { table: at('1') };
      },
      write: async (_alias, { to }) => ({ table: to, stamp }),
    });
    await assert.rejects(
      traffic.set(alias, move(at('1'), at('2'))),
      (error: unknown) => isSfxError(error) && error.details.unknownOutcome === true,
    );
  });
});
