import { fail } from '../errors.js';
import type { Alias, AliasState, Table } from '../provider/contract.js';
import type { Qualified } from '../state/documents.js';
import { append, type Context, type Held } from './context.js';
import { aliasesOf, type Of } from './fleet.js';
import { each, eachOfAll } from './limits.js';
import { stampOf } from './resources.js';
import { sameTable, type Tables, tablesMeant, withoutCandidates } from './tables.js';

/** Alias calls under way at once within one provider. */
const WIDTH = 16;
/** How often a busy alias or a lost race is tried again, and how long apart. */
const TRIES = 30;
const APART_MS = 1_000;

/** Every alias that a release or its base has. */
export function aliasesIn(held: Pick<Held, 'release' | 'base'>): Of<Alias>[] {
  return aliasesOf(held.base?.irs ?? {}, held.release.irs);
}

export type States = Readonly<Record<Qualified, AliasState>>;

export async function readAliases(ctx: Context, aliases: readonly Of<Alias>[]): Promise<States> {
  const pairs = await each(aliases, WIDTH, async (of) => [of.key, await readAlias(ctx, of)] as const);
  return Object.fromEntries(pairs);
}

export function readAlias(ctx: Context, of: Of<Alias>): Promise<AliasState> {
  return ctx.fleet.read(of.provider, 'traffic.read', of.part.id, (connection) =>
    connection.traffic.read(of.part),
  );
}

/** Waits while a write of several parts is under way. */
async function readSettled(ctx: Context, of: Of<Alias>): Promise<AliasState> {
  for (let tries = 1; ; tries++) {
    const state = await readAlias(ctx, of);
    if (!state.busy) return state;
    if (tries >= TRIES)
      throw fail('SFX3102', `alias ${of.part.id} is busy and does not settle`, { resource: of.part.id });
    await ctx.run.sleep(APART_MS);
  }
}

export function foreign(alias: Qualified, table: Table): Error {
  return fail('SFX4105', `alias ${alias} is not as sfx left it: ${describe(table)}`, {
    resource: alias,
    facts: { alias, now: describe(table) },
  });
}

export function describe(table: Table): string {
  const rows = Object.entries(table).map(([unit, split]) => {
    const candidate = split.candidate
      ? ` and ${split.candidate.version} at ${split.candidate.percent} %`
      : '';
    return `${unit} at ${split.stable}${candidate}`;
  });
  return rows.length > 0 ? rows.join(', ') : 'nothing';
}

export interface MoveOptions {
  readonly dir: 'forward' | 'back';
  readonly step: number;
  /** Journal even when nothing is to be moved: the step counts as begun. */
  readonly mark?: boolean;
}

export interface Moved {
  readonly aliases: number;
  readonly confirmed: boolean | 'unknown';
}

/**
 * Moves aliases to `targets`: one journal entry with every from and to, then the writes, providers and aliases in name
 * order (backwards when going back). An alias that somebody else moved is never overwritten: SFX4105.
 */
export async function moveAll(
  ctx: Context,
  held: Held,
  targets: Tables,
  options: MoveOptions,
): Promise<Moved> {
  const aliases = aliasesIn(held).filter((of) => targets[of.key] !== undefined);
  const back = options.dir === 'back';
  const moves: Record<Qualified, { from: Table; to: Table }> = {};
  const compare = async (of: Of<Alias>) => {
    const state = await readSettled(ctx, of);
    const to = targets[of.key]!;
    if (!sameTable(state.table, to)) {
      const meant = tablesMeant(held.release, held.entries, of.key);
      if (!meant.some((table) => sameTable(table, state.table))) throw foreign(of.key, state.table);
    }
    if (!sameTable(state.table, to) || needsStamp(ctx, held, of, state))
      moves[of.key] = { from: state.table, to };
  };
  // Going back, one alias that fails must not keep the others where they are.
  const failures = back ? await eachOfAll(aliases, WIDTH, compare) : [];
  if (!back) await each(aliases, WIDTH, compare);
  if (Object.keys(moves).length > 0 || options.mark) {
    await append(held, { kind: 'moves', dir: options.dir, step: options.step, moves });
  }
  const providers = [...new Set(aliases.map((of) => of.provider))];
  for (const provider of back ? providers.reverse() : providers) {
    const mine = aliases.filter((of) => of.provider === provider && moves[of.key] !== undefined);
    const guard = back ? held.holding.guardBack : held.holding.guard;
    const set = (of: Of<Alias>) => setOne(ctx, held, of, moves[of.key]!, guard);
    if (back) failures.push(...(await eachOfAll(mine, WIDTH, set)));
    else await each(mine, WIDTH, set);
  }
  if (failures.length > 0) throw failures[0]!.error;
  const answers = await each(aliases, WIDTH, (of) => confirmOne(ctx, of, targets[of.key]!));
  return { aliases: Object.keys(moves).length, confirmed: worst(answers) };
}

function worst(answers: readonly (boolean | 'unknown')[]): boolean | 'unknown' {
  return answers.includes('unknown') ? 'unknown' : answers.every((answer) => answer === true);
}

/** After a takeover every alias carries the new fence, so that a late write of the old holder is told apart. */
function needsStamp(ctx: Context, held: Held, of: Of<Alias>, state: AliasState): boolean {
  return (
    ctx.fleet.can(of.provider).stamps &&
    held.holding.takenOver &&
    state.stamp !== undefined &&
    state.stamp.fence < held.holding.fence
  );
}

async function setOne(
  ctx: Context,
  held: Held,
  of: Of<Alias>,
  move: { readonly from: Table; readonly to: Table },
  guard: () => Promise<void>,
): Promise<AliasState> {
  let from = move.from;
  for (let tries = 1; ; tries++) {
    const result = await ctx.fleet.write(of.provider, 'traffic.set', of.part.id, guard, (connection) =>
      connection.traffic.set(of.part, { from, to: move.to, stamp: stampOf(held) }),
    );
    if (result !== 'conflict' && sameTable(result.table, move.to)) return result;
    const now = await readSettled(ctx, of);
    if (sameTable(now.table, move.to) && !needsStamp(ctx, held, of, now)) return now;
    if (![move.from, withoutCandidates(move.from), move.to].some((table) => sameTable(now.table, table))) {
      throw foreign(of.key, now.table);
    }
    from = now.table;
    if (tries >= TRIES) {
      throw fail('SFX3101', `alias ${of.part.id} does not keep what is written to it`, {
        resource: of.part.id,
        step: 'flip',
      });
    }
    await ctx.run.sleep(APART_MS);
  }
}

async function confirmOne(ctx: Context, of: Of<Alias>, table: Table): Promise<boolean | 'unknown'> {
  for (let tries = 1; ; tries++) {
    const answer = await ctx.fleet.read(of.provider, 'traffic.confirm', of.part.id, (connection) =>
      connection.traffic.confirm(of.part, table),
    );
    if (answer !== false) return answer;
    if (tries >= TRIES)
      throw fail('SFX3101', `alias ${of.part.id} is written but not served`, {
        resource: of.part.id,
        step: 'flip',
      });
    await ctx.run.sleep(APART_MS);
  }
}
