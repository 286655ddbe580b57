import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import type { Connection, Version } from '@sfx-deploy/plugin';
import fc from 'fast-check';
import { pick } from '../src/daemon/http/router.js';
import { engineStatus } from '../src/index.js';
import { rejectsWith } from './assertions.js';
import { ALIAS, call, flip, handler, live, stage, type TestEngine, testEngine, urlOf } from './bench.js';

/** Two-sided 99.99 % of a binomial count, by its normal form. */
function interval(n: number, p: number): [number, number] {
  const spread = 3.8906 * Math.sqrt(n * p * (1 - p)) + 1;
  return [n * p - spread, n * p + spread];
}

function within(count: number, n: number, p: number): void {
  const [low, high] = interval(n, p);
  assert.ok(
    count >= low && count <= high,
    `${count} of ${n} is outside ${low.toFixed(0)} to ${high.toFixed(0)}`,
  );
}

describe('a split', () => {
  it('of 5 % sends 20,000 calls inside the 99.99 % interval', () => {
    const split = { stable: 'a', candidate: { version: 'b', percent: 5 } };
    const count = Array.from({ length: 20_000 }, () => pick(split, Math.random())).filter(
      (to) => to === 'b',
    ).length;
    within(count, 20_000, 0.05);
  });

  it('sends nothing at 0 %, all at 100 %, and never the percent to stable', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (percent, draw) => {
          const to = pick({ stable: 'a', candidate: { version: 'b', percent } }, draw);
          assert.equal(to, draw < percent / 100 ? 'b' : 'a');
        },
      ),
      {
        examples: [
          [0, 0],
          [100, 0.999999],
          [5, 0.04],
          [5, 0.06],
        ],
      },
    );
    assert.equal(pick({ stable: 'a' }, 0), 'a');
  });
});

