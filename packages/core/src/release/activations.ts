import { fail } from '../errors.js';
import type { Activation, ActivationQuery, Connection } from '../provider/contract.js';
import type { Context } from './context.js';

/** Calls that a beginning of an id is looked for in. */
const SEARCHED = 10_000;

/** `sfx activations`: what is known of the calls of a stage, newest first. SFX3005 where the provider keeps nothing of them. */
export async function activationsOf(ctx: Context, query: ActivationQuery): Promise<readonly Activation[]> {
  const found: Activation[] = [];
  for (const { provider, connection } of keepers(ctx)) {
    const some = await ctx.fleet.read(provider, 'activations', ctx.scope.stage, () =>
      connection.activations(query),
    );
    found.push(...some);
  }
  const newest = found.sort((a, b) => (a.asked > b.asked ? -1 : a.asked < b.asked ? 1 : 0));
  return newest.slice(0, query.limit ?? 30);
}

/**
 * One call whole, with its result and logs, by its id or by the beginning of one that only one call has.
 * Errors: SFX4125 (none has it, or several have), SFX3005.
 */
export async function activationOf(ctx: Context, id: string): Promise<Activation> {
  const all = keepers(ctx);
  const whole = async (name: string): Promise<Activation | undefined> => {
    for (const { provider, connection } of all) {
      const one = await ctx.fleet.read(provider, 'activation', name, () => connection.activation(name));
      if (one !== undefined) return one;
    }
    return undefined;
  };
  const named = await whole(id);
  if (named !== undefined) return named;
  const ids = (await activationsOf(ctx, { limit: SEARCHED }))
    .map((one) => one.id)
    .filter((one) => one.startsWith(id));
  if (ids.length > 1)
    throw fail('SFX4125', `${ids.length} activations begin with ${id}`, {
      hint: `Say more of it: ${ids.slice(0, 4).join(', ')}${ids.length > 4 ? ', …' : ''}.`,
    });
  const found = ids[0] === undefined ? undefined : await whole(ids[0]);
  if (found === undefined) throw fail('SFX4125', `there is no activation ${id}`);
  return found;
}

interface Keeper {
  readonly provider: string;
  readonly connection: Required<Pick<Connection, 'activations' | 'activation'>>;
}

function keepers(ctx: Context): Keeper[] {
  return ctx.fleet.providers.map((provider) => {
    const connection = ctx.fleet.of(provider);
    const { activations, activation } = connection;
    if (activations === undefined || activation === undefined)
      throw fail('SFX3005', `${provider} keeps no record of single calls that sfx can read`, {
        hint: 'See `sfx logs` and `sfx status`.',
      });
    return {
      provider,
      connection: { activations: activations.bind(connection), activation: activation.bind(connection) },
    };
  });
}
