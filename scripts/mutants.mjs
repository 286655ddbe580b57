// Seeds known mistakes, one at a time, and looks whether a narrow set of tests finds each of them.
// `node scripts/mutants.mjs [number or word …]` tries only those. Works on copies; the working tree is not touched.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mistakes } from './mutants/list.mjs';
import { runTests } from './mutants/run-tests.mjs';
import { openSandbox, seeded, withMistake } from './mutants/sandbox.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const WIDTH = 2;

function say(text) {
  process.stdout.write(`${text}\n`);
}

function chosen(words) {
  const named = (mutant) =>
    words.some((word) => (/^\d+$/.test(word) ? mutant.number === Number(word) : mutant.title.includes(word)));
  return mistakes.filter((mutant) => words.length === 0 || named(mutant));
}

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** Every text that a mistake replaces must be there, once: else the list no longer fits the code. */
async function assertFits(mutants) {
  const problems = [];
  for (const mutant of mutants) {
    const texts = {};
    for (const edit of mutant.edits) {
      try {
        texts[edit.file] ??= await readFile(join(root, edit.file), 'utf8');
        texts[edit.file] = seeded(texts[edit.file], edit);
      } catch (error) {
        problems.push(`${mutant.number} ${mutant.title}: ${error.message}`);
      }
    }
  }
  if (problems.length > 0)
    throw new Error(`mistakes that cannot be seeded any more:\n\n${problems.join('\n\n')}`);
}

/**
 * Each item to the next sandbox that is free, as many at once as there are sandboxes. After one that fails no further one
 * is begun, and what runs is waited for: it uses its sandbox.
 */
async function spread(sandboxes, items, act) {
  const queue = [...items];
  const work = async (sandbox) => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(sandbox, item);
  };
  const ends = await Promise.allSettled(
    sandboxes.map((sandbox) =>
      work(sandbox).catch((error) => {
        queue.length = 0;
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** The tests of all mutants, one selection for each file: all of it where one mutant wants that. */
function testsByFile(mutants) {
  const wanted = new Map();
  for (const test of mutants.flatMap((mutant) => mutant.tests)) {
    const { file = test, titles = 'all' } = test;
    const before = wanted.get(file) ?? [];
    wanted.set(file, before === 'all' || titles === 'all' ? 'all' : [...new Set([...before, ...titles])]);
  }
  return [...wanted].sort().map(([file, titles]) => (titles === 'all' ? file : { file, titles }));
}

async function assertSound(sandboxes, mutants) {
  const tests = testsByFile(mutants);
  await spread(sandboxes, tests, async (sandbox, test) => {
    const { passed, failed, titles, first } = await runTests(sandbox, [test], { bail: false });
    if (failed > 0) throw new Error(`without a mistake, ${first.title} fails: ${first.why}`);
    if (passed === 0) throw new Error(`${test.file ?? test} holds no test`);
    const missing = (test.titles ?? []).find((title) => !titles.some((one) => one.includes(title)));
    if (missing !== undefined) throw new Error(`${test.file} holds no test that is called: ${missing}`);
  });
  say(`without a mistake: tests of ${tests.length} files pass\n`);
}

async function verdictOn(sandbox, mutant) {
  try {
    const { edits, tests, withinMs } = mutant;
    return await withMistake(sandbox, edits, () => runTests(sandbox, tests, { bail: true, withinMs }));
  } catch (error) {
    return { failed: 0, broken: error.message };
  }
}

async function tryAll(sandboxes, mutants) {
  const survivors = [];
  await spread(sandboxes, mutants, async (sandbox, mutant) => {
    const verdict = await verdictOn(sandbox, mutant);
    const name = `${String(mutant.number).padStart(2)} ${mutant.title}`;
    if (verdict.failed > 0) {
      const { title, why } = verdict.first;
      say(
        `killed    ${name}  ${seconds(verdict.ms)}\n             by: ${title}\n             ${why.slice(0, 100)}`,
      );
      return;
    }
    survivors.push(mutant);
    say(`SURVIVED  ${name}${verdict.broken === undefined ? '' : `\n          ${verdict.broken}`}`);
  });
  return survivors;
}

async function main() {
  const mutants = chosen(process.argv.slice(2));
  await assertFits(mutants);
  const sandboxes = await Promise.all(Array.from({ length: WIDTH }, () => openSandbox(root)));
  const close = () => Promise.all(sandboxes.map((sandbox) => sandbox.close()));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => close().finally(() => process.exit(1)));
  }
  try {
    await assertSound(sandboxes, mutants);
    const survivors = await tryAll(sandboxes, mutants);
    say(`\n${mutants.length - survivors.length} passed, ${survivors.length} failed`);
    return survivors.length === 0 && mutants.length > 0 ? 0 : 1;
  } finally {
    await close();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`${error.message}\n`);
    say('0 passed, 1 failed');
    process.exitCode = 1;
  },
);
