import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createActivations } from '../../src/daemon/calls/activations.js';
import { type Call, type Caller, createCaller } from '../../src/daemon/calls/caller.js';
import { createLater, type Later, type LaterOptions } from '../../src/daemon/calls/later.js';
import type { Input, Outcome } from '../../src/daemon/instances/outcomes.js';
import { openQueue } from '../../src/daemon/queues/queue.js';
import type { Serving } from '../../src/daemon/stage/versions.js';
import { versionMetrics } from '../../src/daemon/telemetry/metrics.js';

type Act = (input: Input & { kind: 'invoke' }) => Promise<Outcome> | Outcome;

const ok: Outcome = { kind: 'json', text: '"done"' };
const failed = (why: 'threw' | 'busy' | 'crashed' | 'timeout'): Outcome => ({
  kind: 'failed',
  why,
  message: why,
});

describe('calls that are made later', () => {
  let root: string;
  let n = 0;
  const opened: Later[] = [];
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'sfx-later-'));
  });
  beforeEach(() => {
    n += 1;
  });
  afterEach(async () => {
    for (const later of opened.splice(0)) await later.close();
  });
  after(() => rm(root, { recursive: true, force: true }));

  /** A stage whose functions do what `act` says. */
  function stageOf(act: Act, change: Partial<LaterOptions> = {}) {
    const dir = join(root, String(n));
    const calls: Call[] = [];
    const activations = createActivations({
      dir: join(dir, 'activations'),
      now: Date.now,
      lost: assert.fail,
    });
    const serving = {
      version: { unit: 'work', id: 'work@1', release: 1, digest: 'sha256:1' },
      shown: 'work@1',
      metrics: versionMetrics(Date.now),
      pool: { call: async (input: Input) => act(input as Input & { kind: 'invoke' }) },
    } as unknown as Serving;
    const inner = createCaller({
      choose: (alias) => (alias === 'gone' ? 'nothing live' : { serving, release: 1 }),
      byId: (id) => (id === 'work@1' ? serving : undefined),
      activations,
      now: Date.now,
    });
    const caller: Caller = {
      ...inner,
      call(call) {
        calls.push(call);
        return inner.call(call);
      },
    };
    const later = createLater({
      dir: join(dir, 'later'),
      now: Date.now,
      caller,
      activations,
      aliasFor: () => 'live',
      openQueue: (folder, name) => openQueue({ dir: folder, name, now: Date.now, messageBytes: 100_000 }),
      log: assert.fail,
      retryMs: () => 1,
      ...change,
    });
    opened.push(later);
    const until = async (id: string, status: string) => {
      for (let k = 0; k < 500; k += 1) {
        const one = await activations.find(id);
        if (one?.status === status) return one;
        await sleep(5);
      }
      throw new Error(`${id} is ${JSON.stringify(await activations.find(id))}`);
    };
    return { later, calls, activations, until, serving };
  }

  it('are tried three times, then failed, and the waits grow', async () => {
    const waits: number[] = [];
    const { later, calls, until } = stageOf(() => failed('threw'), {
      retryMs: (tries) => {
        waits.push(tries);
        return 1;
      },
    });
    const id = await later.accept('work', '1', {});
    const over = await until(id, 'failed');
    assert.deepEqual([over.attempt, over.error], [3, { code: 'SFX6106', message: 'threw' }]);
    assert.deepEqual(
      calls.map((call) => call.attempt),
      [1, 2, 3],
    );
    assert.deepEqual(waits, [1, 2]);
    await later.close();
    const next = stageOf(() => ok);
    await next.later.resume();
    await next.until(await next.later.accept('work', '2', {}), 'ok');
    assert.deepEqual([calls.length, next.calls.length], [3, 1]);
  });

  for (const why of ['timeout', 'crashed'] as const) {
    it(`count a try that ended as ${why}`, async () => {
      const { later, calls, until } = stageOf(() => failed(why));
      await until(await later.accept('work', '1', {}), 'failed');
      assert.equal(calls.length, 3);
    });
  }

  it('do not count a try that found no instance', async () => {
    let calls = 0;
    const { later, until, activations, serving } = stageOf(() => {
      calls += 1;
      return calls === 1 ? failed('busy') : calls < 4 ? failed('threw') : ok;
    });
    const id = await later.accept('work', '1', {});
    await until(id, 'retrying');
    const over = await until(id, 'ok');
    assert.equal(over.attempt, 3);
    assert.equal(calls, 4);
    assert.equal((await activations.list({ limit: 10 })).length, 1);
    // Nor does it say anything of the version.
    const { requests, errors } = serving.metrics.totals();
    assert.deepEqual([requests, errors], [3, 2]);
  }).timeout(20_000);

  it('keep payload, depth and trace, and go through the alias of the function', async () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const inputs: Input[] = [];
    const { later, calls, until } = stageOf((input) => {
      inputs.push(input);
      return ok;
    });
    const id = await later.accept('work', '{"a":[1,"ü\\n"]}', { depth: 3, trace });
    const over = await until(id, 'ok');
    assert.deepEqual([over.result, over.cause, over.attempt], ['done', 'async', 1]);
    const [input] = inputs as (Input & { kind: 'invoke' })[];
    assert.deepEqual([input?.requestId, input?.payload, input?.depth], [id, '{"a":[1,"ü\\n"]}', 3]);
    assert.match(input!.trace!, /^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)/);
    assert.equal(calls[0]?.alias, 'live');
  });

  it('are refused where the chain of calls is too long, and that is kept', async () => {
    const { later, calls, activations } = stageOf(() => ok);
    await later.accept('work', '1', { depth: 16 });
    await assert.rejects(later.accept('work', '1', { depth: 17 }), { code: 'SFX6112', status: 508 });
    const [refused] = await activations.list({ limit: 10, status: 'failed' });
    assert.equal(refused?.error?.code, 'SFX6112');
    for (let k = 0; k < 200 && calls.length < 1; k += 1) await sleep(5);
    assert.equal(calls.length, 1);
  });

  it('are refused, and kept as failed, when the queue does not take them', async () => {
    const { later, activations, calls } = stageOf(() => ok);
    await assert.rejects(later.accept('work', JSON.stringify('x'.repeat(200_000)), {}), { code: 'SFX6012' });
    const [refused] = await activations.list({ limit: 10 });
    assert.deepEqual([refused?.status, refused?.error?.code], ['failed', 'SFX6012']);
    assert.equal(calls.length, 0);
    for (const name of ['../x', 'a/b', ''])
      await assert.rejects(later.accept(name, '1', {}), { code: 'SFX6007' });
  });

  it('fail after their tries when nothing is live, at once when their version is gone', async () => {
    const { later, calls, until } = stageOf(() => ok);
    const nothing = await until(await later.accept('work', '1', { alias: 'gone' }), 'failed');
    assert.deepEqual([nothing.error?.code, nothing.attempt], ['SFX6105', 3]);
    const gone = await until(await later.accept('work', '1', { version: 'work@2' }), 'failed');
    assert.deepEqual([gone.error?.code, gone.attempt, calls.length], ['SFX3105', 1, 4]);
  });

  it('of one function do not wait for those of another', async () => {
    let free = () => {};
    const blocked = new Promise<Outcome>((resolve) => {
      free = () => resolve(ok);
    });
    const { later, until } = stageOf((input) => (input.payload === '"slow"' ? blocked : ok));
    const slow = await Promise.all(Array.from({ length: 100 }, () => later.accept('slow', '"slow"', {})));
    await until(await later.accept('fast', '"fast"', {}), 'ok');
    free();
    for (const id of slow) await until(id, 'ok');
  });

  it('that run when the engine stops are ended; what waits is made by the next one', async () => {
    let free = () => {};
    const blocked = new Promise<Outcome>((resolve) => {
      free = () => resolve(failed('crashed'));
    });
    const first = stageOf(() => blocked, { tries: 1 });
    const ids = await Promise.all(
      Array.from({ length: 40 }, (_, k) => first.later.accept('work', String(k), {})),
    );
    const closed = first.later.close();
    free();
    await closed;
    await assert.rejects(first.later.accept('work', '1', {}), { code: 'SFX6001' });
    assert.ok(first.calls.length < 40);
    const second = stageOf(() => ok);
    await second.later.resume();
    for (const id of ids) assert.equal((await second.until(id, 'ok')).status, 'ok');
    assert.deepEqual(second.calls.map((call) => call.input.requestId).sort(), [...ids].sort());
  });

  it('that every engine ended in are given up', async () => {
    const { later, until, calls } = stageOf(() => ok);
    const dir = join(root, String(n), 'later', 'work');
    const queue = await openQueue({ dir, name: 'work', now: Date.now });
    await queue.send([{ id: 'poison', body: JSON.stringify({ payload: '1', asked: Date.now() }) }]);
    for (let k = 0; k < 10; k += 1) {
      const [one] = queue.receive(1, 60_000);
      queue.release([one!.receipt], 0);
    }
    await queue.close();
    await later.resume();
    const over = await until('poison', 'failed');
    assert.equal(over.error?.code, 'SFX6107');
    assert.equal(calls.length, 0);
    assert.deepEqual(await readdir(join(root, String(n), 'later')), ['work']);
  });
});
