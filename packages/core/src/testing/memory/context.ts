import type { Alias, Capabilities, Scope, Table } from '../../provider/contract.js';
import type { Run } from '../../run.js';
import { physicalName, versionName } from './names.js';
import type { ShapeName } from './shapes.js';
import type { StoredAlias, StoredVersion, World, WorldDocument } from './world.js';

export interface Timing {
  /** Milliseconds until a new or scaled version answers. */
  readonly readyMs: number;
  /** Milliseconds that a swap, redeploy or reconciliation takes. */
  readonly busyMs: number;
  /** Milliseconds between two looks at something that takes its time. */
  readonly pollMs: number;
}

/** One connection: whose, of which shape, in which world. */
export interface Context {
  readonly shape: ShapeName;
  readonly can: Capabilities;
  readonly scope: Scope;
  readonly run: Run;
  readonly world: World;
  readonly timing: Timing;
}

/** One remote call: counted, failed or cut as one. */
export function remote<T>(
  context: Context,
  op: string,
  on: string,
  writes: boolean,
  act: (document: WorldDocument, now: number) => T,
): Promise<T> {
  const { run, world } = context;
  return run.call({ op, on, writes }, async () => {
    const now = run.now();
    return world.change((document) => {
      settle(document, now);
      return act(document, now);
    });
  });
}

/** What has finished by itself since the last look. */
export function settle(document: WorldDocument, now: number): void {
  for (const alias of Object.values(document.aliases)) {
    const pending = alias.pending;
    if (pending === undefined || pending.until > now) continue;
    delete alias.pending;
    // A redeploy that was not finished leaves the package as it was.
    if (pending.kind === 'swap') applySwap(document, alias, pending.to);
  }
}

function applySwap(document: WorldDocument, alias: StoredAlias, to: Table): void {
  for (const [unit, split] of Object.entries(to)) {
    const seats = document.seats[physicalName(alias.scope, 'seats', unit)];
    if (seats === undefined || seats.production === split.stable) continue;
    const before = seats.production;
    seats.production = split.stable;
    if (before === undefined) delete seats.slot;
    else seats.slot = before;
  }
  alias.table = to;
}

export function isComplete(version: StoredVersion | undefined): version is StoredVersion {
  return version !== undefined && version.have >= version.need;
}

export function findVersion(
  document: WorldDocument,
  scope: Scope,
  unit: string,
  id: string,
): StoredVersion | undefined {
  const version = document.versions[versionName(scope, unit, id)];
  return isComplete(version) ? version : undefined;
}

export function findAlias(
  document: WorldDocument,
  scope: Scope,
  alias: Pick<Alias, 'id'>,
): StoredAlias | undefined {
  return document.aliases[physicalName(scope, 'alias', alias.id)];
}

/** Whether a table names a version of a unit. */
export function names(table: Table, unit: string, id: string): boolean {
  const split = table[unit];
  return split !== undefined && (split.stable === id || split.candidate?.version === id);
}

/** The aliases of a stage that name a version, or will when their write ends. */
export function namedBy(document: WorldDocument, scope: Scope, unit: string, id: string): string[] {
  return Object.values(document.aliases)
    .filter((alias) => alias.scope.service === scope.service && alias.scope.stage === scope.stage)
    .filter((alias) => names(alias.table, unit, id) || (alias.pending && names(alias.pending.to, unit, id)))
    .map((alias) => alias.id);
}

export function nextToken(document: WorldDocument): string {
  document.serial += 1;
  return `t${document.serial}`;
}

/** Looks until `look` answers; every look is a call of its own. */
export async function poll<T>(context: Context, look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await context.run.sleep(context.timing.pollMs);
  }
}
