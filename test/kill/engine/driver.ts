/**
 * Run as a process of its own: one command on a service of the local engine, as the command line does it, killed where the
 * plan says. Words: a JSON `Order`. Answers with a JSON `Report` on stdout.
 */
import { deploy, promote, rollback } from '../../../packages/core/src/commands.js';
import { openSession } from '../../../packages/core/src/project.js';
import type { Outcome } from '../../../packages/core/src/release/outcome.js';
import { createRun } from '../../../packages/core/src/run-node.js';
import { type Fault, withFaults } from '../../../packages/core/src/testing/faults.js';

export interface Order {
  readonly act: 'deploy' | 'canary' | 'promote' | 'rollback';
  readonly cwd: string;
  /** Where sfx is installed: providers beside it are found. */
  readonly sfxDir: string;
  readonly faults: readonly Fault[];
}

export interface Report {
  readonly calls: readonly { readonly op: string; readonly writes: boolean }[];
  readonly outcome: Pick<Outcome, 'ending' | 'error'>;
}

const { act, cwd, sfxDir, faults } = JSON.parse(process.argv[2] ?? '') as Order;
const clock = createRun({ signal: new AbortController().signal, emit: () => {} });
const run = withFaults({ ...clock, holder: clock.holder }, faults);
const session = await openSession({ cwd, sfxDir, options: {}, params: {} }, run);
const outcome = await {
  deploy: () => deploy(session),
  canary: () => deploy(session, { canary: 20 }),
  promote: () => promote(session),
  rollback: () => rollback(session),
}[act]();
await session[Symbol.asyncDispose]();
const { ending, error } = outcome;
const report: Report = { calls: run.faults.calls, outcome: { ending, ...(error && { error }) } };
process.stdout.write(JSON.stringify(report));
