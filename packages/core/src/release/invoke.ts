import { fail } from '../errors.js';
import type { Json } from '../json.js';
import type { InvokeTarget } from '../provider/contract.js';
import type { Head } from '../state/documents.js';
import type { Context, Work } from './context.js';
import { aliasesOf, unitsOf } from './fleet.js';
import { livePast } from './observe.js';
import { openWork } from './open.js';
import { progressOf } from './progress.js';
import { kept } from './window.js';

export interface InvokeRequest {
  readonly function: string;
  readonly payload: Json;
  readonly candidate?: boolean;
}

/** Where a call goes, and what is known of who will serve it: null while two versions share the calls. */
interface Aim {
  readonly provider: string;
  readonly target: InvokeTarget;
  readonly version: string | null;
  readonly release: number | null;
}

/** `sfx invoke`: through the alias, or the open candidate by its own address. Errors: SFX4117, SFX4113, SFX4119. */
export async function invokeFunction(
  ctx: Context,
  request: InvokeRequest,
): Promise<{ readonly result: Json; readonly version: string | null; readonly release: number | null }> {
  const { provider, target, version, release } = await aimOf(ctx, request);
  const result = await ctx.fleet.read(provider, 'invoke', request.function, (connection) =>
    connection.invoke(target, request.payload),
  );
  return { result, version, release };
}

/**
 * `sfx invoke --async`: answers the id of the activation at once. Asked once: a second asking would be a second call.
 * Errors: those of a plain call, and SFX3005 where the provider takes no call for later.
 */
export async function invokeLater(
  ctx: Context,
  request: InvokeRequest,
): Promise<{ readonly activation: string }> {
  const { provider, target } = await aimOf(ctx, request);
  const connection = ctx.fleet.of(provider);
  if (connection.invokeLater === undefined)
    throw fail('SFX3005', `${provider} takes no calls that are made later`, {
      hint: 'Leave out `--async`: the call is then made at once.',
    });
  const activation = await ctx.run.call({ op: 'invoke.later', on: request.function, writes: true }, () =>
    connection.invokeLater!(target, request.payload),
  );
  return { activation };
}

async function aimOf(ctx: Context, request: InvokeRequest): Promise<Aim> {
  const { head } = await ctx.state.readHead();
  if (head === undefined) throw fail('SFX4119', 'nothing is deployed to this stage');
  if (request.candidate) return candidateOf(ctx, head, request);
  const past = livePast(head);
  const live = past && (await kept(ctx.state, past));
  if (live === undefined) throw fail('SFX4119', 'nothing is live on this stage');
  const of = unitOf(live.release.irs, request.function);
  const alias = aliasesOf(live.release.irs).find(
    (one) => one.provider === of.provider && one.part.units.includes(of.part.id),
  )!;
  const open = head.open !== null;
  return {
    provider: of.provider,
    target: { alias: alias.part.id, function: request.function },
    version: open ? null : (live.versions[of.key]?.id ?? null),
    release: open ? null : live.past.number,
  };
}

async function candidateOf(ctx: Context, head: Head, request: InvokeRequest): Promise<Aim> {
  const work = await openWork(ctx, head);
  if (work === undefined) throw fail('SFX4113', 'no release is open, so there is no candidate');
  const of = unitOf(work.release.irs, request.function);
  const version = progressOf(work.entries).staged?.[of.key];
  if (version === undefined)
    throw fail('SFX4113', `release ${work.release.number} has not staged ${request.function} yet`);
  return {
    provider: of.provider,
    target: { version, function: request.function },
    version: version.id,
    release: work.release.number,
  };
}

function unitOf(irs: Work['release']['irs'], name: string) {
  const units = unitsOf(irs);
  const found = units.find((of) => of.part.functions.includes(name));
  if (found === undefined) {
    throw fail('SFX4117', `there is no function ${name}`, {
      hint: `There are: ${units.flatMap((of) => of.part.functions).join(', ')}.`,
    });
  }
  return found;
}
