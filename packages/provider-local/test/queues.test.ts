import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '@sfx-deploy/plugin';
import { engineStatus } from '../src/index.js';
import { until } from './assertions.js';
import { call, flip, live, stage, type TestEngine, testEngine } from './bench.js';
import { admin, bodies, pulls, recorded, recorder, send, sendAll } from './events-bench.js';

interface State {
  readonly name: string;
  readonly visible: number;
  readonly delayed: number;
  readonly inFlight: number;
  readonly messages: {
    body: string;
    attributes: Record<string, string>;
    attempts: number;
    id: string;
    state: string;
  }[];
}

describe('queues and topics of the local engine', () => {
  let engine: TestEngine;
  let connection: Connection;
  let dir: string;
  before(async () => {
    engine = await testEngine();
    connection = await engine.connect();
    dir = await mkdtemp(join(tmpdir(), 'sfx-queues-'));
  });
  after(async () => {
    await connection[Symbol.asyncDispose]();
    await engine.close();
    await rm(dir, { recursive: true });
  });

  const file = (name: string) => join(dir, name);
  const queue = (name: string) => admin<State>(engine, 'GET', `/queues/${name}?max=100`);
  const open = ({ visible, delayed, inFlight }: State) => visible + delayed + inFlight;
  const empty = (name: string) => until(async () => open(await queue(name)) === 0);
  const remove = (id: string) =>
    admin(engine, 'DELETE', `/triggers/${id.split(':')[0]}?id=${encodeURIComponent(id)}`);

  it('delivers what is sent, with attributes, and counts it in the status', async () => {
    await live(connection, 'worker', recorder(file('worker')), []);
    await pulls(engine, 'queue:orders', 'worker', { queue: 'orders' });
    const sent = await send(engine, 'queues/orders', '{"order":1}', {
      headers: { 'x-sfx-attribute-color': 'red' },
    });
    assert.equal(sent.status, 202);
    const { ids } = JSON.parse(sent.text) as { ids: string[] };
    await until(async () => (await recorded(file('worker'))).length === 1);
    const [{ event }] = (await recorded(file('worker'))) as [Awaited<ReturnType<typeof recorded>>[0]];
    const [message] = event.messages;
    assert.deepEqual(event, {
      kind: 'queue',
      queue: 'orders',
      messages: [
        {
          id: ids[0],
          body: '{"order":1}',
          attributes: { color: 'red' },
          sentAt: message!.sentAt,
          attempt: 1,
        },
      ],
    });
    await empty('orders');
    const { services } = await engineStatus(engine.run());
    assert.deepEqual(
      services[0]!.queues?.map(({ name }) => name),
      ['orders', 'orders-dead'],
    );
  });

  it('delivers nothing while its trigger is disabled, keeps it, and delivers it once it is enabled', async () => {
    await live(connection, 'late', recorder(file('late')), []);
    await pulls(engine, 'queue:late', 'late', { queue: 'late' }, false);
    await sendAll(engine, 'queues/late', [{ body: '1' }, { body: { two: 2 } }]);
    await connection.invoke({ alias: 'live', function: 'late' }, { $event: { messages: [] } });
    assert.equal((await queue('late')).visible, 2);
    await pulls(engine, 'queue:late', 'late', { queue: 'late' });
    await empty('late');
    assert.deepEqual(await bodies(file('late')), ['1', '{"two":2}']);
    await pulls(engine, 'queue:late', 'late', { queue: 'late' }, false);
    await send(engine, 'queues/late', '3');
    await pulls(engine, 'queue:late', 'late', { queue: 'late', enabled: false });
    await connection.invoke({ alias: 'live', function: 'late' }, { $event: { messages: [] } });
    assert.equal((await queue('late')).visible, 1, 'nor when the file says so');
    await remove('queue:late');
    assert.equal((await queue('late')).visible, 1, 'what it holds stays when the trigger goes');
  });

  it('delivers to the versions that the alias names at that moment, by their share, and to no other', async () => {
    const first = await live(connection, 'split', recorder(file('split')), []);
    const second = await stage(connection, 'split', recorder(file('split'), 'return 2'), {}, 2);
    await stage(connection, 'split', recorder(file('split'), 'return 3'), {}, 3);
    await pulls(engine, 'queue:split', 'split', { queue: 'split', batchSize: 1, concurrency: 4 });
    const { table } = await connection.traffic.read({ id: 'live', units: [] });
    const seen = async (n: number) => {
      await rm(file('split'), { force: true });
      await sendAll(
        engine,
        'queues/split',
        Array.from({ length: n }, (_, k) => ({ body: String(k) })),
      );
      await empty('split');
      const all = await recorded(file('split'));
      assert.equal(all.length, n);
      return new Map(
        [first, second].map(({ id }) => [id, all.filter(({ version }) => version === id).length]),
      );
    };
    assert.deepEqual([...(await seen(20)).values()], [20, 0]);
    const candidate = { version: second.id, percent: 50 };
    await flip(connection, { ...table, split: { stable: first.id, candidate } }, 1, 2);
    const shares = await seen(200);
    assert.equal(shares.get(first.id)! + shares.get(second.id)!, 200);
    assert.ok(shares.get(second.id)! > 50 && shares.get(second.id)! < 150);
    await flip(connection, { ...table, split: { stable: second.id } }, 1, 2);
    assert.deepEqual([...(await seen(20)).values()], [0, 20]);
    await flip(connection, table, 1, 1);
    await remove('queue:split');
  });

  it('delivers again what a handler says that it could not take, and no other', async () => {
    const fails = `return { batchItemFailures: event.messages.filter((one) => one.body === 'bad' && one.attempt < 2)
      .map((one) => ({ itemIdentifier: one.id })) }`;
    await live(connection, 'partial', recorder(file('partial'), fails), []);
    await pulls(engine, 'queue:partial', 'partial', { queue: 'partial' }, false);
    await sendAll(engine, 'queues/partial', [{ body: 'good' }, { body: 'bad' }]);
    await pulls(engine, 'queue:partial', 'partial', { queue: 'partial' });
    await empty('partial');
    assert.deepEqual(await bodies(file('partial')), ['good', 'bad', 'bad']);
    assert.equal(open(await queue('partial-dead')), 0);
  });

  it('puts what always fails aside with the reason, the good ones of its batch not; redrive sends it back', async () => {
    const fails = `if (event.messages.some((one) => one.body === 'poison')) throw new Error('no such order');`;
    const version = await live(connection, 'poison', recorder(file('poison'), fails), []);
    const props = { queue: 'poison', maxReceives: 2, deadLetter: 'aside' };
    await pulls(engine, 'queue:poison', 'poison', props, false);
    await sendAll(engine, 'queues/poison', [
      { body: 'good' },
      { body: 'poison', attributes: { of: 'ana' } },
      { body: 'fine' },
    ]);
    await pulls(engine, 'queue:poison', 'poison', props);
    await empty('poison');
    const aside = await queue('aside');
    assert.equal(aside.visible, 1);
    const [dead] = aside.messages;
    assert.equal(dead!.body, 'poison');
    const { 'sfx-dead-at': at, 'sfx-dead-reason': reason, ...attributes } = dead!.attributes;
    assert.match(String(reason), /^threw: .*no such order/);
    assert.ok(Date.parse(String(at)) > 0);
    assert.deepEqual(attributes, {
      of: 'ana',
      'sfx-dead-tries': '2',
      'sfx-dead-trigger': 'queue:poison',
      'sfx-dead-queue': 'poison',
    });
    const lines: string[] = [];
    for await (const line of connection.logs!(version, new Date(0), false)) lines.push(line.text);
    assert.ok(lines.some((text) => /1 of poison went to aside: threw/.test(text)));

    assert.deepEqual(await admin(engine, 'POST', '/queues/aside/redrive'), { sent: 1, left: 0 });
    await until(async () => (await queue('aside')).visible === 1);
    assert.equal((await queue('aside')).messages[0]!.id, dead!.id, 'it fails again, and is kept again');

    await live(connection, 'poison', recorder(file('mended')), []);
    await sendAll(engine, 'queues/aside', [{ body: 'not a dead letter' }]);
    assert.deepEqual(await admin(engine, 'POST', '/queues/aside/redrive'), { sent: 1, left: 1 });
    await until(async () => (await bodies(file('mended'))).length === 1);
    const [{ event }] = (await recorded(file('mended'))) as [Awaited<ReturnType<typeof recorded>>[0]];
    assert.deepEqual([event.messages[0]!.body, event.messages[0]!.attributes], ['poison', { of: 'ana' }]);
    assert.equal(event.messages[0]!.id, dead!.id);
    assert.deepEqual(await admin(engine, 'POST', '/queues/aside/purge'), { purged: 1 });
  });

  it('ends a chain of messages that feeds itself', async () => {
    const again = `for (const one of event.messages)
      await fetch(process.env.SFX_EVENTS_URL + '/queues/ring', { method: 'POST', body: String(Number(one.body) + 1) });`;
    await live(connection, 'ring', recorder(file('ring'), again), []);
    await pulls(engine, 'queue:ring', 'ring', { queue: 'ring' });
    await send(engine, 'queues/ring', '0');
    await until(async () => (await queue('ring-dead').catch(() => undefined))?.visible === 1);
    const [dead] = (await queue('ring-dead')).messages;
    assert.match(dead!.attributes['sfx-dead-reason']!, /^SFX6112/);
    assert.deepEqual(
      (await bodies(file('ring'))).map(Number),
      Array.from({ length: 17 }, (_, n) => n),
    );
  });

  it('gives each subscription of a topic its own copy, by its filter; to one that is disabled none', async () => {
    for (const name of ['all', 'red', 'off', 'failing'])
      await live(
        connection,
        name,
        recorder(file(name), name === 'failing' ? 'throw new Error("no")' : ''),
        [],
      );
    const props = { topic: 'sales' };
    await pulls(engine, 'topic:sales:all', 'all', props);
    await pulls(engine, 'topic:sales:red', 'red', { ...props, filter: { color: ['red', 'pink'] } });
    await pulls(engine, 'topic:sales:off', 'off', props, false);
    await pulls(engine, 'topic:sales:failing', 'failing', { ...props, maxReceives: 1 });
    const sent = await sendAll(engine, 'topics/sales', [
      { body: '1', attributes: { color: 'red' } },
      { body: '2', attributes: { color: 'blue' } },
      { body: '3' },
    ]);
    assert.equal(sent.status, 202, sent.text);
    assert.equal((JSON.parse(sent.text) as { ids: string[] }).ids.length, 3);
    await until(async () => (await bodies(file('all'))).length === 3);
    await until(async () => (await bodies(file('red'))).length === 1);
    await until(async () => (await queue('sales-dead')).visible === 3);
    assert.deepEqual(await bodies(file('all')), ['1', '2', '3']);
    const [first] = await recorded(file('all'));
    assert.equal(first!.event.kind, 'topic');
    assert.deepEqual(await bodies(file('red')), ['1']);
    await pulls(engine, 'topic:sales:off', 'off', props);
    await send(engine, 'topics/sales', '4');
    await until(async () => (await bodies(file('off'))).length === 1);
    assert.deepEqual(await bodies(file('off')), ['4']);

    await until(async () => (await queue('sales-dead')).visible === 4);
    await live(connection, 'failing', recorder(file('mended-topic')), []);
    assert.deepEqual(await admin(engine, 'POST', '/queues/sales-dead/redrive'), { sent: 4, left: 0 });
    await until(async () => (await bodies(file('mended-topic'))).length === 4);
  });

  it('keeps what a subscription is owed while it is disabled, and forgets it when it is removed', async () => {
    const version = await live(connection, 'owed', recorder(file('owed'), 'throw new Error("not yet")'), []);
    await pulls(engine, 'topic:owed:owed', 'owed', { topic: 'owed', maxReceives: 1_000 });
    await send(engine, 'topics/owed', '1');
    await until(async () => (await bodies(file('owed'))).length > 0);
    await pulls(engine, 'topic:owed:owed', 'owed', { topic: 'owed', maxReceives: 1_000 }, false);
    await live(connection, 'owed', recorder(file('taken')), []);
    await pulls(engine, 'topic:owed:owed', 'owed', { topic: 'owed' });
    await until(async () => (await bodies(file('taken'))).length === 1);
    assert.ok(version);
    await remove('topic:owed:owed');
    assert.equal((await send(engine, 'topics/owed', 'nobody hears it')).status, 202);
    const metrics = await call(`http://127.0.0.1:${engine.port}/metrics`);
    assert.match(metrics.text, /^sfx_topic_unheard_total\{service="shop",stage="dev",topic="owed"\} 1$/m);
  });

  it('refuses a trigger that could not deliver, keeps the one before it, and lets others be changed', async () => {
    await live(connection, 'kept', recorder(file('kept')), []);
    await pulls(engine, 'queue:kept', 'kept', { queue: 'kept' });
    await assert.rejects(pulls(engine, 'queue:kept', 'kept', { queue: '../token' }), /400 .*SFX6007/);
    await assert.rejects(
      pulls(engine, 'queue:kept', 'kept', { queue: 'kept', deadLetter: 'kept' }),
      /400 .*SFX6010/,
    );
    await assert.rejects(pulls(engine, 'queue:bad', 'kept', { queue: 'x'.repeat(65) }), /400 .*SFX6007/);
    const trigger = await admin<{ props: object }>(engine, 'GET', '/triggers/queue?id=queue:kept');
    assert.deepEqual(trigger.props, { enabled: true, queue: 'kept' });
    await assert.rejects(admin(engine, 'GET', '/triggers/queue?id=queue:bad'), /404/);
    await send(engine, 'queues/kept', '1');
    await empty('kept');
    assert.deepEqual(await bodies(file('kept')), ['1']);
  });

  it('shares a queue between two functions: each message goes to one of them', async () => {
    for (const name of ['left', 'right']) {
      await live(connection, name, recorder(file(name), 'await new Promise((go) => setTimeout(go, 5))'), []);
      await pulls(engine, `queue:both:${name}`, name, { queue: 'both', batchSize: 1 }, false);
    }
    const texts = Array.from({ length: 60 }, (_, n) => String(n));
    await sendAll(
      engine,
      'queues/both',
      texts.map((body) => ({ body })),
    );
    for (const name of ['left', 'right'])
      await pulls(engine, `queue:both:${name}`, name, { queue: 'both', batchSize: 1 });
    await empty('both');
    const [left, right] = [await bodies(file('left')), await bodies(file('right'))];
    assert.ok(left.length > 0 && right.length > 0);
    assert.deepEqual([...left, ...right].sort(), [...texts].sort());
  });

  it('does not count a try while nothing is live for its function', async () => {
    await pulls(engine, 'queue:early', 'early', { queue: 'early', maxReceives: 1 });
    await send(engine, 'queues/early', '1');
    await live(connection, 'early', recorder(file('early')), []);
    await empty('early');
    const [first] = await recorded(file('early'));
    assert.deepEqual(
      first!.event.messages.map(({ body, attempt }) => [body, attempt]),
      [['1', 1]],
    );
  });

  it('waits for what is under way when a trigger is disabled, and begins nothing further', async () => {
    const slow =
      'await new Promise((resolve) => setTimeout(resolve, 300)); appendFileSync(process.env.END, "x");';
    await live(connection, 'slow', recorder(file('slow'), slow), [], {
      environment: { END: file('slow-end') },
    });
    await pulls(engine, 'queue:slow', 'slow', { queue: 'slow', batchSize: 1, concurrency: 1 });
    await sendAll(engine, 'queues/slow', [{ body: '1' }, { body: '2' }]);
    await until(async () => (await bodies(file('slow'))).length === 1);
    await pulls(engine, 'queue:slow', 'slow', { queue: 'slow', batchSize: 1, concurrency: 1 }, false);
    assert.equal((await queue('slow')).visible, 1);
    assert.equal((await queue('slow')).inFlight, 0);
    assert.deepEqual(await bodies(file('slow')), ['1']);
  });
});
