import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { fail, isSfxError } from '../../src/errors.js';
import type { Json } from '../../src/json.js';
import type { Call } from '../../src/run.js';
import { type Entry, type Head, type Release, STATE_VERSION } from '../../src/state/documents.js';
import { stageState } from '../../src/state/stage-state.js';
import type { Store } from '../../src/state/store.js';
import { memoryStore, simulatedClock } from '../../src/testing/index.js';

const scope = { service: 'shop', stage: 'dev' };
const rejectsWith =
  (code: string, said = /./) =>
  (error: unknown) =>
    isSfxError(error) && error.code === code && said.test(error.message);

const head = { version: STATE_VERSION, next: 1, fence: 0 } as Head;
const release = (number: number, digest = 'sha256:one') =>
  ({ version: STATE_VERSION, number, digest }) as Release;
const entry = (seq: number, of: number): Entry =>
  ({ version: STATE_VERSION, seq, fence: 1, release: of, at: '', kind: 'contracted' }) as Entry;

function bench(store: Store = memoryStore()) {
  const calls: Call[] = [];
  const run = simulatedClock({ seed: 1 }).run('ana');
  const counted: typeof run = {
    ...run,
    holder: run.holder,
    signal: run.signal,
    call: (call, act) => {
      calls.push(call);
      return run.call(call, act);
    },
  };
  return { calls, store, state: stageState(store, scope, counted) };
}

describe('the documents of a stage', () => {
  it('are under its own name, and another stage sees none of them', async () => {
    const { state, store } = bench();
    const run = simulatedClock({ seed: 1 }).run('ben');
    const other = stageState(store, { service: 'shop', stage: 'dev2' }, run);
    await state.writeHead(head, null);
    await state.createRelease(release(1));
    await state.createEntry(entry(1, 1));
    assert.deepEqual(await store.list('shop/'), [
      'shop/dev/head',
      'shop/dev/journal/000000001',
      'shop/dev/releases/000001',
    ]);
    assert.deepEqual([(await other.readHead()).head, await other.lastSeq()], [undefined, 0]);
    await other.removeAll();
    assert.equal((await store.list('shop/dev/')).length, 3);
  });

  it('a head is written only over the one that was read', async () => {
    const { state } = bench();
    const tag = await state.writeHead(head, null);
    assert.equal(await state.writeHead({ ...head, fence: 7 }, null), 'conflict');
    assert.notEqual(await state.writeHead({ ...head, fence: 1 }, tag), 'conflict');
    assert.equal(await state.writeHead({ ...head, fence: 2 }, tag), 'conflict');
    assert.equal((await state.readHead()).head?.fence, 1);
  });

  it('a release is created once; creating an equal one again is done, another one is refused', async () => {
    const { state } = bench();
    await state.createRelease(release(1));
    await state.createRelease(release(1));
    await assert.rejects(state.createRelease(release(1, 'sha256:two')), rejectsWith('SFX4122'));
    assert.deepEqual(await state.readRelease(1), release(1));
  });

  it('an entry is created once, and its number is the race', async () => {
    const { state } = bench();
    assert.equal(await state.lastSeq(), 0);
    assert.equal(await state.createEntry(entry(1, 1)), 'created');
    assert.equal(await state.createEntry(entry(1, 2)), 'conflict');
    for (const seq of [2, 3, 10]) await state.createEntry(entry(seq, seq % 2));
    assert.equal(await state.lastSeq(), 10);
    assert.deepEqual(
      (await state.entriesOf(0, 1)).map((one) => one.seq),
      [2, 10],
    );
    assert.deepEqual(
      (await state.entriesOf(1, 2)).map((one) => one.seq),
      [3],
    );
    await state.removeEntriesBelow(3);
    assert.deepEqual(
      (await state.entriesOf(1, 1)).map((one) => one.seq),
      [3],
    );
  });

  it('that are missing, of a newer sfx, or of somebody else are said so', async () => {
    const { state, store } = bench();
    await assert.rejects(state.readRelease(4), rejectsWith('SFX4109', /release 4 is missing/));
    await assert.rejects(state.readEntry(9), rejectsWith('SFX4109', /journal entry 9 is missing/));
    const newer = { ...release(1), version: STATE_VERSION + 1 } as unknown as Json;
    for (const key of ['head', 'releases/000001', 'journal/000000001'])
      await store.put(`shop/dev/${key}`, newer, null);
    await assert.rejects(state.readHead(), rejectsWith('SFX4108', /head .*version 2.*knows 1/));
    await assert.rejects(state.readRelease(1), rejectsWith('SFX4108', /release 1/));
    await assert.rejects(state.readEntry(1), rejectsWith('SFX4108', /journal entry 1/));
    for (const strange of ['text', null, [], {}, { version: 'x' }] as readonly Json[]) {
      const there = await store.get('shop/dev/releases/000002');
      await store.put('shop/dev/releases/000002', strange, there?.tag ?? null);
      await assert.rejects(state.readRelease(2), rejectsWith('SFX4109', /not a document of sfx/));
    }
  });

  it('are removed with head as the last, so that a removal that was cut off is seen', async () => {
    const { state, calls } = bench();
    await state.writeHead(head, null);
    await state.createRelease(release(1));
    await state.createEntry(entry(1, 1));
    calls.length = 0;
    await state.removeAll();
    const dropped = calls.filter((call) => call.op === 'store.delete').map((call) => call.on);
    assert.equal(dropped.length, 3);
    assert.equal(dropped.at(-1), 'shop/dev/head');
    assert.ok(calls.every((call) => call.writes === (call.op === 'store.delete')));
  });

  it('are asked for again where the store said to wait, and a write whose answer was lost is not repeated', async () => {
    const real = memoryStore();
    let failures = 2;
    let puts = 0;
    const flaky: Store = {
      ...real,
      get: (key) =>
        failures-- > 0 ? Promise.reject(fail('SFX3103', 'slow down', { retryAfterMs: 100 })) : real.get(key),
      put: async (key, value, expect) => {
        puts += 1;
        await real.put(key, value, expect);
        throw fail('SFX3102', 'no answer', { unknownOutcome: true });
      },
    };
    const { state } = bench(flaky);
    assert.equal((await state.readHead()).head, undefined);
    await assert.rejects(state.writeHead(head, null), rejectsWith('SFX3102'));
    assert.equal(puts, 1);
    assert.deepEqual((await state.readHead()).head, head);
  });
});
