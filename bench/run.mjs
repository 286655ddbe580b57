// Measures what sfx promises, each against a floor of the same run, and prints one table. Ratios travel from machine to
// machine, times do not; a busy machine shows more than a calm one.
//   node bench/run.mjs [start|split|lost|rollback|state] [--rounds 15]
// Ends with 1 only when something is wrong on any machine: calls lost, a split that is none, state calls that grow.
import { parseArgs } from 'node:util';
import { report } from './lib.mjs';
import { lost } from './lost.mjs';
import { rollback } from './rollback.mjs';
import { split } from './split.mjs';
import { start } from './start.mjs';
import { state } from './state.mjs';

const groups = { start, split, lost, rollback, state };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '15' } },
});
const rounds = Number(values.rounds);
const unknown = positionals.find((name) => !Object.hasOwn(groups, name));
if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`usage: node bench/run.mjs [${Object.keys(groups).join('|')}] [--rounds 15]\n`);
  process.exit(64);
}
const rows = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(groups)) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...(await groups[name]({ rounds })));
}
process.stdout.write(`${report(rows)}\n`);
if (rows.some((row) => row.wrong)) process.exitCode = 1;
