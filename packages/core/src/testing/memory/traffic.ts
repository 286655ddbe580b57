import { fail } from '../../errors.js';
import { canonical } from '../../json.js';
import type { Alias, AliasState, Move, Table, Traffic } from '../../provider/contract.js';
import { compareAndWrite, sameTable } from '../../provider/traffic.js';
import { type Context, findAlias, findVersion, nextToken, poll, remote } from './context.js';
import { physicalName } from './names.js';
import { isSeated, seatsOf } from './seats.js';
import { warmth } from './shapes.js';
import type { Pending, StoredAlias, WorldDocument } from './world.js';

function stateOf(context: Context, alias: StoredAlias | undefined): AliasState {
  if (alias === undefined) return { table: {} };
  return {
    table: alias.table,
    ...(context.can.stamps && alias.stamp !== undefined ? { stamp: alias.stamp } : {}),
    ...(context.can.cas === 'native' ? { token: alias.token } : {}),
    ...(alias.pending === undefined ? {} : { busy: true as const }),
  };
}

const isEmpty = (table: Table) => Object.keys(table).length === 0;

/** What this provider can never make true is refused before anything is called (SFX3005). */
function refuseUnsupported(context: Context, alias: Alias, to: Table): void {
  const { targets, step } = context.can.split;
  for (const [unit, split] of Object.entries(to)) {
    const candidate = split.candidate;
    if (candidate === undefined) continue;
    const where = { unit, step: 'flip', resource: alias.id };
    if (targets === 1)
      throw fail('SFX3005', `${unit} cannot have a candidate: all traffic goes to one version`, where);
    const { percent } = candidate;
    if (!Number.isInteger(percent) || percent < 0 || percent > 100 || percent % step !== 0) {
      throw fail('SFX3005', `${percent} % is not a weight that ${unit} can have`, where);
    }
  }
}

/** Versions that a table names must be there, and up where the provider looks. */
function refuseMissing(document: WorldDocument, context: Context, to: Table, now: number): void {
  for (const [unit, split] of Object.entries(to)) {
    for (const id of [split.stable, split.candidate?.version]) {
      if (id === undefined) continue;
      const version = findVersion(document, context.scope, unit, id);
      if (version === undefined)
        throw fail('SFX3105', `version ${id} of ${unit} is gone`, { unit, resource: id });
      const up =
        warmth[context.shape] === 'seat'
          ? isSeated(seatsOf(document, context, unit), id, now)
          : context.shape !== 'cloudRun' || version.readyAt <= now;
      if (!up) throw fail('SFX3106', `version ${id} of ${unit} is not up`, { unit, resource: id });
    }
  }
}

function aliasFor(document: WorldDocument, context: Context, alias: Alias): StoredAlias {
  const key = physicalName(context.scope, 'alias', alias.id);
  const there = document.aliases[key];
  if (there !== undefined) return there;
  const made: StoredAlias = { scope: context.scope, id: alias.id, table: {}, token: nextToken(document) };
  document.aliases[key] = made;
  return made;
}

function put(document: WorldDocument, context: Context, alias: Alias, move: Move): AliasState {
  if (isEmpty(move.to) && context.shape !== 'cloudRun') {
    delete document.aliases[physicalName(context.scope, 'alias', alias.id)];
    return { table: {} };
  }
  const stored = aliasFor(document, context, alias);
  stored.table = move.to;
  stored.stamp = move.stamp;
  stored.token = nextToken(document);
  return stateOf(context, stored);
}

type Write = (
  context: Context,
  alias: Alias,
  move: Move,
  token: string | undefined,
  now: AliasState,
) => Promise<AliasState | 'conflict'>;

/** One write under a token. A removal carries none on the shape of Lambda. */
const writeNative: Write = (context, alias, move, token) =>
  remote(context, 'traffic.set', alias.id, true, (document, now) => {
    refuseMissing(document, context, move.to, now);
    const stored = findAlias(document, context.scope, alias);
    const unfenced = context.shape === 'lambda' && isEmpty(move.to);
    if (!unfenced && stored?.token !== token) return 'conflict';
    const stale = context.shape === 'local' && (stored?.stamp?.fence ?? 0) > move.stamp.fence;
    return stale ? 'conflict' : put(document, context, alias, move);
  });

/** The object reconciles after the write; it is busy until then. */
const writeReconciled: Write = async (context, alias, move, token) => {
  const written = await remote(context, 'traffic.set', alias.id, true, (document, now) => {
    refuseMissing(document, context, move.to, now);
    const stored = findAlias(document, context.scope, alias);
    if (stored?.token !== token || stored?.pending !== undefined) return 'conflict';
    const state = put(document, context, alias, move);
    const made = findAlias(document, context.scope, alias)!;
    made.pending = {
      kind: 'reconcile',
      id: document.serial,
      until: now + context.timing.busyMs,
      to: move.to,
    };
    return state;
  });
  return written === 'conflict' ? written : settled(context, alias);
};

function settled(context: Context, alias: Alias): Promise<AliasState> {
  return poll(context, async () => {
    const state = await read(context, alias);
    return state.busy ? undefined : state;
  });
}

/** Whether the provider takes this write and does nothing, as tests may ask it to. */
function ignored(document: WorldDocument): boolean {
  if (document.ignoring === 0) return false;
  document.ignoring -= 1;
  return true;
}

