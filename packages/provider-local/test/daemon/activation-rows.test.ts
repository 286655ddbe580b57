import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRows, type RowsOptions } from '../../src/daemon/calls/activation-rows.js';
import { createActivations, type Kept } from '../../src/daemon/calls/activations.js';

function kept(id: string, change: Partial<Kept> = {}): Kept {
  return {
    id,
    function: 'work',
    version: 'work@1',
    release: 1,
    cause: 'invoke',
    asked: '2026-01-01T00:00:00.000Z',
    started: '2026-01-01T00:00:00.000Z',
    durationMs: 1,
    cold: false,
    status: 'ok',
    attempt: 1,
    ...change,
  };
}

describe('rows of activations', () => {
  let root: string;
  let dir: string;
  let n = 0;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'sfx-rows-'));
  });
  beforeEach(() => {
    n += 1;
    dir = join(root, `rows-${n}`);
  });
  after(() => rm(root, { recursive: true, force: true }));

  const open = (change: Partial<RowsOptions> = {}) =>
    openRows({ dir, lost: (text) => assert.fail(text), ...change });
  const all = async (rows: ReturnType<typeof open>) => {
    const found: string[] = [];
    for await (const some of rows.newest()) found.push(...some.filter((row) => row !== ''));
    return found;
  };

  it('are bounded: the oldest file goes, the newest rows stay', async () => {
    const rows = open({ fileRows: 10, files: 3 });
    for (let k = 0; k < 100; k += 1) {
      rows.add(JSON.stringify({ id: `a${k}`, k }));
      if (k % 5 === 4) await rows.flush();
    }
    const found = (await all(rows)).map((row) => (JSON.parse(row) as { k: number }).k);
    assert.equal(found[0], 99);
    assert.deepEqual(
      found,
      [...found].sort((a, b) => b - a),
    );
    assert.ok(found.length >= 20 && found.length <= 30, String(found.length));
    assert.ok((await readdir(dir)).length <= 3);
    assert.equal(await rows.find('a1'), undefined);
    assert.equal(await rows.find('a99'), '{"id":"a99","k":99}');
  });

  it('are bounded in bytes', async () => {
    const rows = open({ fileBytes: 10_000, files: 4 });
    for (let k = 0; k < 200; k += 1) {
      rows.add(JSON.stringify({ id: `a${k}`, text: 'x'.repeat(1_000) }));
      await rows.flush();
    }
    const sizes = await Promise.all(
      (await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size),
    );
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 4 * 12_000);
  });

  it('go on behind one that a kill cut off, which is left out', async () => {
    const first = open();
    first.add('{"id":"a","k":1}');
    await first.close();
    const [name] = await readdir(dir);
    await appendFile(join(dir, name!), '{"id":"b","k":2,"re');
    const second = open();
    second.add('{"id":"c","k":3}');
    await second.flush();
    assert.equal(await second.find('c'), '{"id":"c","k":3}');
    assert.equal(await second.find('a'), '{"id":"a","k":1}');
    assert.equal(await second.find('b'), undefined);
    const { list } = createActivations({ dir, now: Date.now, lost: assert.fail });
    assert.deepEqual((await list({ limit: 10 })).map((one) => one.id).sort(), ['a', 'c']);
  });

  it('find the newest state of an id, and no id that is only in a result', async () => {
    const rows = open();
    rows.add(JSON.stringify(kept('a', { status: 'waiting' })));
    rows.add(JSON.stringify(kept('a', { result: { id: 'b' } })));
    rows.add(JSON.stringify(kept('c', { result: '\n{"id":"b","k":1}' })));
    await rows.flush();
    assert.equal((JSON.parse((await rows.find('a'))!) as Kept).status, 'ok');
    assert.equal(await rows.find('b'), undefined);
    const activations = createActivations({ dir, now: Date.now, lost: assert.fail });
    assert.deepEqual(await activations.list({ limit: 10, status: 'waiting' }), []);
  });

  it('that cannot be written are said once, and later ones are kept', async () => {
    const said: string[] = [];
    await writeFile(dir, 'a file where a folder must be');
    const rows = open({ lost: (text) => said.push(text) });
    for (let k = 0; k < 20; k += 1) {
      rows.add('{"id":"x"}');
      await rows.flush();
    }
    assert.equal(said.length, 1);
    assert.match(said[0]!, /1 activations were not kept/);
    await rm(dir);
    rows.add('{"id":"y","k":1}');
    await rows.close();
    const [name] = await readdir(dir);
    assert.equal(await readFile(join(dir, name!), 'utf8'), '{"id":"y","k":1}\n');
  });

  it('tell what is asked for across files, newest first, whatever the clock did', async () => {
    const activations = createActivations({ dir, now: Date.now, lost: assert.fail, fileRows: 7 });
    const ids: string[] = [];
    for (let k = 0; k < 40; k += 1) {
      // The clock is set back in the middle.
      const asked = new Date(1_700_000_000_000 + (k < 20 ? k : k - 30) * 1_000).toISOString();
      ids.push(`a${k}`);
      await activations.put(kept(`a${k}`, { asked, function: k % 2 === 0 ? 'even' : 'odd' }));
    }
    const found = await activations.list({ limit: 100 });
    assert.deepEqual(found.map((one) => one.id).sort(), ids.sort());
    assert.deepEqual(
      found.map((one) => one.asked),
      found
        .map((one) => one.asked)
        .sort()
        .reverse(),
    );
    assert.equal((await activations.list({ limit: 100, function: 'even' })).length, 20);
    const since = 1_700_000_000_000;
    assert.ok((await activations.list({ limit: 100, since })).every((one) => Date.parse(one.asked) >= since));
    assert.equal((await activations.list({ limit: 3 })).length, 3);
  });
});
