import assert from 'node:assert/strict';
import { call, flip, handler, live, stage, type TestEngine, testEngine, urlOf } from './bench.js';

describe('a function on the local engine', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await testEngine();
  });
  after(() => engine.close());

  it('answers at its route, and says which version and release answered', async () => {
    await using connection = await engine.connect();
    const version = await live(connection, 'hello', handler('return text("hi " + req.params.name)'), [
      'GET /hello/{name}',
    ]);
    const answer = await call(`${await urlOf(connection)}/hello/ana`);
    assert.equal(answer.status, 200);
    assert.equal(answer.text, 'hi ana');
    assert.equal(answer.headers['x-sfx-version'], `hello@${version.digest.slice(7, 14)}`);
    assert.equal(answer.headers['x-sfx-release'], '1');
  });

  it('sends a call that asks for it to the candidate, and refuses when there is none', async () => {
    await using connection = await engine.connect();
    const url = await urlOf(connection);
    const asking = { headers: { 'x-sfx-candidate': '1' } };
    const refused = await call(`${url}/hello/ana`, asking);
    assert.equal(refused.status, 409);
    assert.equal(JSON.parse(refused.text).error.code, 'SFX6104');

    const { table } = await connection.traffic.read({ id: 'live', units: [] });
    const candidate = await stage(connection, 'hello', handler('return text("new")'), {}, 2);
    const split = { stable: table['hello']!.stable, candidate: { version: candidate.id, percent: 0 } };
    await flip(connection, { hello: split }, 1, 2);
    const answer = await call(`${url}/hello/ana`, asking);
    assert.equal(answer.text, 'new');
    assert.equal(answer.headers['x-sfx-release'], '2');
    assert.equal((await call(`${url}/hello/ana`)).text, 'hi ana');
  });

  it('is called by alias and by version without HTTP', async () => {
    await using connection = await engine.connect();
    const version = await live(
      connection,
      'sum',
      handler('return text(1)', 'return { sum: payload.a + payload.b }'),
      [],
    );
    assert.deepEqual(await connection.invoke({ alias: 'live', function: 'sum' }, { a: 1, b: 2 }), { sum: 3 });
    assert.deepEqual(await connection.invoke({ version, function: 'sum' }, { a: 4, b: 2 }), { sum: 6 });
  });
});
