import type { Split, Table } from '../provider/contract.js';
import type { Entry, Qualified, Release } from '../state/documents.js';
import { aliasesOf, qualify, type VersionsByUnit } from './fleet.js';

/** alias → table */
export type Tables = Readonly<Record<Qualified, Table>>;

/**
 * What every alias of a release must hold when its candidates have `percent`.
 * A unit that stable does not have is at its own version from the start: nothing calls it before its triggers.
 * A unit that the release removes stays as it was until it is contracted.
 */
export function tablesAt(release: Release, versions: VersionsByUnit, percent: number): Tables {
  const result: Record<Qualified, Table> = {};
  for (const alias of aliasesOf(release.irs)) {
    const before = release.undo[alias.key] ?? {};
    const table: Record<string, Split> = {};
    for (const [unit, split] of Object.entries(before)) table[unit] = { stable: split.stable };
    for (const unit of alias.part.units) {
      const version = versions[qualify(alias.provider, unit)];
      if (version !== undefined) table[unit] = splitAt(before[unit], version.id, percent);
    }
    result[alias.key] = table;
  }
  for (const [key, table] of Object.entries(release.undo)) {
    if (result[key] === undefined) result[key] = withoutCandidates(table);
  }
  return result;
}

function splitAt(before: Split | undefined, version: string, percent: number): Split {
  if (before === undefined || before.stable === version || percent === 100) return { stable: version };
  return { stable: before.stable, candidate: { version, percent } };
}

export function withoutCandidates(table: Table): Table {
  return Object.fromEntries(Object.entries(table).map(([unit, split]) => [unit, { stable: split.stable }]));
}

/** Tables once new units have their aliases and nothing else has moved. */
export function tablesOfNewUnits(release: Release, versions: VersionsByUnit): Tables {
  const result: Record<Qualified, Table> = {};
  for (const [key, table] of Object.entries(tablesAt(release, versions, 100))) {
    const before = release.undo[key] ?? {};
    result[key] = Object.fromEntries(
      Object.entries(table).map(([unit, split]) => [unit, before[unit] ?? split]),
    );
  }
  return result;
}

/** What every alias held before the release, without what only the release gave it. */
export function tablesBefore(release: Release): Tables {
  const result: Record<Qualified, Table> = {};
  for (const key of [...Object.keys(release.undo), ...aliasesOf(release.irs).map((alias) => alias.key)]) {
    result[key] = withoutCandidates(release.undo[key] ?? {});
  }
  return result;
}

/** Only the rows that the live release's IR names: what contract leaves. */
export function tablesAfterContract(release: Release, tables: Tables): Tables {
  const result: Record<Qualified, Table> = {};
  const wanted = new Map(aliasesOf(release.irs).map((alias) => [alias.key, new Set(alias.part.units)]));
  for (const [key, table] of Object.entries(tables)) {
    const units = wanted.get(key);
    result[key] = Object.fromEntries(Object.entries(table).filter(([unit]) => units?.has(unit) ?? false));
  }
  return result;
}

export { sameTable } from '../provider/traffic.js';

export function withoutEmpty(tables: Tables): Tables {
  return Object.fromEntries(Object.entries(tables).filter(([, table]) => Object.keys(table).length > 0));
}

/** Every table that sfx meant an alias to have in this release: before it, and each journaled move. */
export function tablesMeant(release: Release, entries: readonly Entry[], alias: Qualified): readonly Table[] {
  const meant: Table[] = [release.undo[alias] ?? {}];
  for (const entry of entries) {
    if (entry.kind !== 'moves') continue;
    const move = entry.moves[alias];
    if (move !== undefined) meant.push(move.from, move.to);
  }
  // A write of several parts may have ended after its first: the candidates gone, the rest as before.
  return [...meant, ...meant.map(withoutCandidates)];
}
