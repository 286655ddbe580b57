import { fail } from '../errors.js';
import type { Run } from '../run.js';
import { type Head, type Lease, STATE_VERSION } from '../state/documents.js';
import type { HeadAt, StageState } from '../state/stage-state.js';
import type { Patience } from './fleet.js';
import { type Holding, holdingOf, orGiveBack, writeHeadOnce } from './holding.js';

export interface TakeOptions {
  readonly state: StageState;
  readonly run: Run;
  readonly patience: Patience;
  readonly command: string;
  /** How long to wait for another holder; 0 refuses at once. */
  readonly waitMs: number;
  /** Refuse (SFX4122) if head is not at this tag any more. */
  readonly expect?: string | null;
  /** Makes the first head of a stage that has none. */
  readonly born?: () => Head;
  /** Ask a living holder to abort and go back by itself. */
  readonly askAbort?: boolean;
}

/** Longest sleep between two looks at somebody else's lease. */
const LOOK_MS = 500;

/**
 * Takes the lease of a stage. A lease of another is waited for; it counts as expired when its beat has not changed for its
 * whole time by this machine's clock, or when its process is known to be gone. Whoever takes over waits out one write.
 * Errors: SFX4101 (held, exit 75), SFX4122 (head moved), SFX4119 (no such stage).
 */
export async function take(options: TakeOptions): Promise<Holding> {
  const { state, run } = options;
  const deadline = run.now() + options.waitMs;
  let asked = false;
  let watch: { readonly beat: number; readonly fence: number; readonly since: number } | undefined;
  for (;;) {
    const at = await state.readHead();
    const lease = at.head?.lease ?? null;
    if (lease === null) {
      if (options.expect !== undefined && at.tag !== options.expect && watch === undefined) throw moved();
      if (options.expect !== undefined && watch !== undefined) throw moved();
      const held = await claim(options, at, false);
      if (held !== 'conflict') return held;
      continue;
    }
    if (watch === undefined || watch.beat !== lease.beat || watch.fence !== lease.fence) {
      watch = { beat: lease.beat, fence: lease.fence, since: run.now() };
    }
    const gone = run.isGone(lease.holder) === true;
    if (gone || run.now() - watch.since >= lease.ttlMs) {
      const held = await claim(options, at, true);
      if (held === 'conflict') continue;
      // What the other sent last may still land.
      await orGiveBack(run, held, () => run.sleep(options.patience.writeMs));
      return held;
    }
    if (options.askAbort && !asked && lease.wanted !== 'abort') {
      asked =
        (await state.writeHead({ ...at.head!, lease: { ...lease, wanted: 'abort' } }, at.tag)) !== 'conflict';
      if (!asked) continue;
    }
    await waitFor(run, lease, deadline);
  }
}

function moved(): Error {
  return fail('SFX4122', 'the stage changed between reading it and taking the lease');
}

async function waitFor(run: Run, lease: Lease, deadline: number): Promise<void> {
  const left = deadline - run.now();
  if (left <= 0) {
    throw fail('SFX4101', `held by ${lease.holder.name} for \`${lease.command}\``, {
      facts: { holder: lease.holder.name, renewedAt: new Date(lease.beat).toISOString() },
    });
  }
  run.emit({ code: 'wait', why: `held by ${lease.holder.name} for \`${lease.command}\``, ms: left });
  await run.sleep(Math.min(LOOK_MS, left));
}

async function claim(options: TakeOptions, at: HeadAt, takenOver: boolean): Promise<Holding | 'conflict'> {
  const { state, run, patience } = options;
  const before = at.head ?? options.born?.();
  if (before === undefined) throw fail('SFX4119', 'nothing is deployed to this stage');
  const fence = before.fence + 1;
  const lease: Lease = {
    fence,
    holder: run.holder,
    command: options.command,
    ttlMs: patience.leaseMs,
    beat: run.now(),
  };
  const head: Head = { ...before, version: STATE_VERSION, fence, lease };
  const since = run.now();
  const tag = await writeHeadOnce(state, head, at.tag);
  if (tag === 'conflict') return 'conflict';
  return holdingOf({ state, run, patience, takenOver }, { head, tag, since });
}