/** One write that compares nothing. */
const writePlain: Write = (context, alias, move) =>
  remote(context, 'traffic.set', alias.id, true, (document, now) => {
    refuseMissing(document, context, move.to, now);
    return ignored(document) ? { table: move.to, stamp: move.stamp } : put(document, context, alias, move);
  });

/** A split is a package that names both sides; it is made first, then one binding points at it. */
const writeBinding: Write = async (context, alias, move, token, now) => {
  if (Object.values(move.to).some((split) => split.candidate !== undefined)) {
    await remote(context, 'traffic.set.router', alias.id, true, (document) => {
      document.routers[`${physicalName(context.scope, 'alias', alias.id)}/${canonical(move.to)}`] = move.to;
    });
  }
  return writePlain(context, alias, move, token, now);
};

/** Rules are cleared, then production and slot change places, or new rules are set; last the stamp is kept. */
const writeSwap: Write = async (context, alias, move, _token, now) => {
  const rules = (op: string, table: Table) =>
    remote(context, op, alias.id, true, (document, at) => {
      refuseMissing(document, context, table, at);
      if (!ignored(document)) aliasFor(document, context, alias).table = table;
    });
  const without = (table: Table): Table =>
    Object.fromEntries(Object.entries(table).map(([unit, split]) => [unit, { stable: split.stable }]));
  if (!isEmpty(move.to)) {
    const swaps = !sameTable(without(now.table), without(move.to));
    if (swaps && !sameTable(now.table, without(now.table)))
      await rules('traffic.set.clear', without(now.table));
    if (swaps && (await swap(context, alias, move)) === 'conflict') return 'conflict';
    if (!swaps && !sameTable(now.table, move.to)) await rules('traffic.set.rules', move.to);
  }
  return remote(context, 'traffic.set.stamp', alias.id, true, (document) => {
    const stored = findAlias(document, context.scope, alias);
    if (isEmpty(move.to)) return put(document, context, alias, move);
    if (stored !== undefined) stored.stamp = move.stamp;
    return stateOf(context, stored);
  });
};

/** Begins a swap, which goes on by itself, and waits for its end. */
async function swap(context: Context, alias: Alias, move: Move): Promise<'done' | 'conflict'> {
  const began = await remote(context, 'traffic.set.swap', alias.id, true, (document, now) => {
    refuseMissing(document, context, move.to, now);
    const stored = aliasFor(document, context, alias);
    if (stored.pending !== undefined) return false;
    if (ignored(document)) return true;
    document.serial += 1;
    stored.pending = { kind: 'swap', id: document.serial, until: now + context.timing.busyMs, to: move.to };
    return true;
  });
  if (!began) return 'conflict';
  await settled(context, alias);
  return 'done';
}

/** The app is prepared, and answers nobody until the new package is in its place. */
const writeRedeploy: Write = async (context, alias, move) => {
  const begun = await remote(context, 'traffic.set.prepare', alias.id, true, (document, now) => {
    refuseMissing(document, context, move.to, now);
    const stored = aliasFor(document, context, alias);
    if (stored.pending !== undefined) return undefined;
    document.serial += 1;
    const pending: Pending = {
      kind: 'redeploy',
      id: document.serial,
      until: now + context.timing.busyMs,
      to: move.to,
    };
    stored.pending = pending;
    return pending.id;
  });
  if (begun === undefined) return 'conflict';
  await context.run.sleep(context.timing.busyMs / 2);
  return remote(context, 'traffic.set.package', alias.id, true, (document) => {
    const stored = findAlias(document, context.scope, alias);
    if (stored?.pending?.id !== begun) return 'conflict';
    delete stored.pending;
    return ignored(document) ? { table: move.to, stamp: move.stamp } : put(document, context, alias, move);
  });
};

const writes: Readonly<Record<Context['shape'], Write>> = {
  lambda: writeNative,
  local: writeNative,
  cloudRun: writeReconciled,
  openfaas: writePlain,
  whisk: writeBinding,
  slots: writeSwap,
  flex: writeRedeploy,
};

function read(context: Context, alias: Alias): Promise<AliasState> {
  return remote(context, 'traffic.read', alias.id, false, (document) =>
    stateOf(context, findAlias(document, context.scope, alias)),
  );
}

export function traffic(context: Context): Traffic {
  const write = writes[context.shape];
  const { set } = compareAndWrite({
    read: (alias) => read(context, alias),
    write: (alias, move, token, now) => write(context, alias, move, token, now),
    cas: context.can.cas,
    stamps: context.can.stamps,
  });
  return {
    read: (alias) => read(context, alias),
    async set(alias, move) {
      refuseUnsupported(context, alias, move.to);
      if (context.shape !== 'lambda' || !isEmpty(move.to)) return set(alias, move);
      // Its removal compares no token, so what was remembered proves nothing.
      return set(alias, { from: move.from, to: move.to, stamp: move.stamp });
    },
    confirm: (alias, table) =>
      remote(context, 'traffic.confirm', alias.id, false, (document) => {
        const state = stateOf(context, findAlias(document, context.scope, alias));
        if (state.busy || !sameTable(state.table, table)) return false;
        return context.can.flip.confirmable ? true : 'unknown';
      }),
  };
}
