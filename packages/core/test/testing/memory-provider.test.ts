import assert from 'node:assert/strict';
import { isSfxError } from '@sfx-deploy/core';
import { shapeNames } from '@sfx-deploy/core/testing';
import { connected, stageAll } from './helpers.js';

const one = { functions: { list: { code: 'one', routes: ['GET /list'] } } };
const two = { functions: { list: { code: 'two', routes: ['GET /list'] } } };
const stamp = { release: 1, fence: 1 };

for (const shape of shapeNames) {
  describe(`a memory provider in the shape of ${shape}`, () => {
    it('goes from nothing to a version, to another one, and back', async () => {
      const { connection, ir, hands } = await connected(shape);
      const alias = ir(one).aliases[0]!;
      const unit = ir(one).units[0]!.id;
      const first = (await stageAll(connection, ir(one)))[unit]!;
      await connection.versions.warm(first);
      const to = { [unit]: { stable: first.id } };
      const set = await connection.traffic.set(alias, { from: {}, to, stamp });
      assert.notEqual(set, 'conflict');
      assert.deepEqual((await connection.traffic.read(alias)).table, to);
      const second = (await stageAll(connection, ir(two)))[unit]!;
      await connection.versions.warm(second);
      const next = { [unit]: { stable: second.id } };
      assert.notEqual(await connection.traffic.set(alias, { from: to, to: next, stamp }), 'conflict');
      for (const trigger of ir(two).triggers) {
        await connection.resources[trigger.kind]!.reconcile(
          { resource: trigger, to: trigger, props: trigger.props, digest: 'sha256:x', enabled: true, stamp },
          undefined,
        );
      }
      assert.deepEqual(
        hands.serve('list', () => 0.5),
        {
          version: second.id,
          digest: second.digest,
          release: 1,
          trigger: 'http GET /list',
        },
      );
      await connection.versions.warm(first);
      assert.notEqual(await connection.traffic.set(alias, { from: next, to, stamp }), 'conflict');
      await assert.rejects(connection.versions.remove(first), (e) => isSfxError(e) && e.code === 'SFX3107');
      assert.deepEqual(hands.failures(), []);
    });
  });
}
