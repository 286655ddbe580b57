import assert from 'node:assert/strict';
import { isSfxError, type Stamp, type Table, type Version } from '@sfx-deploy/core';
import {
  type Fault,
  memoryProvider,
  memoryWorld,
  type ShapeName,
  shapeNames,
  stageHands,
} from '@sfx-deploy/core/testing';
import fc from 'fast-check';
import { connected, stageAll } from './helpers.js';

const stamp: Stamp = { release: 1, fence: 1 };
const coded = (code: string) => (error: unknown) => isSfxError(error) && error.code === code;

/** A shape with version `one` live behind a route and a queue; more versions of the same unit on demand. */
async function live(shape: ShapeName) {
  const bed = await connected(shape);
  const { connection } = bed;
  const irOfCode = (code: string) =>
    bed.ir({ functions: { list: { code, routes: ['GET /list'], queues: ['orders'] } } });
  const alias = irOfCode('').aliases[0]!;
  const unit = irOfCode('').units[0]!.id;
  const stage = async (code: string, warm = true): Promise<Version> => {
    const version = (await stageAll(connection, irOfCode(code)))[unit]!;
    if (warm) await connection.versions.warm(version);
    return version;
  };
  const at = (stable: Version, candidate?: Version, percent = 10): Table => ({
    [unit]: { stable: stable.id, ...(candidate ? { candidate: { version: candidate.id, percent } } : {}) },
  });
  const set = (from: Table, to: Table, token?: string) =>
    connection.traffic.set(alias, { from, to, stamp, ...(token === undefined ? {} : { token }) });
  const read = () => connection.traffic.read(alias);
  const one = await stage('one');
  await set({}, at(one));
  for (const trigger of irOfCode('').triggers) {
    const target = {
      resource: trigger,
      to: trigger,
      props: trigger.props,
      digest: 'sha256:x' as const,
      enabled: true,
      stamp,
    };
    await connection.resources[trigger.kind]!.reconcile(target, undefined);
  }
  /** Moves under a fault; the actor is killed by it, or fails. */
  const under = (fault: Fault, from: Table, to: Table) => {
    const actor = bed.clock.run('victim', { faults: [fault] });
    const provider = memoryProvider({ shape, world: bed.world });
    return actor.perform(async (run) => {
      const other = await provider.connect({ service: 'shop', stage: 'prod' }, {}, run);
      return other.traffic.set(alias, { from, to, stamp });
    });
  };
  return { ...bed, alias, unit, stage, at, set, read, one, under };
}

describe('a provider in memory', () => {
  for (const shape of shapeNames) {
    it(`as ${shape} has a route answered by stable, through every part of a move`, async () => {
      const { stage, at, set, one, hands, connection, clock } = await live(shape);
      const two = await stage('two');
      const seen = new Set<string>();
      let moving = true;
      const watch = clock.run('caller').perform(async (run) => {
        while (moving) {
          const served = hands.serve('list', () => 0.5);
          if (served && 'version' in served && served.version) seen.add(served.version);
          await run.sleep(3);
        }
      });
      assert.notEqual(await set(at(one), at(two)), 'conflict');
      moving = false;
      await watch;
      assert.deepEqual(
        [...seen].filter((id) => id !== one.id && id !== two.id),
        [],
      );
      const lost = hands.failures().filter((failure) => !failure.planned);
      assert.deepEqual(lost, []);
      assert.equal(hands.failures().length > 0, connection.capabilities.flip.downtime && shape === 'flex');
    });

    it(`as ${shape} refuses to remove what an alias names, and callers notice when somebody else does`, async () => {
      const { connection, one, hands, unit } = await live(shape);
      await assert.rejects(connection.versions.remove(one), coded('SFX3107'));
      hands.removeVersion(unit, one.id);
      const served = hands.serve('list', () => 0.5);
      assert.ok(served && 'failed' in served && /gone|no version/.test(served.failed));
      assert.equal(hands.failures().length, 1);
      assert.ok(hands.callers().every((caller) => caller.problem !== undefined));
    });

    it(`as ${shape} sees what somebody else moved`, async () => {
      const { at, set, one, stage, hands, alias, read } = await live(shape);
      const two = await stage('two');
      const { token } = await read();
      hands.moveAlias(alias.id, at(two));
      assert.equal(await set(at(one), {}, token), 'conflict');
      assert.deepEqual((await read()).table, at(two));
    });

    it(`as ${shape} keeps the names of any two stages apart`, async () => {
      const word = fc.stringMatching(/^[a-z](-?[a-z]){0,3}$/);
      await fc.assert(
        fc.asyncProperty(word, word, word, word, async (service, stage, otherService, otherStage) => {
          fc.pre(service !== otherService || stage !== otherStage);
          const { connection, ir, world, provider, run } = await connected(shape);
          const plain = ir({ functions: { list: { code: 'one' } } });
          const scopes = [
            { service, stage },
            { service: otherService, stage: otherStage },
          ];
          for (const scope of scopes) await stageAll(await provider.connect(scope, {}, run), plain);
          const [a = [], b = []] = scopes.map((scope) => stageHands(world, shape, scope).owns());
          assert.ok(a.length > 0 && b.length > 0);
          assert.deepEqual(
            a.filter((name) => b.includes(name)),
            [],
          );
          assert.deepEqual(await connection.versions.list(plain.units[0]!.id), []);
        }),
        { numRuns: 10 },
      );
    });
  }

  it('fails calls and never comes up where a test says so, and tells the numbers that it was given', async () => {
    const { connection, one, stage, hands, alias } = await live('local');
    const target = { alias: alias.id, function: 'list' };
    assert.deepEqual(await connection.invoke(target, 7), { version: one.id, function: 'list', payload: 7 });
    hands.behave(one.digest, { invoke: 'broken' });
    await assert.rejects(connection.invoke(target, 7), coded('SFX3101'));
    const two = await stage('two', false);
    hands.behave(two.digest, { warm: 'fails' });
    await assert.rejects(connection.versions.warm(two), coded('SFX3106'));
    const numbers = { requests: 10, errors: 5, p95Ms: 20 };
    hands.setMetrics(two.digest, numbers);
    assert.deepEqual(await connection.metrics?.(two, new Date(0), new Date()), numbers);
  });
});

