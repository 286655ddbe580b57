import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isSfxError } from '../../src/errors.js';
import { shapeNames, shapes } from '../../src/testing/index.js';
import { act, bench, canary, headOf, intentOf, servedNow, service, siteOf } from './harness.js';

const rejectsWith = (code: string) => (error: unknown) => isSfxError(error) && error.code === code;

for (const shape of shapeNames) {
  const two = shapes[shape].split.targets === 2;
  describe(`a release on a provider in the shape of ${shape}`, () => {
    it('goes live, is unchanged when deployed again, and takes the next number when it changes', async () => {
      const b = bench([siteOf(shape)]);
      const first = intentOf(b.sites, service('one'));
      const outcome = await b.deploy(b.run(), first);
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.equal(outcome.release?.number, 1);
      assert.equal(outcome.exit, 0);
      const before = JSON.stringify(b.world.read());
      const run = b.run();
      const again = await b.deploy(run, first);
      assert.equal(again.ending, 'unchanged');
      assert.equal(again.release?.number, 1);
      assert.equal(JSON.stringify(b.world.read()), before);
      assert.deepEqual(
        run.calls.filter((call) => call.writes),
        [],
      );
      const second = await b.deploy(b.run(), intentOf(b.sites, service('two')));
      assert.equal(second.ending, 'live', JSON.stringify(second.error));
      assert.equal(second.release?.number, 2);
      const head = await headOf(b, b.run());
      assert.equal(head?.live, 2);
      assert.equal(head?.open, null);
      assert.equal(head?.lease, null);
      assert.equal(head?.contract, null);
    });

    it('comes back with one command as a release that says which one it equals', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), intentOf(b.sites, service('one')));
      const one = servedNow(b);
      await b.deploy(b.run(), intentOf(b.sites, service('two')));
      assert.notDeepEqual(servedNow(b), one);
      const outcome = await act.rollback(b, b.run());
      assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
      assert.equal(outcome.release?.number, 3);
      assert.equal(outcome.release?.of, 1);
      assert.deepEqual(servedNow(b), one);
      const head = await headOf(b, b.run());
      assert.deepEqual(
        head?.past.map((past) => past.status),
        ['superseded', 'rolled back', 'live'],
      );
      await assert.rejects(b.deploy(b.run(), intentOf(b.sites, service('two'))), rejectsWith('SFX4110'));
      const forced = await b.deploy(b.run(), intentOf(b.sites, service('two'), { force: true }));
      assert.equal(forced.ending, 'live');
    });

    it(
      two ? 'shifts by weight, keeps its number on promote' : 'refuses a canary before anything is touched',
      async () => {
        const b = bench([siteOf(shape)]);
        await b.deploy(b.run(), intentOf(b.sites, service('one')));
        const one = servedNow(b);
        const next = intentOf(b.sites, service('two'), { rollout: canary(5) });
        if (!two) {
          const before = JSON.stringify(b.world.read());
          await assert.rejects(b.deploy(b.run(), next, { canaryAsked: true }), rejectsWith('SFX3005'));
          assert.equal(JSON.stringify(b.world.read()), before);
          return;
        }
        const outcome = await b.deploy(b.run(), next, { canaryAsked: true });
        assert.equal(outcome.ending, 'canary', JSON.stringify(outcome.error));
        assert.equal(outcome.exit, 0);
        const shares = Object.values(servedNow(b)['memory GET /products']!);
        assert.deepEqual(
          shares.sort((a, c) => a - c),
          [5, 95],
        );
        await assert.rejects(b.deploy(b.run(), intentOf(b.sites, service('three'))), rejectsWith('SFX4104'));
        assert.equal((await act.status(b, b.run())).state, 'canary');
        const promoted = await act.promote(b, b.run());
        assert.equal(promoted.ending, 'live', JSON.stringify(promoted.error));
        assert.equal(promoted.release?.number, 2);
        const again = await act.rollback(b, b.run());
        assert.equal(again.ending, 'live');
        assert.deepEqual(servedNow(b), one);
      },
    );

    if (two) {
      it('takes an open canary back to 0 % and marks it rolled back', async () => {
        const b = bench([siteOf(shape)]);
        await b.deploy(b.run(), intentOf(b.sites, service('one')));
        const one = servedNow(b);
        await b.deploy(b.run(), intentOf(b.sites, service('two'), { rollout: canary(5) }));
        const outcome = await act.rollback(b, b.run());
        assert.equal(outcome.exit, 0);
        assert.equal(outcome.ending, 'rolled back');
        assert.deepEqual(servedNow(b), one);
        assert.equal((await headOf(b, b.run()))?.past.at(-1)?.status, 'rolled back');
      });

      it('is superseded only when asked', async () => {
        const b = bench([siteOf(shape)]);
        await b.deploy(b.run(), intentOf(b.sites, service('one')));
        await b.deploy(b.run(), intentOf(b.sites, service('two'), { rollout: canary(5) }));
        const outcome = await b.deploy(b.run(), intentOf(b.sites, service('three')), { supersede: true });
        assert.equal(outcome.ending, 'live', JSON.stringify(outcome.error));
        assert.deepEqual(
          (await headOf(b, b.run()))?.past.map((past) => past.status),
          ['superseded', 'rolled back', 'live'],
        );
      });
    }

    it('is removed without a trace', async () => {
      const b = bench([siteOf(shape)]);
      await b.deploy(b.run(), intentOf(b.sites, service('one')));
      await b.deploy(b.run(), intentOf(b.sites, service('two')));
      const outcome = await act.remove(b, b.run());
      assert.equal(outcome.ending, 'removed');
      assert.deepEqual(b.hands().owns(), []);
      assert.deepEqual(Object.keys(b.world.read().store), []);
    });
  });
}
