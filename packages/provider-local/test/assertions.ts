import assert from 'node:assert/strict';
import { isSfxError, type SfxError } from '@sfx-deploy/core';

/** The coded error that something is refused with. */
export async function rejectsWith(code: string, act: Promise<unknown>): Promise<SfxError> {
  const thrown = await act.then(
    () => assert.fail(`it should be refused with ${code}`),
    (error: unknown) => error,
  );
  if (!isSfxError(thrown)) throw thrown;
  assert.equal(thrown.code, code, thrown.message);
  return thrown;
}

/** Looks until it holds; a case that waits for something else's process has nothing better. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 500; looks += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail('it never came true');
}