describe('traffic on the local engine', () => {
  let engine: TestEngine;
  let connection: Connection;
  let url: string;
  let one: Version;
  let two: Version;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    one = await live(connection, 'hello', handler('return text(1)'), ['GET /hello']);
    two = await stage(connection, 'hello', handler('return text(2)'), {}, 2);
    await connection.versions.warm(two);
    url = `${await urlOf(connection)}/hello`;
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  it('is split over HTTP as the table says', async () => {
    await flip(connection, { hello: { stable: one.id, candidate: { version: two.id, percent: 20 } } }, 1, 2);
    const agent = new Agent({ keepAlive: true, maxSockets: 10 });
    const answers = await Promise.all(Array.from({ length: 2_000 }, () => call(url, { agent })));
    agent.destroy();
    const candidate = answers.filter((answer) => answer.headers['x-sfx-release'] === '2');
    within(candidate.length, 2_000, 0.2);
    for (const answer of answers) assert.equal(answer.text, answer.headers['x-sfx-release']);
  });

  it('names the release that each answer is for: stable keeps its own while another is shifted or taken back', async () => {
    const releaseOf = async (headers = {}) => (await call(url, { headers })).headers['x-sfx-release'];
    const candidate = { version: two.id, percent: 0 };
    await flip(connection, { hello: { stable: one.id } }, 1, 7);
    await flip(connection, { hello: { stable: one.id, candidate } }, 1, 8);
    const before = await releaseOf();
    assert.equal(await releaseOf({ 'x-sfx-candidate': '1' }), '8');
    await flip(connection, { hello: { stable: one.id } }, 1, 8);
    assert.equal(await releaseOf(), before);
    await flip(connection, { hello: { stable: two.id } }, 1, 9);
    assert.equal(await releaseOf(), '9');
    await flip(connection, { hello: { stable: one.id } }, 1, 10);
    assert.equal(await releaseOf(), '10');
  });

  it('loses no call while it is flipped, shifted and taken back, and versions are cooled and removed', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 10 });
    let running = true;
    let calls = 0;
    const lost: string[] = [];
    const caller = async () => {
      while (running) {
        const answer = await call(url, { agent });
        calls += 1;
        if (answer.status !== 200) lost.push(`${answer.status} ${answer.text}`);
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    for (let round = 1; round <= 6; round += 1) {
      const next = await stage(
        connection,
        'hello',
        handler(`await new Promise((r) => setTimeout(r, 15)); return text('next ${round}')`),
        {},
        2 + round,
      );
      await connection.versions.warm(next);
      const candidate = { version: next.id, percent: 30 };
      await flip(connection, { hello: { stable: one.id, candidate } });
      await flip(connection, { hello: { stable: next.id } });
      await connection.versions.cool!(one);
      await flip(connection, { hello: { stable: one.id } });
      await connection.versions.remove(next);
    }
    running = false;
    await Promise.all(callers);
    agent.destroy();
    assert.deepEqual(lost, []);
    assert.ok(calls > 100, `${calls} calls were made meanwhile`);
  });

  it('is written only by who compared the current table, under no older fence', async () => {
    await flip(connection, { hello: { stable: one.id } }, 5);
    const now = await connection.traffic.read(ALIAS);
    const to = { hello: { stable: two.id } };
    const set = (move: { fence: number; token?: string; from?: typeof now.table }) =>
      connection.traffic.set(ALIAS, {
        from: move.from ?? now.table,
        to,
        stamp: { release: 2, fence: move.fence },
        ...(move.token && { token: move.token }),
      });
    assert.equal(await set({ fence: 4 }), 'conflict');
    assert.equal(await set({ fence: 5, from: {} }), 'conflict');
    assert.deepEqual(await connection.traffic.read(ALIAS), now);
    const moved = await set({ fence: 5, token: now.token! });
    assert.ok(moved !== 'conflict');
    assert.notEqual(moved.token, now.token);
    assert.deepEqual(await set({ fence: 5, token: now.token! }), moved, 'a repeated write is done already');
    assert.equal(await connection.traffic.confirm(ALIAS, to), true);
    assert.equal(await connection.traffic.confirm(ALIAS, now.table), false);
  });

  it('goes to no version that is gone', async () => {
    const now = await connection.traffic.read(ALIAS);
    const to = { hello: { stable: 'hello@000000000000' } };
    await rejectsWith(
      'SFX3105',
      connection.traffic.set(ALIAS, { from: now.table, to, stamp: { release: 9, fence: 9 } }),
    );
    assert.deepEqual(await connection.traffic.read(ALIAS), now);
  });

  it('of one stage is its own', async () => {
    await using prod = await engine.connect({ service: 'shop', stage: 'prod' });
    assert.deepEqual((await prod.traffic.read(ALIAS)).table, {});
    assert.deepEqual(await prod.versions.list('hello'), []);
    await live(prod, 'hello', handler('return text("prod")'), ['GET /hello']);
    assert.notEqual(await urlOf(prod), await urlOf(connection));
    await prod.forget!();
    assert.deepEqual(await prod.urls!(), {});
    assert.equal((await call(url)).status, 200);
  });

  it('has a second instance when one is full, and few that have nothing to do', async () => {
    const slow = await live(
      connection,
      'slow',
      handler('await new Promise((r) => setTimeout(r, 300)); return text(1)'),
      ['GET /slow'],
    );
    await connection.versions.cool!(slow);
    const before = (await engineStatus(engine.run())).services[0]!.instances;
    const target = `${await urlOf(connection)}/slow`;
    const answers = await Promise.all(Array.from({ length: 40 }, () => call(target)));
    assert.ok(answers.every((answer) => answer.status === 200));
    assert.equal((await engineStatus(engine.run())).services[0]!.instances, before + 2);

    const many = Array.from({ length: 36 }, (_, n) => `many${n}`);
    for (const name of many)
      await connection.versions.warm(await stage(connection, name, handler('', 'return payload')));
    assert.ok((await engineStatus(engine.run())).services[0]!.instances <= 33);
    const [first] = await connection.versions.list('many0');
    await connection.versions.warm(first!);
    assert.equal(await connection.invoke({ version: first!, function: 'many0' }, 'still'), 'still');
  });

  it('knows a version by its name alone, as a table has it', async () => {
    const named = { ...two, digest: 'sha256:' as const };
    await connection.versions.warm(named);
    assert.ok((await connection.metrics!(named, new Date(0), new Date(Date.now() + 60_000)))!.requests > 0);
    await rejectsWith('SFX3107', connection.versions.remove(named));
  });
});
