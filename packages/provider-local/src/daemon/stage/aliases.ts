import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Table } from '@sfx-deploy/plugin';
import { isName } from '../../names.js';
import type { AliasDocument, AliasWrite } from '../../wire.js';
import { readDocument, writeDocument } from '../disk.js';
import { pick } from '../http/router.js';
import { refusal } from '../refusal.js';
import type { Chosen, VersionStore } from './versions.js';

/** The aliases of one service and stage, in `aliases.json`. */
export interface Aliases {
  get(id: string): AliasDocument | undefined;
  all(): readonly AliasDocument[];
  /** Conflict: the token is not the current one, or a later fence was seen. Throws SFX3105 when a named version is gone. */
  set(id: string, write: AliasWrite): Promise<AliasDocument | 'conflict'>;
  /** Aliases that name a version. */
  naming(version: string): readonly string[];
  /** The alias that has a row for a unit. */
  having(unit: string): string | undefined;
  /** One draw by the table as it is now. */
  choose(alias: string, unit: string, candidate: boolean): Chosen | 'nothing live' | 'no candidate';
}

export async function openAliases(dir: string, versions: VersionStore): Promise<Aliases> {
  const path = join(dir, 'aliases.json');
  const aliases = new Map(Object.entries((await readDocument<Record<string, AliasDocument>>(path)) ?? {}));
  return {
    get: (id) => aliases.get(id),
    all: () => [...aliases.values()],
    async set(id, write) {
      const next = nextOf(aliases.get(id), write, versions);
      if (next === 'conflict') return next;
      await writeDocument(path, Object.fromEntries([...aliases, [id, next]]));
      aliases.set(id, next);
      return next;
    },
    naming: (version) =>
      [...aliases].filter(([, alias]) => names(alias.table).has(version)).map(([id]) => id),
    having: (unit) => [...aliases].find(([, alias]) => Object.hasOwn(alias.table, unit))?.[0],
    choose: (alias, unit, candidate) => chooseVersion(aliases.get(alias), versions, unit, candidate),
  };
}

function names(table: Table): Set<string> {
  return new Set(
    Object.values(table).flatMap((split) =>
      split.candidate ? [split.stable, split.candidate.version] : [split.stable],
    ),
  );
}

function chooseVersion(
  document: AliasDocument | undefined,
  versions: VersionStore,
  unit: string,
  candidate: boolean,
): Chosen | 'nothing live' | 'no candidate' {
  const split = document?.table[unit];
  if (split === undefined) return 'nothing live';
  if (candidate && split.candidate === undefined) return 'no candidate';
  const id = candidate ? split.candidate!.version : pick(split, Math.random());
  const serving = versions.byId(id);
  if (serving === undefined) return 'nothing live';
  const stamped = document?.stamp?.release ?? 0;
  return { serving, release: id === split.stable ? (document?.live ?? stamped) : stamped };
}

function nextOf(
  now: AliasDocument | undefined,
  write: AliasWrite,
  versions: VersionStore,
): AliasDocument | 'conflict' {
  if (now?.stamp !== undefined && now.stamp.fence > write.stamp.fence) return 'conflict';
  if (write.token !== (now?.token ?? null)) return 'conflict';
  checkTable(versions, write.to);
  const live = stableMoved(now?.table ?? {}, write.to) ? write.stamp.release : now?.live;
  return {
    table: write.to,
    stamp: write.stamp,
    token: tokenAfter(now),
    ...(live === undefined ? {} : { live }),
  };
}

/** A unit that is new changes nothing for callers of the others; the first table of all does. */
function stableMoved(before: Table, after: Table): boolean {
  const known = Object.keys(after).filter((unit) => before[unit] !== undefined);
  return known.length === 0 || known.some((unit) => before[unit]!.stable !== after[unit]!.stable);
}

/** Never the same twice, also when an alias document was restored from somewhere. */
function tokenAfter(now: AliasDocument | undefined): string {
  const count = Number(now?.token.split('-')[0] ?? 0);
  return `${count + 1}-${randomInt(2 ** 40).toString(36)}`;
}

function checkTable(versions: VersionStore, table: Table): void {
  for (const [unit, split] of Object.entries(table)) {
    if (!isName(unit)) throw refusal(400, 'SFX6007', `not a name: ${JSON.stringify(unit)}`);
    const percent = split.candidate?.percent ?? 0;
    if (!Number.isInteger(percent) || percent < 0 || percent > 100) {
      throw refusal(400, 'SFX6010', `not a percent: ${String(percent)}`);
    }
  }
  for (const id of names(table)) {
    if (versions.byId(id) === undefined) throw refusal(404, 'SFX3105', `version ${id} is gone`);
  }
}
