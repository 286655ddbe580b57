import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '@sfx-deploy/plugin';
import { engineStatus, provider } from '../src/index.js';
import { until } from './assertions.js';
import {
  call,
  flip,
  handler,
  live,
  route,
  SCOPE,
  stage,
  type TestEngine,
  testEngine,
  urlOf,
} from './bench.js';

const SECRET = 'hunter2-of-the-engine-5e1';

describe('an environment value of a function', () => {
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

  /** What somebody who watches is told first. */
  async function firstOf(path: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${engine.port}${path}`);
    const reader = answer.body!.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return Buffer.from(value!).toString();
  }

  /** Files of the home that hold the value. */
  async function holding(): Promise<string[]> {
    const found: string[] = [];
    for (const name of await readdir(engine.home, { recursive: true })) {
      const path = join(engine.home, name);
      if ((await stat(path)).isFile() && (await readFile(path, 'utf8')).includes(SECRET)) found.push(name);
    }
    return found;
  }

  it('is kept with its version, and is in no log, record, metric or answer', async () => {
    const config = { environment: { KEY: SECRET }, timeout: 400 };
    const act = `if (name === 'throws') throw new Error('no');
      if (name === 'ends') process.exit(3);
      if (name === 'hangs') await new Promise(() => {});`;
    const code = handler(
      `const name = new URL(req.url).searchParams.get('how'); ${act} return text(process.env.KEY.length)`,
      `const name = payload; ${act} return process.env.KEY.length`,
    );
    await live(connection, 'keyed', code, ['GET /keyed'], config);
    const broken = await stage(connection, 'broken', 'throw new Error("not today");', config);
    await assert.rejects(connection.versions.warm(broken));
    await route(connection, 'broken', 'GET /broken');
    const { table } = await connection.traffic.read({ id: 'live', units: [] });
    await flip(connection, { ...table, broken: { stable: broken.id } });

    const told: string[] = [];
    const url = await urlOf(connection);
    for (const path of ['/keyed', '/keyed?how=throws', '/keyed?how=ends', '/keyed?how=hangs', '/broken']) {
      const { status, headers, text } = await call(`${url}${path}`);
      told.push(`${status} ${JSON.stringify(headers)} ${text}`);
    }
    const target = { alias: 'live', function: 'keyed' };
    for (const how of ['fine', 'throws', 'ends', 'hangs']) {
      const said = await connection.invoke(target, how).then(JSON.stringify, (error: Error) => error.message);
      told.push(said);
    }
    const later = await connection.invokeLater!(target, 'fine');
    await until(async () => (await connection.activation!(later))?.status === 'ok');

    assert.match(told.join('\n'), /^200 /);
    told.push((await call(`http://127.0.0.1:${engine.port}/metrics`)).text, await firstOf('/live'));
    told.push(JSON.stringify(await engineStatus(engine.run())));
    told.push(JSON.stringify(await connection.activations!({ limit: 100 })));
    for (const version of [broken, ...(await connection.versions.list('keyed'))])
      for await (const line of connection.logs!(version, new Date(0), false)) told.push(JSON.stringify(line));
    for (const one of told) assert.ok(!one.includes(SECRET), one);
    const kept = await holding();
    assert.equal(kept.length, 2, kept.join());
    for (const name of kept) assert.match(name, /versions\/(keyed|broken)\/[0-9a-f]{64}\/version\.json$/);
  });
});

describe('what the engine itself was started with', () => {
  it('is seen by no handler: neither in a thread nor in a process', async () => {
    const engine = await testEngine();
    try {
      const env = { OTEL_EXPORTER_OTLP_HEADERS: `key=${SECRET}`, TOKEN: SECRET };
      await using connection = await provider.connect(SCOPE, {}, engine.run(env));
      const seen = handler('return text(1)', 'return process.env');
      for (const isolation of ['thread', 'process'])
        await live(connection, isolation, seen, [], { isolation } as object);
      for (const name of ['thread', 'process']) {
        const found = (await connection.invoke({ alias: 'live', function: name }, null)) as object;
        assert.ok('PATH' in found);
        assert.ok(!JSON.stringify(found).includes(SECRET), Object.keys(found).join());
      }
    } finally {
      await engine.close();
    }
  });
});
