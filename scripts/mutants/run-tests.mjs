// Runs test files in a sandbox, in a process of its own, and reads what came out.
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Longest that one run may take. */
const PATIENCE_MS = 180_000;
/** Longest that one test may take: a machine that is busy is no mistake. */
const ONE_TEST_MS = 60_000;

/**
 * Answers `{ passed, failed, first, ms }`: counts, and title and message of the first test that failed. Throws when the
 * tests could not be run at all: then they say nothing.
 */
export async function runTests(sandbox, files, { bail }) {
  const report = join(sandbox.dir, 'report.json');
  await rm(report, { force: true });
  const began = Date.now();
  const output = await mocha(sandbox, [
    ...(bail ? ['--bail'] : []),
    '--exit',
    '--timeout',
    String(ONE_TEST_MS),
    '--reporter',
    'json',
    '--reporter-option',
    `output=${report}`,
    ...files,
  ]);
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) throw new Error(`the tests could not be run:\n${output.slice(-2000)}`);
  const { stats, failures } = JSON.parse(text);
  const [failure] = failures;
  return {
    passed: stats.passes,
    failed: stats.failures,
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
