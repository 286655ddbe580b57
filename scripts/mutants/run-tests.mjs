// Runs test files in a sandbox, in a process of its own, and reads what came out.
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Longest that one run may take. */
const PATIENCE_MS = 180_000;
/** Longest that one test may take: a machine that is busy is no mistake. */
const ONE_TEST_MS = 60_000;

/** Files, and the pattern of titles where not all of their tests are meant. */
function selectionOf(tests) {
  const files = [...new Set(tests.map((test) => test.file ?? test))];
  const titles = tests.flatMap((test) => test.titles ?? []);
  if (titles.length > 0 && tests.some((test) => typeof test === 'string'))
    throw new Error(`either all tests of ${files.join(' and ')} are meant, or those with titles`);
  return { files, grep: titles.map((title) => title.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('|') };
}

/**
 * `tests`: files, or `{ file, titles }` for those whose titles hold one of these texts. Answers `{ passed, failed, titles,
 * first, ms }`: counts, the titles of those that passed, and title and message of the first that failed. Throws when the
 * tests could not be run at all: then they say nothing. `withinMs`: longest that one test may take.
 */
export async function runTests(sandbox, tests, { bail, withinMs = ONE_TEST_MS }) {
  const { files, grep } = selectionOf(tests);
  const report = join(sandbox.dir, 'report.json');
  await rm(report, { force: true });
  const began = Date.now();
  const output = await mocha(sandbox, [
    ...(bail ? ['--bail'] : []),
    '--exit',
    '--timeout',
    String(withinMs),
    ...(grep === '' ? [] : ['--grep', grep]),
    '--reporter',
    'json',
    '--reporter-option',
    `output=${report}`,
    ...files,
  ]);
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) throw new Error(`the tests could not be run:\n${output.slice(-2000)}`);
  const { stats, passes, failures } = JSON.parse(text);
  const [failure] = failures;
  return {
    passed: stats.passes,
    failed: stats.failures,
    titles: passes.map((test) => test.fullTitle),
    first: failure && { title: failure.fullTitle, why: String(failure.err.message).split('\n')[0] },
    ms: Date.now() - began,
  };
}

function mocha(sandbox, args) {
  return new Promise((resolve, reject) => {
    const bin = join(sandbox.dir, 'node_modules/mocha/bin/mocha.js');
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: sandbox.dir,
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code === null) reject(new Error(`the tests did not end within ${PATIENCE_MS / 1000} s`));
      else resolve(output);
    });
  });
}
