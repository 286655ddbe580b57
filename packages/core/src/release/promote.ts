import { fail } from '../errors.js';
import type { Context } from './context.js';
import { orGiveBack } from './holding.js';
import { needOpen } from './open.js';
import type { Outcome } from './outcome.js';
import { outcomeOf } from './outcomes.js';
import { cutOff, goOn, lookAtOpen } from './settle.js';

export interface PromoteOptions {
  readonly waitMs: number;
  /** To 100 % at once, past every later pause. */
  readonly full?: boolean;
}

/** `sfx promote`: lets an open release pass the gate where it waits, and on to the end of its rollout. Keeps its number. */
export async function promoteRelease(ctx: Context, options: PromoteOptions): Promise<Outcome> {
  const began = ctx.run.now();
  const number = needOpen((await ctx.state.readHead()).head);
  const way = await lookAtOpen(ctx, 'promote', options.waitMs);
  if (way === undefined) throw fail('SFX4113', `release ${number} was settled meanwhile`);
  const driven = await orGiveBack(ctx.run, way.held.holding, async () => {
    if (way.state === 'interrupted') throw await cutOff(ctx, way.held);
    return goOn(ctx, way.held, { pastPause: true, through: options.full });
  });
  return outcomeOf({ ctx, command: 'promote', began }, driven);
}
