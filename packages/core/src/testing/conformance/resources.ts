import assert from 'node:assert/strict';
import { digestOf } from '../../json.js';
import type { Observed, Resource, ResourceHandler, Trigger } from '../../provider/contract.js';
import {
  atEveryWrite,
  type Bench,
  type Case,
  goLive,
  notApplicable,
  type Opened,
  rejectsWith,
  targetOf,
} from './bench.js';

const isTrigger = (resource: Resource): resource is Trigger => 'source' in resource;

/** One of each kind in the suite's IR. */
function oneOfEach(bench: Bench): readonly Resource[] {
  const ir = bench.options.ir('a');
  const byKind = new Map<string, Resource>();
  for (const resource of [...ir.infra, ...ir.triggers])
    if (!byKind.has(resource.kind)) byKind.set(resource.kind, resource);
  if (byKind.size === 0) throw notApplicable('no resources in the IR');
  return [...byKind.values()];
}

function pulling(bench: Bench): readonly Trigger[] {
  const found = oneOfEach(bench).filter((one): one is Trigger => isTrigger(one) && one.delivers === 'pulls');
  if (found.length === 0) throw notApplicable('no trigger that pulls');
  return found;
}

function handlerOf(opened: Opened, resource: Resource): ResourceHandler {
  const handler = opened.connection.resources[resource.kind];
  assert.ok(handler !== undefined, `no handler for ${resource.kind}`);
  return handler;
}

/** A connection whose aliases are live, so that triggers have something to point at. */
async function live(bench: Bench): Promise<Opened> {
  const opened = await bench.open();
  await goLive(opened, bench.options.ir('a'), await bench.stage(opened, 'a'));
  return opened;
}

function isAsSent(now: Observed | undefined, resource: Resource, enabled = true): Observed {
  assert.ok(now !== undefined, `${resource.id} is there`);
  assert.equal(now.owner, 'ours');
  assert.equal(now.enabled, enabled);
  assert.deepEqual(now.drift, [], 'what the provider adds is not drift');
  assert.ok(now.digest === undefined || now.digest === targetOf(resource).digest);
  return now;
}

const living: readonly Case[] = [
  {
    name: 'every kind of resource in the IR has a handler',
    async test(bench) {
      const opened = await bench.open();
      const ir = bench.options.ir('a');
      for (const resource of [...ir.infra, ...ir.triggers]) handlerOf(opened, resource);
    },
  },
  {
    name: 'a resource is not there, is made, reads back as sent, and is taken away',
    async test(bench) {
      const opened = await live(bench);
      for (const resource of oneOfEach(bench)) {
        const { read, reconcile, remove } = handlerOf(opened, resource);
        const target = targetOf(resource);
        assert.equal(await read(target), undefined);
        isAsSent(await reconcile(target, undefined), resource);
        const now = isAsSent(await read(target), resource);
        await remove(target, now);
        assert.equal(await read(target), undefined);
        await remove(target, now);
      }
    },
  },
  {
    name: 'made again, a resource is the same',
    async test(bench) {
      const opened = await live(bench);
      for (const resource of oneOfEach(bench)) {
        const { read, reconcile } = handlerOf(opened, resource);
        const made = await reconcile(targetOf(resource), undefined);
        assert.deepEqual((await reconcile(targetOf(resource), made)).outputs, made.outputs);
        // Who lost the answer of the first one believes that nothing is there.
        assert.deepEqual((await reconcile(targetOf(resource), undefined)).outputs, made.outputs);
        assert.deepEqual(isAsSent(await read(targetOf(resource)), resource).outputs, made.outputs);
      }
    },
  },
  {
    name: 'the digest of what was sent last is kept, or none is told',
    async test(bench) {
      const opened = await live(bench);
      for (const resource of oneOfEach(bench)) {
        const { read, reconcile } = handlerOf(opened, resource);
        const digest = digestOf('another');
        const made = await reconcile(targetOf(resource), undefined);
        if (made.digest === undefined) continue;
        await reconcile(targetOf(resource, { digest }), made);
        assert.equal((await read(targetOf(resource)))?.digest, digest);
      }
    },
  },
  {
    name: 'no change is none',
    async test(bench) {
      const opened = await bench.open();
      for (const resource of oneOfEach(bench)) {
        assert.equal(handlerOf(opened, resource).change(resource.props, resource.props), 'none');
      }
    },
  },
  {
    name: 'a trigger that pulls is made disabled, consumes nothing, and is enabled later',
    async test(bench) {
      const opened = await live(bench);
      const consumes = (trigger: Trigger) => bench.options.consumes?.(bench.scope, trigger);
      for (const trigger of pulling(bench)) {
        const { read, reconcile } = handlerOf(opened, trigger);
        const off = await reconcile(targetOf(trigger, { enabled: false }), undefined);
        isAsSent(await read(targetOf(trigger)), trigger, false);
        assert.notEqual(await consumes(trigger), true, 'disabled');
        const on = await reconcile(targetOf(trigger), off);
        isAsSent(await read(targetOf(trigger)), trigger, true);
        assert.notEqual(await consumes(trigger), false, 'enabled');
        await reconcile(targetOf(trigger, { enabled: false }), on);
        isAsSent(await read(targetOf(trigger)), trigger, false);
        assert.notEqual(await consumes(trigger), true, 'disabled again');
      }
    },
  },
];

