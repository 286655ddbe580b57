// Measuring whole processes: every round runs the floor once and each case once, so that a busy machine hits all alike.
// Ratios travel from machine to machine; milliseconds do not.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** The start of Node itself. */
export const FLOOR = [process.execPath, '-e', '0'];

/** A quarter of the values lie below. Of times on a busy machine it tells more of the program than the median does. */
function lowerQuartile(values) {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 4)];
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Wall milliseconds of one process from start to end. Rejects when it does not end as expected. */
export function once(argv, { cwd, env = {}, exit = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const options = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
    const child = spawn(argv[0], argv.slice(1), options);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const ms = performance.now() - began;
      if (code === exit) resolve(ms);
      else reject(new Error(`${argv.join(' ')} ended with ${code ?? signal}\n${said}`));
    });
  });
}

/**
 * Runs `act` with a folder of its own, which is gone when it is over, however it ends; `before` is called first. Both are
 * synchronous at the end, so that an interruption cannot cut them off.
 */
export async function withFolder(act, before = () => {}) {
  const dir = mkdtempSync(join(tmpdir(), 'sfx-bench-'));
  const end = () => {
    before(dir);
    rmSync(dir, { recursive: true, force: true });
  };
  const onSignal = () => {
    end();
    process.exit(130);
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    return await act(dir);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    end();
  }
}

/**
 * Runs `cases` ({ name, argv, cwd?, env?, exit?, before? }) against the floor. Answers, per case, the lower
 * quartile of its wall times and its ratio to that of the floor.
 */
export async function interleave(cases, { rounds = 15, warmup = 2, floor = FLOOR } = {}) {
  const floors = [];
  const walls = cases.map(() => []);
  for (let round = -warmup; round < rounds; round++) {
    const ms = await once(floor);
    if (round >= 0) floors.push(ms);
    for (const [index, one] of cases.entries()) {
      one.before?.();
      const ms = await once(one.argv, one);
      if (round >= 0) walls[index].push(ms);
    }
  }
  const base = lowerQuartile(floors);
  return {
    floor: base,
    rows: cases.map((one, index) => {
      const ms = lowerQuartile(walls[index]);
      return { ...one, ms, ratio: ms / base };
    }),
  };
}

/** A table as Markdown. Cells that are numbers are the caller's to format. */
export function table(head, rows) {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [
    line(all[0]),
    `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...all.slice(1).map(line),
  ].join('\n');
}

export const times = (ratio) => `${ratio.toFixed(2)} x`;
export const milliseconds = (ms) => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
export const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

/**
 * One line of the table. `floor` is what no program could go below, or the same work at its smallest; `holds` says whether
 * the bar is kept. `wrong` marks what is a fault on any machine: calls lost, a split that is none.
 * @typedef {{ work: string, measured: string, floor: string, ratio: string, bar: string, holds: boolean, wrong?: boolean }} Row
 */

/** @param {Row[]} rows */
export function report(rows) {
  const head = ['work', 'measured', 'floor', 'ratio', 'bar', ''];
  return table(
    head,
    rows.map(({ work, measured, floor, ratio, bar, holds }) => [
      work,
      measured,
      floor,
      ratio,
      bar,
      holds ? 'pass' : 'over',
    ]),
  );
}
