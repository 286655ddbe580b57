import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './documents.js';
import { needBuilt } from './world.js';

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** Runs it with `temporary` as the place for temporary files, so that what it leaves there can be seen. */
function start(temporary: string): Started {
  const child = spawn(process.execPath, [join(root, 'scripts/quickstart.mjs')], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  return {
    child,
    output: () => Buffer.concat(parts).toString('utf8'),
    ended: new Promise((resolve) => child.on('close', (code) => resolve(code))),
  };
}

interface Process {
  readonly pid: number;
  readonly words: string;
}

/** Processes whose words name a folder. */
async function processesOf(folder: string): Promise<Process[]> {
  if (!existsSync('/proc/self/cmdline')) return [];
  const found: Process[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes(folder)) found.push({ pid: Number(pid), words: words.replaceAll('\0', ' ') });
  }
  return found;
}

async function exampleFiles(): Promise<string[]> {
  const files = await readdir(join(root, 'examples/shop'), { recursive: true });
  return files.filter((file) => !file.startsWith('.sfx')).sort();
}

async function nothingIsLeft(temporary: string): Promise<void> {
  assert.deepEqual(await readdir(temporary), []);
  assert.deepEqual(await processesOf(temporary), []);
}

describe('npm run quickstart', () => {
  let temporary: string;
  before(needBuilt);
  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'sfx-quickstart-test-'));
  });
  afterEach(() => rm(temporary, { recursive: true, force: true }));

  it('shows a release from deploy to remove, ends with 0, and leaves nothing', async () => {
    const before = await exampleFiles();
    const catalog = await readFile(join(root, 'examples/shop/src/catalog.ts'), 'utf8');
    const { ended, output } = start(temporary);
    assert.equal(await ended, 0, output());
    const shown = output();
    const sentences = [
      '$ sfx deploy\n',
      'Release 1 is live on dev.',
      '"total":2700',
      '$ sfx local run shop/dev/sweep\n',
      'Schedule sweep runs now.',
      '$ sfx activations\n',
      'queue',
      'order',
      '$ sfx deploy --canary 5\n',
      'Release 2 takes 5 % of dev, 1 takes 95 %.',
      '2000 calls to GET http://127.0.0.1:',
      '$ sfx status\n',
      'canary   5 %',
      '$ sfx promote\n',
      'Release 2 is live on dev.',
      '"price":2600',
      '$ sfx rollback\n',
      'Release 3 (= 1) is live on dev.',
      '"price":2400',
      '$ sfx remove --yes\n',
      'Nothing of shop is left on dev.',
      '$ sfx local stop\n',
      'Stopped.',
    ];
    let from = 0;
    for (const sentence of sentences) {
      const at = shown.indexOf(sentence, from);
      assert.ok(at >= 0, `${sentence} does not come in its turn:\n${shown}`);
      from = at + sentence.length;
    }
    const split = /release 2 +(\d+) calls = [\d.]+ % +expected (\d+) to (\d+)/.exec(shown)!;
    const [, calls, low, high] = split.map(Number);
    assert.ok(calls! >= low! && calls! <= high!, split[0]);
    await nothingIsLeft(temporary);
    assert.deepEqual(await exampleFiles(), before);
    assert.equal(await readFile(join(root, 'examples/shop/src/catalog.ts'), 'utf8'), catalog);
  }).timeout(120_000);

  for (const [signal, text, exit] of [
    ['SIGINT', '$ sfx deploy', 130],
    ['SIGTERM', 'calls to GET', 143],
  ] as const) {
    it(`leaves nothing when ${signal} comes after "${text}"`, async () => {
      const { child, ended, output } = start(temporary);
      child.stdout!.on('data', () => {
        if (output().includes(text)) child.kill(signal);
      });
      assert.equal(await ended, exit, output());
      assert.match(output(), /nothing is left behind\.\n$/);
      await nothingIsLeft(temporary);
    }).timeout(120_000);
  }

  it('leaves nothing when its reader leaves', async () => {
    const { child, ended } = start(temporary);
    child.stdout!.on('data', (part: Buffer) => {
      if (part.includes('Release 1 is live')) child.stdout!.destroy();
    });
    assert.notEqual(await ended, 0);
    await nothingIsLeft(temporary);
  }).timeout(120_000);

  it('says so and leaves nothing when the engine dies under it', async () => {
    const { child, ended, output } = start(temporary);
    let killed = 0;
    const kill = async (): Promise<void> => {
      const engine = (await processesOf(temporary)).find(({ words }) => words.includes('"home"'));
      if (engine !== undefined) process.kill(engine.pid, 'SIGKILL');
      else if (child.exitCode === null) child.kill('SIGTERM');
    };
    child.stdout!.on('data', () => {
      if (killed === 0 && output().includes('calls to GET')) {
        killed += 1;
        void kill();
      }
    });
    const exit = await ended;
    if (existsSync('/proc/self/cmdline')) assert.equal(exit, 1, output());
    await nothingIsLeft(temporary);
  }).timeout(120_000);
});
