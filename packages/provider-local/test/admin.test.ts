import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { rejectsWith } from './assertions.js';
import {
  type Answer,
  artifactFrom,
  call,
  flip,
  handler,
  SCOPE,
  stage,
  type TestEngine,
  testEngine,
  unitOf,
} from './bench.js';

describe('the admin door of the engine', () => {
  let engine: TestEngine;
  let token: string;
  before(async () => {
    engine = await testEngine();
    await using connection = await engine.connect();
    assert.ok(connection);
    token = (await readFile(join(engine.home, 'token'), 'utf8')).trim();
  });
  after(() => engine.close());

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
    call(`http://127.0.0.1:${engine.port}${path}`, { method, headers });
  const authorization = () => ({ authorization: `Bearer ${token}` });
  const refused = (answer: Answer, status: number, code: string) => {
    assert.equal(answer.status, status, answer.text);
    assert.equal(JSON.parse(answer.text).error.code, code);
  };

  it('opens with the token', async () => {
    assert.equal((await ask('/v1/health', authorization())).status, 200);
  });

  it('is shut without the token or with another one, for every path but the page and what it shows', async () => {
    for (const path of [
      '/v1/health',
      '/v1/status',
      '/v1/stages/shop/dev',
      '/nothing',
      '//',
      '/live/',
      '/metrics/x',
    ]) {
      refused(await ask(path), 401, 'SFX6003');
      refused(await ask(path, { authorization: `Bearer ${'0'.repeat(64)}` }), 401, 'SFX6003');
      refused(await ask(path, { authorization: `Basic ${token}` }), 401, 'SFX6003');
    }
  });

  it('is shut for a name that was pointed at this machine (DNS rebinding), even with the token', async () => {
    for (const host of [
      'evil.example',
      'evil.example:4100',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
    ]) {
      refused(await ask('/v1/health', { ...authorization(), host }), 403, 'SFX6003');
    }
  });

  it('is shut for web pages, even with the token', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost:4100']) {
      refused(await ask('/v1/health', { ...authorization(), origin }), 403, 'SFX6003');
    }
  });

  it('takes no name that could leave its folder', async () => {
    const hex = 'a'.repeat(64);
    for (const bad of ['..', '%2e%2e', '..%2f..', 'a%2fb', 'a.b', '.', '-x', 'x'.repeat(65), '%00']) {
      for (const path of [
        `/v1/stages/${bad}/dev`,
        `/v1/stages/shop/${bad}`,
        `/v1/stages/shop/dev/versions/${bad}/${hex}`,
      ]) {
        const raw = await rawStatus(engine.port, `DELETE ${path} HTTP/1.1`, token);
        assert.ok(raw === 400 || raw === 404, `${path}: ${raw}`);
      }
    }
    refused(await ask('/v1/stages/shop/dev/versions/hello/..%2f..%2ftoken', authorization()), 400, 'SFX6007');
  });

  it('writes no alias under an older fence, even with the current token', async () => {
    await using connection = await engine.connect();
    const version = await stage(connection, 'aliased', handler('return text(1)'));
    await flip(connection, { aliased: { stable: version.id } }, 7);
    const path = `http://127.0.0.1:${engine.port}/v1/stages/shop/dev/aliases/live`;
    const { token: current } = JSON.parse((await call(path, { headers: authorization() })).text) as {
      token: string;
    };
    const write = (fence: number) =>
      call(path, {
        method: 'PUT',
        headers: authorization(),
        body: JSON.stringify({ to: {}, stamp: { release: 1, fence }, token: current }),
      });
    refused(await write(6), 409, 'SFX4105');
    assert.equal((await write(7)).status, 200);
    refused(await write(7), 409, 'SFX4105');
  });

  it('unpacks no artifact outside its folder, and keeps nothing of it', async () => {
    await using connection = await engine.connect();
    for (const path of [
      '../evil.mjs',
      '/tmp/evil.mjs',
      'a/../../evil.mjs',
      'a\\..\\evil.mjs',
      'C:/evil.mjs',
    ]) {
      const artifact = artifactFrom(
        zipSync({ 'hello.mjs': new Uint8Array([1]), [path]: new Uint8Array([2]) }),
      );
      const digest = `sha256:${'b'.repeat(64)}` as const;
      await rejectsWith(
        'SFX6008',
        connection.versions.stage(unitOf('hello'), digest, artifact, { release: 1, fence: 1 }),
      );
    }
    assert.deepEqual(await connection.versions.list('hello'), []);
    await assert.rejects(stat(join(engine.home, 'stages', SCOPE.service, SCOPE.stage, 'versions', 'hello')), {
      code: 'ENOENT',
    });
    await assert.rejects(stat('/tmp/evil.mjs'), { code: 'ENOENT' });
  });

  it('takes no artifact that is not one', async () => {
    await using connection = await engine.connect();
    const whole = zipSync({ 'hello.mjs': new TextEncoder().encode('export default 1;'.repeat(50)) });
    const flipped = whole.slice();
    flipped[60] = flipped[60]! ^ 0xff;
    const stored = zipSync({ 'hello.mjs': new TextEncoder().encode('export default 1;') }, { level: 0 });
    stored[45] = stored[45]! ^ 1;
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(500),
      whole.slice(0, whole.length - 30),
      flipped,
    ]) {
      const digest = `sha256:${'c'.repeat(64)}` as const;
      await rejectsWith(
        'SFX6008',
        connection.versions.stage(unitOf('hello'), digest, artifactFrom(bytes), { release: 1, fence: 1 }),
      );
    }
  });
});

/** The status of a request whose path no client library may make tidy. */
function rawStatus(port: number, line: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `${line}\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])));
    socket.on('error', reject);
  });
}
