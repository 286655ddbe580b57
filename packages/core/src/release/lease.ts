import { fail, messageOf } from '../errors.js';
import type { Run } from '../run.js';
import { type Entry, type EntryBody, type Head, type Lease, STATE_VERSION } from '../state/documents.js';
import type { HeadAt, StageState } from '../state/stage-state.js';
import type { Patience } from './fleet.js';

/** The right to change a stage, while it is held. Every write to a provider or to state passes `guard`. */
export interface Holding {
  readonly fence: number;
  /** Head as last written by this holder. */
  head(): Head;
  /**
   * Throws unless the lease outlasts one more write: SFX4102 when it was lost, SFX4115 when a rollback asked to abort,
   * SFX4120 when the run was interrupted.
   */
  guard(): Promise<void>;
  /** The same for writes that take a release back: an interrupt or a wish to abort does not stop those. */
  guardBack(): Promise<void>;
  /** Number of the newest journal entry. */
  lastSeq(): Promise<number>;
  /** Appends to the journal: before the act that it announces. */
  append(release: number, body: EntryBody): Promise<Entry>;
  /** Changes head, lease kept. */
  change(next: (head: Head) => Head): Promise<void>;
  /** Changes head and gives the lease back in the same write. Nothing can be written after it; a second call does nothing. */
  release(next: (head: Head) => Head): Promise<void>;
  /** Stops renewing without a write: head itself is gone. */
  end(): void;
  /** Took over an expired lease: what its holder sent may be half done. */
  readonly takenOver: boolean;
}

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

/** Does something with a lease; when that throws, the lease is given back, as far as it can be, and the error goes on. */
export async function orGiveBack<T>(run: Run, holding: Holding, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    try {
      await holding.release((head) => head);
    } catch (second) {
      holding.end();
      run.emit({
        code: 'note',
        text: `the lease could not be given back and stays until it expires: ${messageOf(second)}`,
      });
    }
    throw error;
  }
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
  const tag = await written(state, head, at.tag);
  if (tag === 'conflict') return 'conflict';
  return holding(options, head, tag, since, takenOver);
}

/** A head write whose answer was lost is looked up before it counts as lost. */
async function written(state: StageState, head: Head, expect: string | null): Promise<string | 'conflict'> {
  try {
    const tag = await state.writeHead(head, expect);
    if (tag !== 'conflict') return tag;
  } catch (error) {
    const there = await state.readHead().catch(() => undefined);
    if (there === undefined || !isThat(there, head)) throw error;
    return there.tag!;
  }
  const there = await state.readHead();
  return isThat(there, head) ? there.tag! : 'conflict';
}

function isThat(there: HeadAt, head: Head): boolean {
  return JSON.stringify(there.head) === JSON.stringify(head);
}

function holding(
  options: TakeOptions,
  first: Head,
  firstTag: string,
  since: number,
  takenOver: boolean,
): Holding {
  const { state, run, patience } = options;
  const fence = first.fence;
  let head = first;
  let tag = firstTag;
  let renewedAt = since;
  let seq: number | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let lost: unknown;
  const over = new AbortController();

  /** One head write at a time; somebody's wish to abort is the only foreign change that is taken in. */
  const serially = <T>(act: () => Promise<T>): Promise<T> => {
    const next = queue.then(act);
    queue = next.catch(() => undefined);
    return next;
  };
  const write = (next: (head: Head) => Head): Promise<void> =>
    serially(async () => {
      for (;;) {
        if (lost !== undefined) throw lost;
        if (over.signal.aborted) throw fail('SFX9001', 'a write after the lease was given back');
        const began = run.now();
        const changed = next(head);
        const put = await written(state, changed, tag);
        if (put !== 'conflict') {
          head = changed;
          tag = put;
          renewedAt = began;
          return;
        }
        const there = await state.readHead();
        const theirs = there.head?.lease;
        if (there.head === undefined || theirs?.fence !== fence) {
          lost = fail('SFX4102', `the lease of this release (fence ${fence}) was taken over`);
          throw lost;
        }
        head = { ...head, lease: { ...head.lease!, ...(theirs.wanted ? { wanted: theirs.wanted } : {}) } };
        tag = there.tag!;
      }
    });
  const renew = () => write((now) => ({ ...now, lease: { ...now.lease!, beat: run.now() } }));
  const outlasts = () => run.now() + patience.writeMs < renewedAt + patience.leaseMs;
  const stillHeld = async () => {
    if (lost !== undefined) throw lost;
    if (!outlasts()) await renew();
  };
  const heartbeat = async () => {
    while (!over.signal.aborted && lost === undefined) {
      await run.sleep(patience.leaseMs / 3, over.signal);
      if (!over.signal.aborted) await renew();
    }
  };
  heartbeat().catch((error: unknown) => {
    // The next guarded write meets the same failure and reports it with its own place.
    if (lost === undefined && !run.signal.aborted) {
      run.emit({ code: 'note', text: `the lease could not be renewed: ${messageOf(error)}` });
    }
  });

  return {
    fence,
    takenOver,
    head: () => head,
    async guard() {
      if (run.signal.aborted) throw fail('SFX4120', 'interrupted');
      await stillHeld();
      if (head.lease?.wanted === 'abort') throw fail('SFX4115', 'a rollback asked this release to stop');
    },
    guardBack: stillHeld,
    async lastSeq() {
      seq ??= await state.lastSeq();
      return seq;
    },
    async append(release, body) {
      await stillHeld();
      seq ??= await state.lastSeq();
      const entry = {
        version: STATE_VERSION,
        seq: seq + 1,
        fence,
        release,
        at: new Date(run.now()).toISOString(),
        ...body,
      } as Entry;
      if ((await createOnce(state, entry)) === 'conflict') {
        lost = fail(
          'SFX4102',
          `journal entry ${entry.seq} was written by another: the lease of fence ${fence} is lost`,
        );
        throw lost;
      }
      seq = entry.seq;
      return entry;
    },
    change: write,
    end: () => over.abort(),
    async release(next) {
      if (over.signal.aborted) return;
      await write((now) => ({ ...next(now), lease: null }));
      over.abort();
    },
  };
}

/** Creates an entry; finding exactly it after a lost answer is success. */
async function createOnce(state: StageState, entry: Entry): Promise<'created' | 'conflict'> {
  const mine = async () => JSON.stringify(await state.readEntry(entry.seq)) === JSON.stringify(entry);
  try {
    if ((await state.createEntry(entry)) === 'created') return 'created';
  } catch (error) {
    if (await mine().catch(() => false)) return 'created';
    throw error;
  }
  return (await mine()) ? 'created' : 'conflict';
}
