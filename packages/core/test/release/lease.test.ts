import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { take } from '../../src/release/lease.js';
import type { Run } from '../../src/run.js';
import { act, bench, headOf, intentOf, servedNow, service, siteOf } from './harness.js';
import { headIn, hooked, isOp, journalOf, once, rejectsWith, toProvider } from './support.js';

const staging = isOp('versions.stage');

/** A stage at release 1, in the shape of Lambda: a lease of 60 s, a write of at most 20 s. */
async function stage() {
  const b = bench([siteOf('lambda')]);
  await b.deploy(b.run(), intentOf(b.sites, service('one')));
  return { b, one: servedNow(b), two: intentOf(b.sites, service('two')) };
}

const LEASE_MS = 60_000;
const WRITE_MS = 20_000;

describe('the lease of a stage', () => {
  it('refuses another command at once when that may not wait (SFX4101), and names the holder', async () => {
    const { b, two } = await stage();
    const held: unknown[] = [];
    const ana = hooked(b.run('ana'), {
      before: once(staging, async () => {
        const bob = b.run('bob');
        await assert.rejects(
          b.deploy(bob, intentOf(b.sites, service('three'))),
          rejectsWith('SFX4101', /ana/),
        );
        assert.deepEqual(
          bob.calls.filter((call) => call.writes),
          [],
        );
        held.push(1);
      }),
    });
    assert.equal((await b.deploy(ana, two)).ending, 'live');
    assert.equal(held.length, 1);
  });

  it('is waited for, and the one who waited plans anew', async () => {
    const { b, two } = await stage();
    const bob = b.run('bob');
    let waiting: ReturnType<typeof b.deploy> | undefined;
    const ana = hooked(b.run('ana', { faults: [{ op: 'versions.stage', at: 1, do: 'delay', ms: 30_000 }] }), {
      before: once(staging, () => {
        waiting = b.deploy(bob, intentOf(b.sites, service('three')), { waitMs: 600_000 });
      }),
    });
    assert.equal((await b.deploy(ana, two)).release?.number, 2);
    const outcome = await waiting!;
    assert.deepEqual([outcome.ending, outcome.release?.number], ['live', 3]);
    assert.ok(bob.events.some((event) => event.code === 'wait' && event.why.includes('ana')));
  });

  it('is renewed while one call takes much longer than it lasts', async () => {
    const { b, two } = await stage();
    let other: Promise<unknown> | undefined;
    const slow = b.run('ana', {
      machine: 'hers',
      faults: [{ op: 'versions.stage', at: 1, do: 'delay', ms: 10 * LEASE_MS }],
    });
    const ana = hooked(slow, {
      before: once(staging, () => {
        other = assert.rejects(
          b.deploy(b.run('bob', { machine: 'his' }), intentOf(b.sites, service('three')), {
            waitMs: 5 * LEASE_MS,
            onInterrupted: 'back',
          }),
          rejectsWith('SFX4101'),
        );
      }),
    });
    assert.equal((await b.deploy(ana, two)).ending, 'live');
    await other;
  });

  it('of a dead process on another machine is taken after its whole time, and one write is waited out', async () => {
    const { b, one, two } = await stage();
    const dead = b.run('ana', { machine: 'hers', faults: [{ op: 'traffic.set', at: 2, do: 'kill' }] });
    await dead.perform((run) => b.deploy(run, two));
    const began = b.clock.now();
    const bob = b.run('bob', { machine: 'his' });
    let first: number | undefined;
    const watched = hooked(bob, {
      before: (call) => {
        if (toProvider(call)) first ??= b.clock.now();
      },
    });
    assert.equal((await act.rollback(b, watched)).ending, 'rolled back');
    assert.ok(first! - began >= LEASE_MS + WRITE_MS, `after ${first! - began} ms`);
    assert.deepEqual(servedNow(b), one);
  });

  it('of a process that is known to be dead is taken at once, and one write is waited out', async () => {
    const { b, one, two } = await stage();
    await b
      .run('ana', { faults: [{ op: 'traffic.set', at: 2, do: 'kill' }] })
      .perform((run) => b.deploy(run, two));
    const began = b.clock.now();
    assert.equal((await act.rollback(b, b.run('bob'))).ending, 'rolled back');
    const took = b.clock.now() - began;
    assert.ok(took >= WRITE_MS && took < LEASE_MS, `after ${took} ms`);
    assert.deepEqual(servedNow(b), one);
  });

  it('that was lost is noticed before the next write: the old holder does nothing more', async () => {
    const { b, one } = await stage();
    const next = intentOf(b.sites, { ...service('two'), things: { table: { props: { size: 1 } } } });
    const paused = b.run('ana', { machine: 'hers' });
    const taken = () => journalOf(b).at(-1)?.release === 2;
    let back: ReturnType<typeof act.rollback> | undefined;
    let before = 0;
    const ana = hooked(paused, {
      before: once(
        (call) => call.op === 'resources.read' && taken(),
        () => {
          before = paused.calls.length;
          paused.freeze(10 * LEASE_MS);
          back = act.rollback(b, b.run('bob', { machine: 'his' }));
        },
      ),
    });
    const outcome = await b.deploy(ana, next);
    assert.equal((await back!).ending, 'rolled back');
    assert.deepEqual([outcome.ending, outcome.error?.code, outcome.exit], ['interrupted', 'SFX4102', 4]);
    assert.deepEqual(paused.calls.slice(before).filter(toProvider), []);
    assert.ok(
      !b
        .hands()
        .owns()
        .some((name) => name.includes('table')),
      'it made what nobody asked for any more',
    );
    assert.deepEqual(servedNow(b), one);
  });

  it('is outlived by no write: with too little of it left it is renewed first', async () => {
    const { b, two } = await stage();
    const run = b.run('ana');
    const tooLate: string[] = [];
    const watched = hooked(run, {
      before: (call) => {
        if (!toProvider(call)) return;
        const { lease } = headIn(b);
        if (lease === null || b.clock.now() + WRITE_MS > lease.beat + lease.ttlMs) tooLate.push(call.op);
      },
    });
    run.faults.add({ op: 'resources.read', at: 3, do: 'delay', ms: LEASE_MS - 1_000 });
    run.faults.add({ op: 'versions.warm.look', at: 1, do: 'delay', ms: LEASE_MS - 1_000 });
    assert.equal((await b.deploy(watched, two)).ending, 'live');
    assert.deepEqual(tooLate, []);
  });

  it('is given back whatever the end: live, failed, refused, interrupted', async () => {
    const { b, two } = await stage();
    const free = async () => assert.equal((await headOf(b, b.run('look')))?.lease, null);
    await b.deploy(b.run('ana', { faults: [{ op: 'versions.stage', at: 1, times: null, do: 'fail' }] }), two);
    await free();
    const run = b.run('ana');
    const ended = await b.deploy(hooked(run, { before: once(staging, () => run.abort()) }), two);
    assert.deepEqual([ended.ending, ended.exit, ended.error?.code], ['interrupted', 4, 'SFX4120']);
    await free();
    await assert.rejects(b.deploy(b.run('bob'), two), rejectsWith('SFX4103'));
    await free();
  });

  for (const when of ['after', 'before'] as const) {
    it(`survives the loss of any answer of the state, ${when} the write`, async () => {
      const { b: counted, two: plain } = await stage();
      const run = counted.run('ana');
      await counted.deploy(run, plain);
      const puts = run.calls.filter((call) => call.op === 'store.put').length;
      assert.ok(puts > 6);
      for (let at = 1; at <= puts; at++) {
        const { b, one, two } = await stage();
        const ana = b.run('ana', { faults: [{ op: 'store.put', at, do: 'lose', when }] });
        const ended = await ana.perform((actor) => b.deploy(actor, two));
        assert.notEqual(ended.ended, 'killed');
        const now = JSON.stringify(servedNow(b));
        if (when === 'after') {
          assert.equal(ended.ended === 'done' && ended.value.ending, 'live', `answer ${at}`);
          assert.notEqual(now, JSON.stringify(one));
        } else {
          assert.ok([JSON.stringify(one), JSON.stringify(servedNow(counted))].includes(now), `answer ${at}`);
        }
      }
    });
  }

  it('lets nothing be written once it was given back', async () => {
    const { b } = await stage();
    const ctx = await b.context(b.run());
    const holding = await take({ ...ctx, patience: ctx.fleet.patience, command: 'test', waitMs: 0 });
    await holding.guard();
    await holding.release((head) => head);
    for (const write of [
      () => holding.guard(),
      () => holding.guardBack(),
      () => holding.append(1, { kind: 'contracted' }),
      () => holding.change((head) => head),
    ]) {
      await assert.rejects(write(), rejectsWith('SFX9001', /given back/));
    }
  });

  it('is refused to who planned before somebody else was faster (SFX4122)', async () => {
    const { b, two } = await stage();
    const ana = hooked(b.run('ana'), {
      before: once(
        (call) => call.op === 'store.put',
        () => b.deploy(b.run('bob'), intentOf(b.sites, service('three'))),
      ),
    });
    await assert.rejects(b.deploy(ana, two), rejectsWith('SFX4122'));
    const head = await headOf(b, b.run('look'));
    assert.deepEqual([head?.live, head?.open, head?.lease, head?.next], [2, null, null, 3]);
    assert.deepEqual(
      head?.past.map((past) => past.status),
      ['superseded', 'live'],
    );
  });

  it('is given up by a living holder when a rollback asks for it', async () => {
    const { b, one, two } = await stage();
    let back: ReturnType<typeof act.rollback> | undefined;
    const slow = b.run('ana', { faults: [{ op: 'versions.stage', at: 2, do: 'delay', ms: LEASE_MS }] });
    const ana: Run = hooked(slow, {
      before: once(staging, () => {
        back = act.rollback(b, b.run('bob'));
      }),
    });
    const outcome = await b.deploy(ana, two);
    assert.equal(outcome.error?.code, 'SFX4115');
    assert.equal(outcome.ending, 'failed');
    const answer = await back!;
    assert.deepEqual([answer.ending, answer.exit], ['rolled back', 0]);
    assert.match(answer.sentence, /Release 1 takes 100 %/);
    assert.deepEqual(servedNow(b), one);
    assert.equal(headIn(b).past.length, 2);
  });
});