describe('in the shape of slots', () => {
  it('a third version puts out what sat in the slot', async () => {
    const { stage, at, set, one } = await live('slots');
    const two = await stage('two');
    await stage('three');
    await assert.rejects(set(at(one), at(two)), coded('SFX3106'));
  });

  it('the slot is not taken from a candidate that serves', async () => {
    const { stage, at, set, one } = await live('slots');
    const two = await stage('two');
    await set(at(one), at(one, two));
    await assert.rejects(stage('three'), coded('SFX3101'));
  });

  it('a swap goes on after its sender was killed, busy until it ends', async () => {
    const { stage, at, set, one, under, read, run } = await live('slots');
    const two = await stage('two');
    await set(at(one), at(one, two));
    assert.equal(
      (await under({ at: 1, op: 'traffic.set.swap', do: 'kill', when: 'after' }, at(one, two), at(two)))
        .ended,
      'killed',
    );
    const between = await read();
    assert.deepEqual([between.busy, between.table], [true, at(one)]);
    assert.equal(await set(at(one), at(two)), 'conflict');
    await run.sleep(20);
    assert.deepEqual((await read()).table, at(two));
  });

  it('killed before its swap, a move leaves what was there without the candidate', async () => {
    const { stage, at, set, one, under, read } = await live('slots');
    const two = await stage('two');
    await set(at(one), at(one, two));
    await under({ at: 1, op: 'traffic.set.swap', do: 'kill' }, at(one, two), at(two));
    assert.deepEqual((await read()).table, at(one));
  });

  it('a write that was accepted and did nothing is a conflict', async () => {
    const { stage, at, set, one, hands } = await live('slots');
    const two = await stage('two');
    hands.ignoreWrites(1);
    assert.equal(await set(at(one), at(one, two)), 'conflict');
  });

  it('a candidate gets calls over HTTP and none from a queue', async () => {
    const { stage, at, set, one, hands } = await live('slots');
    const two = await stage('two');
    await set(at(one), at(one, two));
    const shares = Object.fromEntries(
      hands.callers().map((caller) => [caller.kind, caller.to.map((share) => share.percent)]),
    );
    assert.deepEqual(shares, { http: [90, 10], queue: [100] });
  });
});

describe('in the shape of flex', () => {
  it('killed between its two writes, a move is undone by itself, after a while without service', async () => {
    const { stage, at, one, under, read, hands, run } = await live('flex');
    const two = await stage('two');
    await under({ at: 1, op: 'traffic.set.package', do: 'kill' }, at(one), at(two));
    assert.equal((await read()).busy, true);
    const served = hands.serve('list', () => 0.5);
    assert.ok(served && 'failed' in served && served.planned);
    await run.sleep(20);
    assert.deepEqual(await read().then(({ table, busy }) => [table, busy]), [at(one), undefined]);
    assert.ok('version' in (hands.serve('list', () => 0.5) ?? {}));
  });
});

