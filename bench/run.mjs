// Measures what sfx promises, each against a floor of the same run, and prints one table. Ratios travel from machine to
// machine, times do not; a busy machine shows more than a calm one.
//   node bench/run.mjs [start|split|lost|rollback|state|engine|messages|canary] [--rounds 15] [--seeds 200]
// Ends with 1 only when something is wrong on any machine: calls lost, a split that is none, state calls that grow.
import { parseArgs } from 'node:util';
import { canary } from './canary.mjs';
import { report } from './lib.mjs';
import { lost } from './lost.mjs';
import { messages } from './messages.mjs';
import { rollback } from './rollback.mjs';
import { serving } from './serving.mjs';
import { split } from './split.mjs';
import { start } from './start.mjs';
import { state } from './state.mjs';

const engine = async (options) => [...(await serving(options)), ...(await messages(options))];

const groups = { start, split, lost, rollback, state, engine, messages, canary };
/** What runs when nothing is named. */
const usual = ['start', 'split', 'lost', 'rollback', 'state', 'engine', 'canary'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '15' },
    seeds: { type: 'string', default: '200' },
  },
});
const rounds = Number(values.rounds);
const seeds = Number(values.seeds);
const unknown = positionals.find((name) => !Object.hasOwn(groups, name));
if (unknown !== undefined || ![rounds, seeds].every((n) => Number.isInteger(n) && n > 0)) {
  process.stderr.write(
    `usage: node bench/run.mjs [${Object.keys(groups).join('|')}] [--rounds 15] [--seeds 200]\n`,
  );
  process.exit(64);
}
const rows = [];
for (const name of positionals.length > 0 ? positionals : usual) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...(await groups[name]({ rounds, seeds })));
}
process.stdout.write(`${report(rows)}\n`);
if (rows.some((row) => row.wrong)) process.exitCode = 1;
