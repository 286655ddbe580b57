import assert from 'node:assert/strict';
import { asSfxError, isSfxError } from '../../errors.js';
import { digestOf, type Json } from '../../json.js';
import type { Service } from '../../model/service.js';
import { unitDigest } from '../../plan/digests.js';
import type {
  Alias,
  AliasState,
  Artifact,
  Connection,
  Ir,
  Move,
  Provider,
  Resource,
  Scope,
  Split,
  Stamp,
  Table,
  Target,
  Trigger,
  Unit,
  Version,
} from '../../provider/contract.js';
import type { Run } from '../../run.js';
import { type FaultInjector, withFaults } from '../faults.js';

/** `b`: other code than `a`; `config`: the code of `a`, configured otherwise. Units, aliases and triggers are the same. */
export type Variant = 'a' | 'b' | 'config';

export interface ConformanceOptions {
  readonly name: string;
  readonly provider: Provider;
  connect(scope: Scope, run: Run): Promise<Connection>;
  /** One service. It has a unit at least, and a trigger and infra of every kind that is to be tested. */
  ir(variant: Variant): Ir;
  artifact(variant: Variant, unit: Unit): Promise<Artifact> | Artifact;
  /** Cases that must pass; the others may say that they do not apply. */
  readonly minimum: number;
  /**
   * A new `Run` for each connection; default a simulated one, all on one clock. A provider that
   * talks to real servers needs a real one.
   */
  run?(): Run;
  /** A service and stage of its own for the n-th case; default `conf<n>`, `dev`. */
  scope?(n: number): Scope;
  /** What `compile` is tried with. */
  readonly service?: Service;
  /** What a call's payload should be; default null. */
  payload?(name: string): Json;
  /** The version that an answer of `invoke` came from, where it tells; default its key `version`. */
  versionOf?(answer: Json): string | undefined;
  /** Puts somebody else's resource where this one would be. */
  plantForeign?(scope: Scope, resource: Resource): Promise<void> | void;
  /** Changes a resource behind sfx's back and answers which of the sent keys are otherwise now. */
  drift?(scope: Scope, resource: Resource): Promise<readonly string[]> | readonly string[];
  /** Whether a pulling trigger consumes. */
  consumes?(scope: Scope, trigger: Trigger): Promise<boolean> | boolean;
  /**
   * Lets `count` things come in at the source of a trigger that pulls: messages, due times, files. Each must be a call of
   * its own, so the triggers of the IR take one at a time.
   */
  offer?(scope: Scope, trigger: Trigger, count: number): Promise<void> | void;
  /** Ids of the versions that got what came in there, one for each thing. */
  deliveries?(scope: Scope, trigger: Trigger): Promise<readonly string[]> | readonly string[];
  /** How long it is looked whether something is delivered that should not be; default 300 ms. */
  readonly quietMs?: number;
  /** Lets the provider accept its next alias write and do nothing, where it compares nothing itself. */
  ignoreWrite?(scope: Scope): Promise<void> | void;
  /** Calls that a statistical case may make; default 400. */
  readonly calls?: number;
  /** Where counts are printed; default standard output. */
  print?(line: string): void;
}

export interface Case {
  readonly name: string;
  test(bench: Bench): Promise<void>;
}

/** One connection of a case, with faults that it may set. */
export interface Opened {
  readonly connection: Connection;
  readonly run: Run;
  readonly faults: FaultInjector;
  readonly scope: Scope;
}

/** What one case works with; all that it opens is emptied and closed after it. */
export interface Bench {
  readonly options: ConformanceOptions;
  readonly scope: Scope;
  open(scope?: Scope): Promise<Opened>;
  /** Stages and warms all units of a variant; answers their versions by unit. */
  stage(opened: Opened, variant: Variant, stamp?: Stamp): Promise<Versions>;
  stageOne(opened: Opened, variant: Variant, unit: Unit, stamp?: Stamp): Promise<Version>;
}

export type Versions = Readonly<Record<string, Version>>;

const skipped = Symbol('not applicable');
export interface NotApplicable {
  readonly [skipped]: string;
}

/** Thrown by a case that does not apply here. */
export function notApplicable(why: string): NotApplicable {
  return { [skipped]: why };
}

/** Why a case does not apply, when that is what was thrown. */
export function whyNot(thrown: unknown): string | undefined {
  return typeof thrown === 'object' && thrown !== null
    ? (thrown as Partial<NotApplicable>)[skipped]
    : undefined;
}

export const STAMP: Stamp = { release: 1, fence: 1 };

export function first<T>(list: readonly T[], what: string): T {
  const [found] = list;
  assert.ok(found !== undefined, `the IR of the suite needs ${what}`);
  return found;
}

export function tableOf(
  alias: Alias,
  stable: Versions,
  candidate?: { readonly versions: Versions; readonly percent: number },
): Table {
  return Object.fromEntries(
    alias.units.map((unit): [string, Split] => {
      const split = { stable: stable[unit]!.id };
      if (candidate === undefined) return [unit, split];
      return [
        unit,
        { ...split, candidate: { version: candidate.versions[unit]!.id, percent: candidate.percent } },
      ];
    }),
  );
}

