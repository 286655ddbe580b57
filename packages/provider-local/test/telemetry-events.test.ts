import assert from 'node:assert/strict';
import type { Activation, Connection } from '@sfx-deploy/plugin';
import { until } from './assertions.js';
import { call, handler, live, type TestEngine, testEngine } from './bench.js';
import { pulls, send } from './events-bench.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

describe('activations of what triggers deliver, and of calls by functions', () => {
  let engine: TestEngine;
  let connection: Connection;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
  });

  const of = (name: string, cause: string) => async () =>
    (await connection.activations!({ function: name, limit: 1_000 })).filter((one) => one.cause === cause);
  const over = async (found: () => Promise<Activation[]>, count = 1) => {
    await until(async () => (await found()).filter((one) => one.durationMs !== null).length >= count);
    return found();
  };

  it('tell trigger, time and trace of a delivery from a queue', async () => {
    await live(
      connection,
      'taker',
      handler('return text(1)', 'console.log(ctx.trace); return { took: 1 }'),
      [],
    );
    await pulls(engine, 'queue:jobs', 'taker', { queue: 'jobs' });
    await send(engine, 'queues/jobs', 'one', { headers: { traceparent: TRACEPARENT } });
    const [one] = await over(of('taker', 'queue'));
    assert.deepEqual([one?.status, one?.trigger, one?.attempt], ['ok', 'queue:jobs', 1]);
    const whole = await connection.activation!(one!.id);
    assert.deepEqual(whole?.result, { took: 1 });
    assert.match(whole!.logs![0]!.text, new RegExp(`^00-${TRACE}-(?!00f067aa0ba902b7)`));
  });

  it('count a version that leaves messages untaken as one that fails', async () => {
    const fails =
      'return { batchItemFailures: payload.$event.messages.map(({ id }) => ({ itemIdentifier: id })) }';
    const version = await live(connection, 'leaver', handler('return text(1)', fails), []);
    await pulls(engine, 'queue:left', 'leaver', { queue: 'left', maxReceives: 1 });
    await send(engine, 'queues/left', 'one');
    const [one] = await over(of('leaver', 'queue'));
    assert.deepEqual(
      [one?.status, one?.error],
      ['failed', { code: 'SFX6140', message: '1 of 1 messages were not taken' }],
    );
    const metrics = await connection.metrics!(version, new Date(0), new Date(Date.now() + 60_000));
    assert.deepEqual([metrics?.requests, metrics?.errors], [1, 1]);
    const { text } = await call(`http://127.0.0.1:${engine.port}/metrics`);
    assert.match(text, /sfx_queue_messages\{service="shop",stage="dev",queue="left",state="visible"\} 0/);
  });

  it('are there for a call that a function makes for later, through its own address', async () => {
    const ask = `const answer = await fetch(process.env.SFX_EVENTS_URL + '/functions/later', { method: 'POST', body: JSON.stringify({ n: payload.n }) });
      return { status: answer.status, trace: ctx.trace, ...(await answer.json()) };`;
    await live(
      connection,
      'later',
      handler('return text(1)', 'return { got: payload, trace: ctx.trace }'),
      [],
    );
    await live(connection, 'asker', handler('return text(1)', ask), []);
    const asked = (await connection.invoke({ alias: 'live', function: 'asker' }, { n: 7 })) as {
      status: number;
      activation: string;
      trace: string;
    };
    assert.equal(asked.status, 202);
    await until(async () => (await connection.activation!(asked.activation))?.status === 'ok');
    const one = await connection.activation!(asked.activation);
    const { got, trace } = one!.result as { got: unknown; trace: string };
    assert.deepEqual(got, { n: 7 });
    // One trace through both, each with a span of its own.
    assert.equal(trace.slice(3, 35), asked.trace.slice(3, 35));
    assert.notEqual(trace.slice(36, 52), asked.trace.slice(36, 52));
  });

  it('end a function that calls itself for ever', async () => {
    const again = `const answer = await fetch(process.env.SFX_EVENTS_URL + '/functions/again', { method: 'POST', body: '{}' });
      return answer.status;`;
    await live(connection, 'again', handler('return text(1)', again), []);
    await connection.invokeLater!({ alias: 'live', function: 'again' }, {});
    await until(async () => (await of('again', 'async')()).some((one) => one.error?.code === 'SFX6112'));
    const all = await over(of('again', 'async'), 17);
    // The first was not called by a function.
    assert.equal(all.filter((one) => one.status === 'ok').length, 17);
    assert.equal(all.filter((one) => one.error?.code === 'SFX6112').length, 1);
  });
});
