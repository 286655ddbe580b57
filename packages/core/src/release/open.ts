import { fail, isSfxError } from '../errors.js';
import type { Head, Past, Release } from '../state/documents.js';
import type { Context, Held, Work } from './context.js';
import type { Holding } from './holding.js';
import { percentAt, progressOf } from './progress.js';

/** The open release of a stage with its base and journal; `undefined` when its record was never written. */
export async function openWork(ctx: Context, head: Head): Promise<Work | undefined> {
  const past = openPast(head);
  if (past === undefined) return undefined;
  let release: Release;
  try {
    release = await ctx.state.readRelease(past.number);
  } catch (error) {
    // The crash came between head and record: nothing was written to a provider yet.
    if (isSfxError(error) && error.code === 'SFX4109' && /missing/.test(error.message)) return undefined;
    throw error;
  }
  const base = release.base === null ? undefined : await ctx.state.readRelease(release.base);
  return { release, base, entries: [...(await ctx.state.entriesOf(past.number, past.began))] };
}

export function openPast(head: Head): Past | undefined {
  return head.open === null ? undefined : head.past.find((one) => one.number === head.open);
}

/** Takes the open release under a lease that is held already. A release without a record is closed as failed. */
export async function holdOpen(ctx: Context, holding: Holding): Promise<Held | undefined> {
  const head = holding.head();
  if (head.open === null) return undefined;
  const work = await openWork(ctx, head);
  if (work === undefined) {
    const { open } = head;
    await holding.change((now) => ({
      ...now,
      open: null,
      past: now.past.map((one) =>
        one.number === open
          ? {
              ...one,
              status: 'failed' as const,
              forgotten: true as const,
              why: 'cut off before its record was written',
            }
          : one,
      ),
    }));
    return undefined;
  }
  return { ...work, holding };
}

export type OpenState = 'paused' | 'interrupted' | 'ended';

/** What the journal of an open release says about it, once nobody holds the lease. */
export function openState(work: Work): OpenState {
  const progress = progressOf(work.entries);
  if (progress.ended !== undefined) return 'ended';
  return progress.paused !== undefined && !progress.back ? 'paused' : 'interrupted';
}

/** The candidate's percent that the journal last meant. */
export function openPercent(work: Work): number {
  return percentAt(work.release.rollout.steps, progressOf(work.entries).step);
}

/** Nothing else goes on with a stage whose removal was cut off: what it would find is no release. */
export function refuseRemoving(ctx: Context, head: Head | undefined): void {
  if (!head?.removing) return;
  throw fail('SFX4103', 'the removal of this stage was begun and is not finished: parts of it may be gone', {
    ways: [
      { label: 'forward', command: `sfx remove --stage ${ctx.scope.stage}` },
      { label: 'as it is', command: `sfx adopt --stage ${ctx.scope.stage}` },
    ],
  });
}

export function needOpen(head: Head | undefined): number {
  if (head === undefined) throw fail('SFX4119', 'nothing is deployed to this stage');
  if (head.open === null) throw fail('SFX4113', 'no release is open');
  return head.open;
}