/** Sets and expects it done; answers what was set. */
export async function setDone(
  opened: Opened,
  alias: Alias,
  move: Omit<Move, 'stamp'> & { readonly stamp?: Stamp },
): Promise<AliasState> {
  const answer = await opened.connection.traffic.set(alias, { stamp: STAMP, ...move });
  if (answer === 'conflict') assert.fail('set answered conflict');
  assert.deepEqual(answer.table, move.to, 'set answers the table that is there now');
  return answer;
}

/** Looks until nothing is under way on an alias, at most a hundred times. */
export async function settled(opened: Opened, alias: Alias): Promise<AliasState> {
  for (let looks = 0; looks < 100; looks++) {
    const state = await opened.connection.traffic.read(alias);
    if (!state.busy) return state;
    await opened.run.sleep(50);
  }
  return assert.fail(`${alias.id} stays busy`);
}

/** All aliases of an IR at these versions. */
export async function goLive(opened: Opened, ir: Ir, versions: Versions): Promise<void> {
  for (const alias of ir.aliases) await setDone(opened, alias, { from: {}, to: tableOf(alias, versions) });
}

export function targetOf(resource: Resource, changes: Partial<Target> = {}): Target {
  const trigger = 'source' in resource ? (resource as Trigger) : undefined;
  return {
    resource,
    ...(trigger === undefined ? {} : { to: { alias: trigger.alias, function: trigger.function } }),
    props: resource.props,
    digest: digestOf({ kind: resource.kind, props: resource.props }),
    enabled: true,
    stamp: STAMP,
    ...changes,
  };
}

export async function rejectsWith(code: string, act: Promise<unknown>, why: string): Promise<void> {
  const thrown = await act.then(
    () => assert.fail(`${why}: it should be refused with ${code}`),
    (error: unknown) => error,
  );
  if (!isSfxError(thrown)) throw thrown;
  assert.equal(asSfxError(thrown).code, code, `${why}: ${thrown.message}`);
}

/**
 * Runs `act` with a fault at its first write, then at its second, until it makes no more; `check` sees each.
 * `check` gets the error that came out, or undefined when the act took no harm.
 */
export async function atEveryWrite(
  opened: Opened,
  fault: { readonly do: 'fail' } | { readonly do: 'lose' },
  attempt: (n: number) => Promise<{ act(): Promise<unknown>; check(error: unknown): Promise<void> }>,
): Promise<number> {
  for (let n = 1; n < 50; n++) {
    const { act, check } = await attempt(n);
    const before = opened.faults.calls.length;
    opened.faults.add({ ...fault, at: n, writes: true });
    const error = await act().then(
      () => undefined,
      (thrown: unknown) => thrown ?? new Error('rejected with nothing'),
    );
    opened.faults.clear();
    const struck = opened.faults.calls.slice(before).some((call) => call.fault !== undefined);
    if (!struck) {
      if (error !== undefined) throw error;
      return n - 1;
    }
    await check(error);
  }
  return assert.fail('more than 50 writes for one act');
}

export function openBench(
  options: ConformanceOptions & { run(): Run },
  n: number,
): { bench: Bench; close(): Promise<void> } {
  const scope = options.scope?.(n) ?? { service: `conf${n}`, stage: 'dev' };
  const all: Opened[] = [];
  const bench: Bench = {
    options,
    scope,
    async open(other = scope) {
      const run = withFaults(options.run(), []);
      const opened = { connection: await options.connect(other, run), run, faults: run.faults, scope: other };
      all.push(opened);
      return opened;
    },
    async stageOne(opened, variant, unit, stamp = STAMP) {
      const artifact = await options.artifact(variant, unit);
      return opened.connection.versions.stage(unit, unitDigest(unit, artifact.digest), artifact, stamp);
    },
    async stage(opened, variant, stamp) {
      const versions: Record<string, Version> = {};
      for (const unit of options.ir(variant).units) {
        const version = await bench.stageOne(opened, variant, unit, stamp);
        await opened.connection.versions.warm(version);
        versions[unit.id] = version;
      }
      return versions;
    },
  };
  return { bench, close: () => closeAll(options, all) };
}

async function closeAll(options: ConformanceOptions, all: readonly Opened[]): Promise<void> {
  const emptied = new Set<string>();
  for (const opened of all) {
    const key = JSON.stringify(opened.scope);
    opened.faults.clear();
    if (!emptied.has(key)) await empty(options, opened);
    emptied.add(key);
  }
  for (const opened of all) await opened.connection[Symbol.asyncDispose]();
}

/** Takes all away that the suite's IR can have left in a stage; what is foreign stays. */
async function empty(options: ConformanceOptions, opened: Opened): Promise<void> {
  const { connection } = opened;
  const ir = options.ir('a');
  for (const resource of [...ir.triggers, ...ir.infra]) {
    const handler = connection.resources[resource.kind];
    const now = await handler?.read(targetOf(resource));
    if (now?.owner === 'ours') await handler?.remove(targetOf(resource), now);
  }
  for (const alias of ir.aliases) {
    const { table, stamp } = await settled(opened, alias);
    if (Object.keys(table).length === 0) continue;
    await connection.traffic.set(alias, {
      from: table,
      to: {},
      stamp: { release: 1, fence: (stamp?.fence ?? 0) + 1 },
    });
  }
  for (const unit of ir.units) {
    for (const version of await connection.versions.list(unit.id)) await connection.versions.remove(version);
  }
  await connection.forget?.();
}
