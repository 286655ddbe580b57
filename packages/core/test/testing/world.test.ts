import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Fault,
  fileWorld,
  memoryStore,
  memoryWorld,
  type ShapeName,
  simulatedRun,
  worldStore,
} from '@sfx-deploy/core/testing';
import { connected, stageAll } from './helpers.js';

const script = fileURLToPath(new URL('killed-move.ts', import.meta.url));

/** What became of the process: its signal, or what it printed. */
function child(folder: string, shape: ShapeName, plan: readonly Fault[]): Promise<string> {
  const args = ['--conditions=sfx-source', '--import=tsx', script, folder, shape, JSON.stringify(plan)];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, out, err) => resolve(error?.signal ?? (out || err)));
  });
}

describe('a world of files', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sfx-world-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is there for whoever opens it next', () => {
    fileWorld(folder).change((document) => {
      document.counters['a'] = 7;
    });
    assert.equal(fileWorld(folder).read().counters['a'], 7);
  });

  it('loses no change of two that write in turn, over many revisions', () => {
    const [one, two] = [fileWorld(folder), fileWorld(folder)];
    for (let turn = 0; turn < 200; turn++) {
      (turn % 2 ? one : two).change((document) => {
        document.serial += 1;
      });
    }
    assert.equal(one.read().serial, 200);
  });

  it('keeps nothing of a change that threw', () => {
    const world = fileWorld(folder);
    assert.throws(() =>
      world.change((document) => {
        document.serial = 9;
        throw new Error('no');
      }),
    );
    assert.equal(world.read().serial, 0);
  });

  it('gives way to a change that came in between, and is made again on top of it', () => {
    const [one, two] = [fileWorld(folder), fileWorld(folder)];
    let tries = 0;
    one.change((document) => {
      if (tries++ === 0)
        two.change((other) => {
          other.counters['two'] = 1;
        });
      document.counters['one'] = 1;
    });
    assert.deepEqual(one.read().counters, { two: 1, one: 1 });
  });

  it('survives a process that is killed in the middle of a move, and another one ends it', async () => {
    assert.equal(await child(folder, 'slots', [{ at: 1, op: 'traffic.set.stamp', do: 'kill' }]), 'SIGKILL');
    const { connection, ir } = await connected('slots', { world: fileWorld(folder) });
    const alias = ir({ functions: { list: { code: 'one' } } }).aliases[0]!;
    const half = await connection.traffic.read(alias);
    assert.equal(half.stamp, undefined, 'it died before the stamp');
    assert.equal(Object.keys(half.table).length, 1, 'the swap had landed');
    assert.equal(await child(folder, 'slots', []), 'done');
    assert.deepEqual((await connection.traffic.read(alias)).stamp, { release: 1, fence: 1 });
    assert.equal(Object.keys(fileWorld(folder).read().versions).length, 1);
  });
});

describe('a store in a world', () => {
  it('writes only over what was expected', async () => {
    const store = memoryStore();
    const tag = await store.put('a/b', { n: 1 }, null);
    assert.equal(await store.put('a/b', { n: 2 }, null), 'conflict');
    assert.equal(await store.put('a/b', { n: 2 }, 'other'), 'conflict');
    assert.notEqual(await store.put('a/b', { n: 2 }, tag), 'conflict');
    assert.deepEqual((await store.get('a/b'))?.value, { n: 2 });
    assert.equal(await store.put('a/b', { n: 3 }, tag), 'conflict');
  });

  it('never gives the same tag again, to what was deleted and made anew either', async () => {
    const store = memoryStore();
    const tag = await store.put('a', 1, null);
    await store.delete('a');
    await store.delete('a');
    assert.equal(await store.get('a'), undefined);
    assert.notEqual(await store.put('a', 1, null), tag);
  });

  it('lists keys by prefix, sorted, and keeps what was written apart from what was passed in', async () => {
    const world = memoryWorld();
    const store = worldStore(world);
    const value = { list: [1] };
    await store.put('b/2', value, null);
    await store.put('b/1', 1, null);
    await store.put('c', 1, null);
    value.list.push(2);
    assert.deepEqual(await store.list('b/'), ['b/1', 'b/2']);
    assert.deepEqual((await worldStore(world).get('b/2'))?.value, { list: [1] });
  });

  it('calls through the run that it is given', async () => {
    const run = simulatedRun();
    const store = memoryStore(run);
    await store.put('a', 1, null);
    await store.get('a');
    await store.list('');
    await store.delete('a');
    assert.deepEqual(
      run.calls.map((call) => `${call.op} ${call.on}${call.writes ? '!' : ''}`),
      ['store.put a!', 'store.get a', 'store.list ', 'store.delete a!'],
    );
  });
});

it('staged versions are in the file as soon as they are answered', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sfx-world-'));
  try {
    const { connection, ir } = await connected('local', { world: fileWorld(folder) });
    await stageAll(connection, ir({ functions: { list: { code: 'one' } } }));
    assert.equal(Object.keys(fileWorld(folder).read().versions).length, 1);
  } finally {
    await rm(folder, { recursive: true });
  }
});
