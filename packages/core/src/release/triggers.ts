import type { Trigger } from '../provider/contract.js';
import type { Release } from '../state/documents.js';
import { append, type Context, type Held, step } from './context.js';
import { type Of, titleOf, triggersOf } from './fleet.js';
import type { PullingReport } from './outcome.js';
import { ensure, type OutputsByProvider, readOutputs, takeAway, triggerDiff } from './resources.js';

const pulls = (of: Of<Trigger>) => of.part.delivers === 'pulls';
const asked = (of: Of<Trigger>) => of.part.delivers === 'asked';

function diffOf(held: Held) {
  return triggerDiff(held.base?.irs ?? {}, held.release.irs);
}

/** Triggers that wait for 100 %, as people know them. */
export function waitingTriggers(held: Pick<Held, 'base' | 'release'>): string[] {
  const diff = triggerDiff(held.base?.irs ?? {}, held.release.irs);
  const late = held.release.rollout.expand === 'early' ? diff.added.filter(pulls) : diff.added;
  return [...late, ...diff.changed.map((change) => change.after)].map(titleOf).sort();
}

/** Step 9: new triggers that pull are made disabled; with `expand: early`, new asked ones are made at once. */
export async function triggersBefore(ctx: Context, held: Held, outputs: OutputsByProvider): Promise<void> {
  const diff = diffOf(held);
  const early = held.release.rollout.expand === 'early' ? diff.added.filter(asked) : [];
  const disabled = diff.added.filter(pulls);
  if (early.length + disabled.length === 0) return;
  await append(held, { kind: 'triggers', phase: 'before', dir: 'forward' });
  for (const of of disabled) await ensure(ctx, held, of, { enabled: false, outputs: outputs[of.provider] });
  for (const of of early) await ensure(ctx, held, of, { outputs: outputs[of.provider] });
}

/**
 * Step 11, at 100 %: moved triggers point at their new function, new asked ones are made, pulling ones that the release
 * removed stop consuming, and last the pulling ones that it added are enabled.
 */
export async function triggersAfter(ctx: Context, held: Held): Promise<void> {
  const diff = diffOf(held);
  await step(ctx.run, 'triggers', async () => {
    await append(held, { kind: 'triggers', phase: 'after', dir: 'forward' });
    const outputs = await readOutputs(ctx, held.release.irs);
    const gone = diff.removed.filter(pulls);
    // What a removed trigger names may be removed with it, and is there until contract.
    const before = gone.length === 0 ? {} : await readOutputs(ctx, held.base?.irs ?? {});
    const now = [...diff.same, ...diff.changed.map((change) => change.after), ...diff.added];
    let wrote = 0;
    const make = async (of: Of<Trigger>, enabled: boolean, from = outputs) => {
      if ((await ensure(ctx, held, of, { enabled, outputs: from[of.provider] })).wrote) wrote += 1;
    };
    for (const of of now.filter(asked)) await make(of, true);
    for (const of of gone) await make(of, false, before);
    for (const of of now.filter(pulls)) await make(of, true);
    return wrote === 0 ? undefined : sentence(diff.added, diff.changed.length, diff.removed.length);
  });
}

/** What a release lets pull, as people know it; nothing where it has none. */
export function pullsOf(release: Pick<Release, 'irs'> | undefined): { pulls?: readonly PullingReport[] } {
  const found = triggersOf(release?.irs ?? {}).filter(pulls);
  if (found.length === 0) return {};
  return { pulls: found.map((of) => ({ name: titleOf(of), function: of.part.function })) };
}

function sentence(added: readonly Of<Trigger>[], moved: number, removed: number): string {
  const parts = [
    added.length > 0 ? `${added.map(titleOf).join(', ')} added` : '',
    moved > 0 ? `${moved} changed` : '',
    removed > 0 ? `${removed} to be removed` : '',
  ].filter((part) => part !== '');
  return parts.length > 0 ? parts.join(', ') : 'as described';
}

/** Before the aliases go back: what the release added stops pulling, and what it moved points back. */
export async function triggersBackBefore(ctx: Context, held: Held): Promise<void> {
  const diff = diffOf(held);
  const outputs = await readOutputs(ctx, held.base?.irs ?? {});
  for (const of of diff.added.filter(pulls)) await takeAway(ctx, held, of);
  for (const { before } of diff.changed) {
    await ensure(ctx, held, before, { enabled: true, outputs: outputs[before.provider], back: true });
  }
}

/** After the aliases went back: what the release added goes, and what it had stopped consumes again. */
export async function triggersBackAfter(ctx: Context, held: Held): Promise<void> {
  const diff = diffOf(held);
  const outputs = await readOutputs(ctx, held.base?.irs ?? {});
  for (const of of diff.added.filter(asked)) await takeAway(ctx, held, of);
  for (const of of diff.removed.filter(pulls)) {
    await ensure(ctx, held, of, { enabled: true, outputs: outputs[of.provider], back: true });
  }
}