const guarding: readonly Case[] = [
  {
    name: 'what somebody else made is seen as foreign and never touched (SFX3108)',
    async test(bench) {
      const { plantForeign } = bench.options;
      if (plantForeign === undefined) throw notApplicable('no foreign resources to plant');
      const opened = await live(bench);
      for (const resource of oneOfEach(bench)) {
        const { read, reconcile, remove } = handlerOf(opened, resource);
        await plantForeign(bench.scope, resource);
        const now = await read(targetOf(resource));
        assert.equal(now?.owner, 'foreign');
        await rejectsWith('SFX3108', reconcile(targetOf(resource), undefined), 'unseen');
        await rejectsWith('SFX3108', reconcile(targetOf(resource), now), 'seen');
        await rejectsWith('SFX3108', remove(targetOf(resource), now!), 'removal');
        assert.deepEqual(await read(targetOf(resource)), now);
      }
    },
  },
  {
    name: 'what was changed behind is drift, key by key, and is put right',
    async test(bench) {
      const { drift } = bench.options;
      if (drift === undefined) throw notApplicable('no way to change a resource behind');
      const opened = await live(bench);
      for (const resource of oneOfEach(bench)) {
        const { read, reconcile } = handlerOf(opened, resource);
        await reconcile(targetOf(resource), undefined);
        const keys = await drift(bench.scope, resource);
        const now = await read(targetOf(resource));
        assert.deepEqual([...(now?.drift ?? [])].sort(), [...keys].sort());
        await reconcile(targetOf(resource), now);
        isAsSent(await read(targetOf(resource)), resource);
      }
    },
  },
  {
    name: 'an answer lost at any write of a resource, repeated, leaves it as sent',
    async test(bench) {
      const opened = await live(bench);
      for (const resource of oneOfEach(bench)) {
        const { read, reconcile, remove } = handlerOf(opened, resource);
        const writes = await atEveryWrite(opened, { do: 'lose' }, async () => {
          const there = await read(targetOf(resource));
          if (there !== undefined) await remove(targetOf(resource), there);
          return {
            act: () => reconcile(targetOf(resource), undefined),
            check: async (error) => {
              assert.ok(error !== undefined, 'a lost answer is told');
              await reconcile(targetOf(resource), undefined);
              isAsSent(await read(targetOf(resource)), resource);
            },
          };
        });
        assert.ok(writes > 0, `making a ${resource.kind} writes, and each write goes through Run.call`);
      }
    },
  },
];

export const resourceCases: readonly Case[] = [...living, ...guarding];
