import { isSfxError, messageOf, type SfxError } from './errors.js';
import type { Run } from './run.js';

/** Tries of one call before its failure counts. */
const TRIES = 4;
const FIRST_WAIT_MS = 200;
/** Longest that sfx waits because a provider asked for it, over all tries of one call. */
const PATIENCE_MS = 120_000;

/**
 * Makes a call that is safe to repeat (as every call of the contract is) and repeats it when the provider asked to wait,
 * did not answer, or answered after the write may have landed. Other failures are thrown as they are.
 */
export async function repeatedly<T>(
  run: Run,
  op: string,
  on: string,
  act: () => Promise<T>,
  mayRepeat: (error: SfxError) => boolean = () => true,
): Promise<T> {
  let waited = 0;
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      const wait = waitBefore(error, tries, mayRepeat);
      if (wait === undefined || tries >= TRIES || waited + wait > PATIENCE_MS || run.signal.aborted)
        throw error;
      run.emit({ code: 'retry', op, on, ms: wait, why: messageOf(error) });
      await run.sleep(wait);
      waited += wait;
    }
  }
}

function waitBefore(
  error: unknown,
  tries: number,
  mayRepeat: (error: SfxError) => boolean,
): number | undefined {
  if (!isSfxError(error) || !mayRepeat(error)) return undefined;
  if (error.details.retryAfterMs !== undefined) return Math.max(error.details.retryAfterMs, 1);
  if (error.details.unknownOutcome || error.code === 'SFX3102') return FIRST_WAIT_MS * 2 ** (tries - 1);
  return undefined;
}
