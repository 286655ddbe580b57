import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isSfxError } from '../../src/errors.js';
import { canonical, type Json } from '../../src/json.js';
import { fileStore } from '../../src/state/file-store.js';
import type { Store } from '../../src/state/store.js';

const rejectsWith = (code: string, said: RegExp) => (error: unknown) =>
  isSfxError(error) && error.code === code && said.test(error.message);

describe('state in a folder', () => {
  let dir = '';
  let store: Store;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sfx-store-'));
    store = fileStore(join(dir, 'state'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const folder = () => join(dir, 'state/shop/dev');

  it('writes only what is still as its writer knows it, whatever is done in whatever order', async () => {
    const key = fc.constantFrom('a/b', 'a/b', 'a/b-c');
    const step = fc.record({
      who: fc.nat(1),
      key,
      do: fc.constantFrom('look', 'look', 'put', 'put', 'put', 'put new', 'put new', 'delete', 'list'),
      value: fc.jsonValue(),
    });
    let laws = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const law = join(dir, `law-${laws++}`);
        const clients = [0, 1].map(() => fileStore(law));
        const model = new Map<string, { value: Json; incarnation: number }>();
        const known = [0, 1].map(() => new Map<string, { tag: string; incarnation: number }>());
        let incarnation = 0;
        for (const { who, key: at, do: what, value } of steps) {
          const client = clients[who]!;
          const now = model.get(at);
          if (what === 'list') {
            const expected = [...model.keys()].filter((one) => one.startsWith('a/')).sort();
            assert.deepEqual(await client.list('a/'), expected);
          } else if (what === 'delete') {
            await client.delete(at);
            model.delete(at);
          } else if (what === 'look') {
            const there = await client.get(at);
            assert.equal(canonical(there?.value), canonical(now?.value));
            if (there !== undefined) known[who]!.set(at, { tag: there.tag, incarnation: now!.incarnation });
          } else {
            const expect = what === 'put new' ? undefined : known[who]!.get(at);
            const put = await client.put(at, [incarnation, value as Json], expect?.tag ?? null);
            if (now?.incarnation !== expect?.incarnation) {
              assert.equal(put, 'conflict');
              continue;
            }
            assert.notEqual(put, 'conflict');
            model.set(at, { value: [incarnation, value as Json], incarnation });
            known[who]!.set(at, { tag: put, incarnation });
            incarnation += 1;
          }
        }
        for (const one of ['a/b', 'a/b-c']) {
          assert.equal(canonical((await clients[0]!.get(one))?.value), canonical(model.get(one)?.value));
        }
      }),
      { numRuns: 80, seed: 411 },
    );
  });

  const hammer = (times: number) =>
    spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--conditions',
        'sfx-source',
        fileURLToPath(new URL('./hammer.ts', import.meta.url)),
        join(dir, 'state'),
        String(times),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );

  async function saidBy(child: ReturnType<typeof hammer>): Promise<number> {
    let said = 0;
    child.stdout!.on('data', (text: Buffer) => (said += text.length));
    await new Promise((resolve) => child.on('close', resolve));
    return said;
  }

  it('loses no update of processes that write one key at once', async () => {
    const said = await Promise.all([1, 2, 3].map(() => saidBy(hammer(60))));
    assert.deepEqual(said, [60, 60, 60]);
    assert.equal((await store.get('shop/dev/number'))?.value, 180);
  }).timeout(60_000);

  it('keeps what was written when writers are killed, and the key can still be written', async () => {
    const children = [1, 2, 3].map(() => hammer(100_000));
    const said = Promise.all(children.map(saidBy));
    for (const child of children) {
      const before = (await store.get('shop/dev/number'))?.value as number | undefined;
      while ((((await store.get('shop/dev/number'))?.value as number | undefined) ?? 0) < (before ?? 0) + 10);
      child.kill('SIGKILL');
    }
    const sum = (await said).reduce((a, b) => a + b, 0);
    const there = await store.get('shop/dev/number');
    const number = there!.value as number;
    // Each may have been killed between its write and its word.
    assert.ok(number >= sum && number <= sum + 3, `${number} written, ${sum} said`);
    assert.notEqual(await store.put('shop/dev/number', number + 1, there!.tag), 'conflict');
  }).timeout(60_000);

  it('cleans old generations away, after which a writer that slept through them is still refused', async () => {
    let tag: string | 'conflict' = (await store.put('shop/dev/head', 0, null)) as string;
    const first = tag;
    for (let n = 1; n <= 5; n++) tag = await store.put('shop/dev/head', n, tag);
    const before = await readdir(folder());
    assert.equal(before.length, 6, 'young ones stay');
    for (const file of before) await utimes(join(folder(), file), 1, 1);
    tag = await store.put('shop/dev/head', 6, tag);
    assert.equal((await readdir(folder())).length, 2);
    for (const stale of [first, null, '3', 'nonsense', before.at(-1)!]) {
      assert.equal(await store.put('shop/dev/head', 'stale', stale), 'conflict');
    }
    assert.deepEqual(await store.get('shop/dev/head'), { value: 6, tag });
  });

  it('refuses a writer who knows what was there before a removal', async () => {
    const old = await store.put('shop/dev/head', { of: 'the first' }, null);
    await store.delete('shop/dev/head');
    assert.equal(await store.put('shop/dev/head', { of: 'nobody' }, old), 'conflict');
    await store.put('shop/dev/head', { of: 'the second' }, null);
    assert.equal(await store.put('shop/dev/head', { of: 'the first' }, old), 'conflict');
    assert.deepEqual((await store.get('shop/dev/head'))?.value, { of: 'the second' });
  });

  it('says which file is damaged, and does not take it for the value or for nothing', async () => {
    const tag = await store.put('shop/dev/head', { live: 1 }, null);
    const [name] = await readdir(folder());
    const path = join(folder(), name!);
    const whole = await readFile(path, 'utf8');
    for (const text of [
      '',
      '{',
      whole.slice(0, -8),
      whole.replace('"live":1', '"live":2'),
      '\n',
      'null\nnull\n',
    ]) {
      await writeFile(path, text);
      const said = (error: unknown) => rejectsWith('SFX4109', /head@0000000001\.json/)(error);
      await assert.rejects(store.get('shop/dev/head'), said, JSON.stringify(text));
    }
    await writeFile(path, whole);
    assert.deepEqual(await store.get('shop/dev/head'), { value: { live: 1 }, tag });
  });

  it('is readable by its owner only, and what a killed writer left aside is no value', async () => {
    await store.put('shop/dev/head', 1, null);
    const [name] = await readdir(folder());
    assert.equal((await stat(join(folder(), name!))).mode & 0o777, 0o600);
    assert.equal((await stat(folder())).mode & 0o777, 0o700);
    await writeFile(join(folder(), 'head@0000000002.json.17.abc.tmp'), 'half');
    assert.equal((await store.get('shop/dev/head'))?.value, 1);
    assert.deepEqual(await store.list(''), ['shop/dev/head']);
    assert.deepEqual(await store.list('shop/prod/'), []);
  });

  it('says when it cannot be written or read, and what was there stays', async () => {
    await writeFile(join(dir, 'file'), '');
    await assert.rejects(
      fileStore(join(dir, 'file')).put('a', 1, null),
      rejectsWith('SFX4118', /could not write state a/),
    );
    await assert.rejects(store.put('../a', 1, null), rejectsWith('SFX9001', /not a state key/));
    await assert.rejects(store.get('a//b'), rejectsWith('SFX9001', /not a state key/));
    const tag = await store.put('shop/dev/head', 1, null);
    const child = spawn('/bin/sh', [
      '-c',
      `trap '' XFSZ; ulimit -f 0; exec "$0" "$@"`,
      process.execPath,
      '--import',
      'tsx',
      '--conditions',
      'sfx-source',
      fileURLToPath(new URL('./hammer.ts', import.meta.url)),
      join(dir, 'state'),
    ]);
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    assert.equal(await new Promise((resolve) => child.on('close', resolve)), 1);
    assert.match(said, /SFX4118/);
    assert.deepEqual(await store.get('shop/dev/head'), { value: 1, tag });
    assert.equal((await readdir(folder())).length, 1, 'nothing half written is left');
  }).timeout(20_000);
});
