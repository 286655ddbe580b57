import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Line, type LinesQuery, type VersionLog, versionLog } from '../../src/daemon/telemetry/logs.js';

describe('the log of a version', () => {
  let root: string;
  let path: string;
  let n = 0;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'sfx-logs-'));
  });
  beforeEach(() => {
    n += 1;
    path = join(root, `log-${n}`);
  });
  after(() => rm(root, { recursive: true, force: true }));

  const never = new AbortController().signal;
  const read = async (log: VersionLog, query: Partial<LinesQuery> = {}, signal = never) => {
    const found: Line[] = [];
    for await (const line of log.read({ since: 0, follow: false, ...query }, signal)) found.push(line);
    return found;
  };

  it('tells which call wrote a line, and the lines of one call', async () => {
    const log = versionLog(path, () => 1_000);
    log.write('stdout', 'a', 'one');
    log.write('stderr', 'b', 'two');
    log.write('engine', 'c');
    log.write('stdout', 'd', 'one');
    assert.deepEqual(
      (await read(log, { activation: 'one' })).map((line) => line.text),
      ['a', 'd'],
    );
    assert.deepEqual(
      (await read(log)).map((line) => line.activation),
      ['one', 'two', undefined, 'one'],
    );
    assert.deepEqual(await read(log, { activation: 'on' }), []);
  });

  it('still reads rows of before lines knew their call', async () => {
    await writeFile(path, '["2026-01-01T00:00:00.000Z","stdout","old"]\n["2026-01-01T00:00:00.000Z","std');
    const log = versionLog(path, () => Date.parse('2026-01-02'));
    log.write('stdout', 'new', 'y');
    const lines = await read(log);
    assert.deepEqual(lines[0], { at: '2026-01-01T00:00:00.000Z', stream: 'stdout', text: 'old' });
    assert.deepEqual(
      lines.slice(1).map((line) => [line.text, line.activation]),
      [['new', 'y']],
    );
  });

  it('follows one call and no other', async () => {
    const log = versionLog(path, () => 1_000);
    const over = new AbortController();
    log.write('stdout', 'past', 'one');
    const seen: string[] = [];
    for await (const line of log.read({ since: 0, follow: true, activation: 'one' }, over.signal)) {
      seen.push(line.text);
      if (line.text === 'past') {
        log.write('stdout', 'other', 'two');
        log.write('stdout', 'coming', 'one');
      } else over.abort();
    }
    assert.deepEqual(seen, ['past', 'coming']);
  });

  it('shows what comes while it is followed, also after the clock was set back', async () => {
    let now = 10_000_000;
    const log = versionLog(path, () => now);
    const over = new AbortController();
    log.write('stdout', 'before');
    const seen: string[] = [];
    for await (const line of log.read({ since: 9_000_000, follow: true }, over.signal)) {
      seen.push(line.text);
      now = 1_000;
      if (line.text === 'before') log.write('stdout', 'after');
      else over.abort();
    }
    assert.deepEqual(seen, ['before', 'after']);
    assert.deepEqual(
      (await read(log)).map((line) => line.text),
      ['before', 'after'],
    );
  });

  it('says how many lines could not be kept and why, while that is so and afterwards', async () => {
    const log = versionLog(join(path, 'log'), () => 1_000);
    for (const text of ['a', 'b']) log.write('stdout', text);
    await log.flush();
    log.write('stdout', 'c');
    const [told, ...others] = await read(log);
    assert.equal(told?.stream, 'engine');
    assert.match(told.text, /^3 lines were dropped: .*ENOENT/);
    assert.deepEqual(others, []);
    await mkdir(path);
    log.write('stdout', 'd');
    const after = await read(log);
    assert.deepEqual(
      after.map((line) => line.text),
      ['d', told.text],
    );
    assert.deepEqual(await read(log), after);
  });

  it('loses no line to the beginning of one that a full disk cut off', async () => {
    await mkdir(path);
    const file = join(path, 'log');
    const log = versionLog(file, () => 1_000);
    log.write('stdout', 'kept');
    await log.flush();
    const whole = await readFile(file, 'utf8');
    await rm(path, { recursive: true });
    log.write('stdout', 'cut');
    await log.flush();
    await mkdir(path);
    await writeFile(file, `${whole}["2026-01-01T00:00:00.000Z","stdo`);
    log.write('stdout', 'next');
    assert.deepEqual(
      (await read(log)).map((line) => line.text.replace(/: .*/, '')),
      ['kept', 'next', '1 line was dropped'],
    );
  });
});
