import assert from 'node:assert/strict';
import type { ShapeName } from '../../src/testing/index.js';
import { type Bench, bench, intentOf, servedNow, service, siteOf } from './harness.js';
import { rejectsWith } from './support.js';

export async function stage(shape: ShapeName = 'lambda') {
  const b = bench([siteOf(shape)]);
  await b.deploy(b.run(), intentOf(b.sites, service('one')));
  return { b, old: servedNow(b), two: intentOf(b.sites, service('two')) };
}

/** Refused with a code, before anything was written anywhere. */
export async function refused(
  b: Bench,
  act: (run: ReturnType<Bench['run']>) => Promise<unknown>,
  code: string,
  text?: RegExp,
) {
  const before = JSON.stringify(b.world.read());
  const run = b.run();
  await assert.rejects(act(run), rejectsWith(code, text));
  assert.deepEqual(
    run.calls.filter((call) => call.writes),
    [],
  );
  assert.equal(JSON.stringify(b.world.read()), before);
}
