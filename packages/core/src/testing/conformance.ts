import assert from 'node:assert/strict';
import { type Case, type ConformanceOptions, openBench, whyNot } from './conformance/bench.js';
import { callCases } from './conformance/calls.js';
import { descriptionCases } from './conformance/description.js';
import { pullingCases } from './conformance/pulling.js';
import { resourceCases } from './conformance/resources.js';
import { stageCases } from './conformance/stages.js';
import { trafficCases } from './conformance/traffic.js';
import { versionCases } from './conformance/versions.js';
import { simulatedClock } from './simulated-run.js';

export type { ConformanceOptions, Variant } from './conformance/bench.js';

/** The two functions of a test framework that the suite needs. */
export interface TestFramework {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}

const areas: Readonly<Record<string, readonly Case[]>> = {
  'says what it is': descriptionCases,
  versions: versionCases,
  traffic: trafficCases,
  calls: callCases,
  resources: resourceCases,
  'triggers that pull': pullingCases,
  stages: stageCases,
};

interface Tally {
  passed: number;
  failed: number;
  readonly notApplicable: string[];
}

/**
 * The definition of "provider": one suite for the provider in memory, the engine, emulators, real servers and plugins.
 * It counts what passed and what does not apply, prints both, and fails below `minimum`.
 */
export function conformance(given: ConformanceOptions, { describe, it }: TestFramework): void {
  const clock = simulatedClock({ seed: given.name });
  const options = { ...given, run: given.run ?? (() => clock.run('suite')) };
  const tally: Tally = { passed: 0, failed: 0, notApplicable: [] };
  let n = 0;
  describe(`${options.name} is a provider`, () => {
    for (const [area, cases] of Object.entries(areas)) {
      describe(area, () => {
        for (const one of cases) {
          n += 1;
          const number = n;
          it(one.name, () => runCase(options, one, number, tally));
        }
      });
    }
    // A group of its own and the last one: a framework may run the cases of a group before its inner groups.
    describe('in all', () => {
      it(`passes at least ${options.minimum} cases`, async () => {
        const print = options.print ?? ((line: string) => process.stdout.write(`${line}\n`));
        print(summary(options.name, tally));
        assert.ok(tally.passed >= options.minimum, `${tally.passed} passed, ${options.minimum} are needed`);
      });
    });
  });
}

function summary(name: string, { passed, failed, notApplicable }: Tally): string {
  const parts = [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    `${notApplicable.length} not applicable`,
  ];
  const reasons = notApplicable.map((reason) => `\n  not applicable: ${reason}`).join('');
  return `conformance of ${name}: ${parts.join(', ')}${reasons}`;
}

async function runCase(
  options: Parameters<typeof openBench>[0],
  one: Case,
  n: number,
  tally: Tally,
): Promise<void> {
  const { bench, close } = openBench(options, n);
  try {
    await one.test(bench);
  } catch (thrown) {
    const why = whyNot(thrown);
    if (why === undefined) tally.failed += 1;
    else tally.notApplicable.push(`${one.name} (${why})`);
    await close().catch((afterwards: unknown) => {
      // What the case found is told first; that its stage could not be emptied comes with it.
      if (why === undefined && thrown instanceof Error) thrown.cause ??= afterwards;
      else throw afterwards;
    });
    if (why === undefined) throw thrown;
    return;
  }
  await close();
  tally.passed += 1;
}
