import { fail } from '../errors.js';
import type {
  Alias,
  Capabilities,
  Connection,
  Ir,
  Resource,
  Trigger,
  Unit,
  Version,
} from '../provider/contract.js';
import { repeatedly } from '../retry.js';
import type { Run } from '../run.js';
import type { Qualified } from '../state/documents.js';
import { type Limiter, limiter } from './limits.js';

/** A part of an IR with the provider that it is of. `key` is its name in state documents. */
export interface Of<T> {
  readonly key: Qualified;
  readonly provider: string;
  readonly part: T;
}

/** How long one write may take, and a lease that outlasts several of them, by the slowest provider of a release. */
export interface Patience {
  readonly writeMs: number;
  readonly leaseMs: number;
}

const PATIENCE: Readonly<Record<Capabilities['flip']['takes'], Patience>> = {
  subsecond: { writeMs: 3_000, leaseMs: 12_000 },
  seconds: { writeMs: 20_000, leaseMs: 60_000 },
  minutes: { writeMs: 120_000, leaseMs: 300_000 },
};

/** The connections of one release, and the one way to call them: limited, repeated where that is safe, counted. */
export interface Fleet {
  readonly providers: readonly string[];
  readonly patience: Patience;
  of(provider: string): Connection;
  can(provider: string): Capabilities;
  read<T>(provider: string, op: string, on: string, act: (connection: Connection) => Promise<T>): Promise<T>;
  /** Waits for the provider's write rate, then for `guard`, then calls. */
  write<T>(
    provider: string,
    op: string,
    on: string,
    guard: () => Promise<void>,
    act: (connection: Connection) => Promise<T>,
  ): Promise<T>;
  /** Writes to providers so far. */
  writes(): number;
}

export function fleet(connections: Readonly<Record<string, Connection>>, run: Run): Fleet {
  const providers = Object.keys(connections).sort();
  const limiters: Record<string, Limiter> = {};
  let written = 0;
  const of = (provider: string): Connection => {
    const found = connections[provider];
    if (found === undefined) {
      throw fail(
        'SFX3001',
        `this release also lives on ${provider}, which this command is not connected to`,
        {
          hint: `Run it with the file that names ${provider}.`,
        },
      );
    }
    return found;
  };
  for (const name of providers)
    limiters[name] = limiter(Math.max(1, of(name).capabilities.writesPerSecond), run);
  const patience = providers
    .map((name) => PATIENCE[of(name).capabilities.flip.takes])
    .reduce((a, b) => (a.leaseMs >= b.leaseMs ? a : b), PATIENCE.subsecond);
  return {
    providers,
    patience,
    of,
    can: (provider) => of(provider).capabilities,
    read: (provider, op, on, act) => repeatedly(run, op, on, () => act(of(provider))),
    write: (provider, op, on, guard, act) =>
      repeatedly(run, op, on, async () => {
        await limiters[provider]?.turn();
        await guard();
        written += 1;
        return act(of(provider));
      }),
    writes: () => written,
  };
}

export function qualify(provider: string, id: string): Qualified {
  return `${provider}/${id}`;
}

export function splitQualified(key: Qualified): { readonly provider: string; readonly id: string } {
  const cut = key.indexOf('/');
  return { provider: key.slice(0, cut), id: key.slice(cut + 1) };
}

type Irs = Readonly<Record<string, Ir>>;

function partsOf<T extends { readonly id: string }>(irs: Irs, pick: (ir: Ir) => readonly T[]): Of<T>[] {
  return Object.entries(irs)
    .flatMap(([provider, ir]) =>
      pick(ir).map((part) => ({ key: qualify(provider, part.id), provider, part })),
    )
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

export const unitsOf = (irs: Irs): Of<Unit>[] => partsOf(irs, (ir) => ir.units);
export const triggersOf = (irs: Irs): Of<Trigger>[] => partsOf(irs, (ir) => ir.triggers);
/** A trigger as people know it. */
export const titleOf = ({ part }: Of<Trigger>): string => part.title ?? part.source;
export const infraOf = (irs: Irs): Of<Resource>[] => partsOf(irs, (ir) => ir.infra);

/** Aliases of all given IRs; an alias that several name covers the units of all of them. */
export function aliasesOf(...all: readonly Irs[]): Of<Alias>[] {
  const found = new Map<Qualified, Of<Alias>>();
  for (const irs of all) {
    for (const alias of partsOf(irs, (ir) => ir.aliases)) {
      const before = found.get(alias.key)?.part.units ?? [];
      const units = [...new Set([...before, ...alias.part.units])].sort();
      found.set(alias.key, { ...alias, part: { id: alias.part.id, units } });
    }
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The version of a unit, by its qualified name. */
export type VersionsByUnit = Readonly<Record<Qualified, Version>>;
