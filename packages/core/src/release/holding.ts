import { fail, messageOf } from '../errors.js';
import type { Run } from '../run.js';
import { type Entry, type EntryBody, type Head, STATE_VERSION } from '../state/documents.js';
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

/** What a lease is held with. */
interface Means {
  readonly state: StageState;
  readonly run: Run;
  readonly patience: Patience;
  readonly takenOver: boolean;
}

/** The head write that took the lease, and when it was begun. */
interface Claimed {
  readonly head: Head;
  readonly tag: string;
  readonly since: number;
}

/** A lease that was just taken, renewed in the background until it is given back or lost. */
export function holdingOf(means: Means, claimed: Claimed): Holding {
  const { state, run, patience } = means;
  const keeper = headKeeper(state, run, claimed);
  const stillHeld = async () => {
    keeper.throwIfLost();
    if (run.now() + patience.writeMs >= keeper.renewedAt() + patience.leaseMs) await keeper.renew();
  };
  const journal = journalWriter(state, run, claimed.head.fence, stillHeld, keeper.lose);
  void renewing(means, keeper);
  return {
    fence: claimed.head.fence,
    takenOver: means.takenOver,
    head: keeper.head,
    async guard() {
      if (run.signal.aborted) throw fail('SFX4120', 'interrupted');
      await stillHeld();
      if (keeper.head().lease?.wanted === 'abort') {
        throw fail('SFX4115', 'a rollback asked this release to stop');
      }
    },
    guardBack: stillHeld,
    lastSeq: journal.lastSeq,
    append: journal.append,
    change: keeper.write,
    end: keeper.end,
    async release(next) {
      if (keeper.over.aborted) return;
      await keeper.write((now) => ({ ...next(now), lease: null }));
      keeper.end();
    },
  };
}

/** Renews three times in the time of the lease. One that fails is told; the next guarded write tries again itself. */
async function renewing({ run, patience }: Means, keeper: HeadKeeper): Promise<void> {
  while (!keeper.over.aborted) {
    try {
      await run.sleep(patience.leaseMs / 3, keeper.over);
      if (keeper.over.aborted) return;
      await keeper.renew();
    } catch (error) {
      if (keeper.isLost() || run.signal.aborted) return;
      run.emit({ code: 'note', text: `the lease could not be renewed: ${messageOf(error)}` });
    }
  }
}

interface HeadKeeper {
  head(): Head;
  /** When the last head write was begun: the lease counts from there. */
  renewedAt(): number;
  write(next: (head: Head) => Head): Promise<void>;
  renew(): Promise<void>;
  lose(why: string): Error;
  isLost(): boolean;
  throwIfLost(): void;
  readonly over: AbortSignal;
  end(): void;
}

/** Writes head one change at a time; somebody's wish to abort is the only foreign change that is taken in. */
function headKeeper(state: StageState, run: Run, claimed: Claimed): HeadKeeper {
  const over = new AbortController();
  const { fence } = claimed.head;
  let { head, tag, since } = claimed;
  let lost: Error | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const throwIfLost = () => {
    if (lost !== undefined) throw lost;
    if (over.signal.aborted) throw fail('SFX9001', 'a write after the lease was given back');
  };
  const lose = (why: string) => {
    lost = fail('SFX4102', why);
    return lost;
  };
  const takeIn = async () => {
    const there = await state.readHead();
    const theirs = there.head?.lease;
    if (theirs?.fence !== fence) throw lose(`the lease of this release (fence ${fence}) was taken over`);
    head = { ...head, lease: { ...head.lease!, ...(theirs.wanted ? { wanted: theirs.wanted } : {}) } };
    tag = there.tag!;
  };
  const writeNow = async (next: (head: Head) => Head) => {
    for (;;) {
      throwIfLost();
      const began = run.now();
      const changed = next(head);
      const put = await writeHeadOnce(state, changed, tag);
      if (put !== 'conflict') {
        [head, tag, since] = [changed, put, began];
        return;
      }
      await takeIn();
    }
  };
  const write = (next: (head: Head) => Head): Promise<void> => {
    const turn = queue.then(() => writeNow(next));
    queue = turn.catch(() => undefined);
    return turn;
  };
  return {
    head: () => head,
    renewedAt: () => since,
    write,
    renew: () => write((now) => ({ ...now, lease: { ...now.lease!, beat: run.now() } })),
    lose,
    isLost: () => lost !== undefined,
    throwIfLost,
    over: over.signal,
    end: () => over.abort(),
  };
}

/** Appends to the journal under one lease. A number that another took means that the lease is lost. */
function journalWriter(
  state: StageState,
  run: Run,
  fence: number,
  stillHeld: () => Promise<void>,
  lose: (why: string) => Error,
): Pick<Holding, 'append' | 'lastSeq'> {
  let seq: number | undefined;
  const lastSeq = async () => {
    seq ??= await state.lastSeq();
    return seq;
  };
  return {
    lastSeq,
    async append(release, body) {
      await stillHeld();
      const next = (await lastSeq()) + 1;
      const at = new Date(run.now()).toISOString();
      const entry = { version: STATE_VERSION, seq: next, fence, release, at, ...body } as Entry;
      if ((await createOnce(state, entry)) === 'conflict') {
        throw lose(`journal entry ${next} was written by another: the lease of fence ${fence} is lost`);
      }
      seq = next;
      return entry;
    },
  };
}

/** A head write whose answer was lost is looked up before it counts as lost. */
export async function writeHeadOnce(
  state: StageState,
  head: Head,
  expect: string | null,
): Promise<string | 'conflict'> {
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
