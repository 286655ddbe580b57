import { fail } from '../errors.js';
import type { Head } from '../state/documents.js';
import { needFolder } from './checks.js';
import { append, type Context, type Held } from './context.js';
import { type Driven, drive, giveUp } from './drive.js';
import type { VersionsByUnit } from './fleet.js';
import { aliasesIn, describe, readAliases } from './flip.js';
import { type Holding, orGiveBack } from './holding.js';
import { take } from './lease.js';
import { holdOpen, openPercent, openState, refuseRemoving } from './open.js';
import { progressOf } from './progress.js';
import { kept } from './window.js';

export type OnInterrupted = 'fail' | 'back' | 'forward';

/** What stands in the way of a new release, after any holder has finished or expired. */
export interface InTheWay {
  readonly held: Held;
  readonly state: 'paused' | 'interrupted';
}

/**
 * Looks at an open release under a lease. Answers undefined, with the lease given back, when none is open any more.
 * A release whose end was journaled but not written to head is finished here.
 */
export async function lookAtOpen(
  ctx: Context,
  command: string,
  waitMs: number,
  askAbort = false,
): Promise<InTheWay | undefined> {
  const holding = await take({
    state: ctx.state,
    run: ctx.run,
    patience: ctx.fleet.patience,
    command,
    waitMs,
    askAbort,
  });
  return orGiveBack(ctx.run, holding, () => lookUnder(ctx, holding, command));
}

async function lookUnder(ctx: Context, holding: Holding, command: string): Promise<InTheWay | undefined> {
  refuseRemoving(ctx, holding.head());
  const held = await holdOpen(ctx, holding);
  if (held === undefined) {
    await holding.release((head) => head);
    return undefined;
  }
  const state = openState(held);
  if (state !== 'ended') {
    await append(held, { kind: 'taken', by: ctx.run.holder.name, command });
    return { held, state };
  }
  await finishEnded(ctx, held);
  return undefined;
}

/** The journal says how it ended; head does not know yet. */
async function finishEnded(ctx: Context, held: Held): Promise<void> {
  const { ended } = progressOf(held.entries);
  if (ended?.as === 'live') {
    await drive(ctx, held, { kept: {}, from: held.release.rollout.steps.length });
    return;
  }
  await giveUp(ctx, held, fail('SFX5003', ended?.why ?? 'taken back'));
}

/** The error that tells of a release that was cut off: who, when, what callers get now, both ways on. */
export async function cutOff(ctx: Context, held: Held): Promise<Error> {
  const { release } = held;
  const stage = `--stage ${ctx.scope.stage}`;
  const states = await readAliases(ctx, aliasesIn(held));
  const now = Object.entries(states).map(([key, state]) => `${key}: ${describe(state.table)}`);
  const last = held.entries.at(-2);
  return fail(
    'SFX4103',
    `release ${release.number} was cut off${progressOf(held.entries).step >= 0 ? ' while flipping' : ' before it took traffic'}; nothing new starts before that is settled`,
    {
      facts: { by: release.by.who, since: last?.at ?? release.by.at, now: now.join('; ') },
      ways: [
        { label: 'forward', command: `sfx resume ${stage}` },
        { label: 'back', command: `sfx rollback ${stage}` },
        { label: 'in CI', command: 'sfx deploy --on-interrupted back|forward|fail' },
      ],
    },
  );
}

export function openError(head: Head, held: Held | undefined): Error {
  const percent = held === undefined ? undefined : openPercent(held);
  return fail('SFX4104', `release ${head.open} is open${percent === undefined ? '' : ` at ${percent} %`}`, {
    ways: [
      { label: 'promote', command: 'sfx promote' },
      { label: 'undo', command: 'sfx rollback' },
      { label: 'instead', command: 'sfx deploy --supersede' },
    ],
  });
}

/** Takes an open release forward from where it is. SFX5007, with nothing moved, when a command that it needs cannot be run. */
export async function goOn(
  ctx: Context,
  held: Held,
  options: { readonly through?: boolean; readonly pastPause?: boolean },
): Promise<Driven> {
  const progress = progressOf(held.entries);
  if (progress.back) return giveUp(ctx, held, fail('SFX5003', 'it was being taken back'));
  const from = options.pastPause && progress.paused ? progress.paused.step + 1 : undefined;
  needFolder(ctx, held.release, progress.step < 0 ? undefined : (from ?? progress.step));
  return drive(ctx, held, { kept: await baseVersions(ctx, held), from, through: options.through });
}

/** Versions of the live release that this one was planned against. */
export async function baseVersions(
  ctx: Context,
  held: Pick<Held, 'base' | 'holding'>,
): Promise<VersionsByUnit> {
  const past = held.base && held.holding.head().past.find((one) => one.number === held.base!.number);
  return (past && (await kept(ctx.state, past)))?.versions ?? {};
}