describe('in the shape of Cloud Run', () => {
  it('staging changes the token of the alias and leaves its table', async () => {
    const { stage, read } = await live('cloudRun');
    const before = await read();
    await stage('two');
    const after = await read();
    assert.notEqual(after.token, before.token);
    assert.deepEqual([after.table, after.stamp], [before.table, before.stamp]);
  });

  it('removes old revisions by itself, and none that has traffic', async () => {
    const world = memoryWorld();
    const { connection, ir, run } = await connected('cloudRun', { world });
    const provider = memoryProvider({
      shape: 'cloudRun',
      world,
      probed: { retention: { max: 2, autoRemoves: true } },
    });
    const few = await provider.connect({ service: 'shop', stage: 'prod' }, {}, run);
    const plain = (code: string) => ir({ functions: { list: { code } } });
    const one = (await stageAll(few, plain('one')))['list']!;
    await few.versions.warm(one);
    await few.traffic.set(plain('one').aliases[0]!, { from: {}, to: { list: { stable: one.id } }, stamp });
    const two = (await stageAll(few, plain('two')))['list']!;
    const three = (await stageAll(few, plain('three')))['list']!;
    assert.deepEqual(
      (await connection.versions.list('list')).map((v) => v.id),
      [one.id, three.id],
    );
    await assert.rejects(few.versions.warm(two), coded('SFX3105'));
  });
});

describe('in the shape of Lambda', () => {
  it('numbers are counted and never given again', async () => {
    const { stage, connection, one } = await live('lambda');
    const two = await stage('two');
    await connection.versions.remove(two);
    assert.deepEqual([one.id, two.id, (await stage('two')).id], ['1', '2', '3']);
  });

  it('a call to a version that is not active yet fails', async () => {
    const { stage, connection } = await live('lambda');
    const two = await stage('two', false);
    const target = { version: two, function: 'list' };
    await assert.rejects(connection.invoke(target, null), coded('SFX3101'));
    await connection.versions.warm(two);
    await connection.invoke(target, null);
  });
});

describe('in the shape of OpenFaaS', () => {
  it('a version that is scaled to none answers nobody, though the router points at it', async () => {
    const { stage, at, set, one, hands } = await live('openfaas');
    const two = await stage('two', false);
    assert.notEqual(await set(at(one), at(two)), 'conflict');
    const served = hands.serve('list', () => 0.5);
    assert.ok(served && 'failed' in served);
  });

  it('only so many versions are up at once, and none that takes traffic is cooled', async () => {
    const { stage, connection, one } = await live('openfaas');
    let last = one;
    for (let n = 2; n <= 14; n++) last = await stage(`code ${n}`);
    await assert.rejects(stage('one too many'), coded('SFX3106'));
    await assert.rejects(connection.versions.cool!(one), coded('SFX3107'));
    await connection.versions.cool!(last);
    await stage('one too many');
  });
});

describe('in the shape of OpenWhisk', () => {
  it('killed after its router package, a move has moved nothing', async () => {
    const { stage, at, one, under, read } = await live('whisk');
    const two = await stage('two');
    await under({ at: 1, op: 'traffic.set.router', do: 'kill', when: 'after' }, at(one), at(one, two));
    assert.deepEqual((await read()).table, at(one));
  });

  it('a package is not listed before its last action is there', async () => {
    const { connection, ir, run, provider } = await connected('whisk');
    const plain = ir({ functions: { list: { code: 'one' }, work: { code: 'one' } } });
    const actor = run.clock.run('victim', { faults: [{ at: 3, op: 'versions.stage', do: 'kill' }] });
    await actor.perform(async (own) =>
      stageAll(await provider.connect({ service: 'shop', stage: 'prod' }, {}, own), plain),
    );
    assert.deepEqual(await connection.versions.list('package'), []);
    const { package: version } = await stageAll(connection, plain);
    assert.deepEqual(
      (await connection.versions.list('package')).map((one) => one.id),
      [version!.id],
    );
  });
});

describe('in the shape of the engine', () => {
  it('a write under an earlier fence is a conflict, with a right token too', async () => {
    const { connection, alias, at, one } = await live('local');
    await connection.traffic.set(alias, { from: at(one), to: at(one), stamp: { release: 1, fence: 9 } });
    const { token } = await connection.traffic.read(alias);
    const late = { from: at(one), to: {}, stamp, ...(token === undefined ? {} : { token }) };
    assert.equal(await connection.traffic.set(alias, late), 'conflict');
  });
});
