import type { Json } from '../../json.js';
import type { Metrics, Scope, Table, Trigger } from '../../provider/contract.js';
import { settle } from './context.js';
import { physicalName, versionName } from './names.js';
import { type Asked, answerOf, callAlias, sharesOf, triggersOf } from './serving.js';
import type { ShapeName } from './shapes.js';
import type { Behaviour, FailedCall, World, WorldDocument } from './world.js';

export type Served =
  | { readonly version: string; readonly digest: string; readonly release: number; readonly trigger: string }
  | { readonly failed: string; readonly trigger: string; readonly version?: string; readonly planned?: true };

/** A trigger as its callers see it now. */
export interface Caller {
  readonly kind: string;
  readonly source: string;
  readonly delivers: 'asked' | 'pulls';
  readonly function: string;
  readonly alias: string;
  /** Calls arrive: any that is asked, and one that pulls while it is enabled. */
  readonly active: boolean;
  /** Versions that calls go to, with their share; shares of 0 are left out. */
  readonly to: readonly {
    readonly unit: string;
    readonly version: string;
    readonly digest?: string;
    readonly percent: number;
    readonly problem?: string;
  }[];
  /** Why calls would fail, if they would. */
  readonly problem?: string;
}

/** What callers, other people and tests can do to one stage, past any provider code and any run. */
export interface StageHands {
  /**
   * One call of a function through one of its triggers that is asked: undefined when it has none. Failures are recorded,
   * planned ones (a redeploy that takes the service down) too.
   */
  serve(name: string, random: () => number, now?: number): Served | undefined;
  /** Every trigger of the stage. */
  callers(now?: number): readonly Caller[];
  /** Lets `count` things come in at the source of a trigger that pulls. They wait while it is not there or disabled. */
  offer(trigger: Pick<Trigger, 'kind' | 'source'>, count: number, random?: () => number): void;
  /** The versions that they went to so far, in order. */
  deliveries(trigger: Pick<Trigger, 'kind' | 'source'>, random?: () => number): readonly string[];
  /** Failed calls so far, of every stage. */
  failures(): readonly FailedCall[];
  /** Moves an alias as a person with a console would: no stamp of ours, another token. An empty table removes it. */
  moveAlias(alias: string, table: Table): void;
  /** Takes a version away, whatever names it. */
  removeVersion(unit: string, id: string): void;
  /** Changes a resource behind the provider's back; `id` as in the IR, a trigger's as `<kind> <source>`. */
  changeObject(id: string, patch: Readonly<Record<string, Json>>): void;
  /** Puts somebody else's resource where ours would be. */
  plantForeign(kind: string, id: string): void;
  /** By digest of a version or of its artifact. */
  behave(digest: string, behaviour: Behaviour): void;
  setMetrics(digest: string, metrics: Metrics): void;
  /** The next `count` alias writes are accepted and do nothing; only where there is no native compare-and-swap. */
  ignoreWrites(count: number): void;
  /** Names of all that this stage owns. */
  owns(): readonly string[];
}

/** Hands on one stage of a world whose provider has this shape. `clock` dates what nobody dates; default 2100. */
export function stageHands(world: World, shape: ShapeName, scope: Scope, clock?: () => number): StageHands {
  const dated = (now?: number) => now ?? clock?.() ?? Date.UTC(2100, 0, 1);
  const looked = <T>(now: number | undefined, act: (asked: Asked) => T): T => {
    const document = structuredClone(world.read());
    settle(document, dated(now));
    return act({ document, shape, scope, now: dated(now) });
  };
  return {
    serve(name, random, now) {
      const served = looked(now, (asked) => serveOne(asked, name, random));
      if (served !== undefined && 'failed' in served) {
        world.change((document) => {
          document.failed.push({
            function: name,
            trigger: served.trigger,
            why: served.failed,
            ...(served.planned ? { planned: true as const } : {}),
          });
        });
      }
      return served;
    },
    callers: (now) => looked(now, callersOf),
    offer(trigger, count, random = Math.random) {
      world.change((document) => {
        const offers = offersOf(document, scope, trigger);
        offers.waiting += count;
        deliver({ document, shape, scope, now: dated() }, trigger, random);
      });
    },
    deliveries: (trigger, random = Math.random) =>
      world.change((document) => {
        deliver({ document, shape, scope, now: dated() }, trigger, random);
        return [...offersOf(document, scope, trigger).delivered];
      }),
    failures: () => world.read().failed,
    moveAlias: (alias, table) => world.change((document) => moveAlias(document, scope, alias, table)),
    removeVersion: (unit, id) =>
      world.change((document) => {
        delete document.versions[versionName(scope, unit, id)];
      }),
    changeObject: (id, patch) =>
      world.change((document) => {
        const object =
          document.objects[physicalName(scope, 'resource', id)] ??
          document.objects[physicalName(scope, 'trigger', id)];
        if (object === undefined) throw new Error(`no resource ${id}`);
        Object.assign(object.actual, patch);
      }),
    plantForeign: (kind, id) =>
      world.change((document) => {
        const part = kind === 'thing' ? 'resource' : 'trigger';
        document.objects[physicalName(scope, part, id)] = {
          scope: null,
          kind,
          id,
          digest: null,
          enabled: true,
          sent: {},
          actual: {},
        };
      }),
    behave: (digest, behaviour) =>
      world.change((document) => {
        document.behaviours[digest] = behaviour;
      }),
    setMetrics: (digest, metrics) =>
      world.change((document) => {
        document.metrics[digest] = metrics;
      }),
    ignoreWrites: (count) =>
      world.change((document) => {
        document.ignoring = count;
      }),
    owns: () => ownedBy(world.read(), scope),
  };
}

function serveOne(asked: Asked, name: string, random: () => number): Served | undefined {
  const routes = triggersOf(asked.document, asked.scope).filter(
    ([, object]) => object.delivers === 'asked' && object.to?.function === name,
  );
  const route = routes[Math.floor(random() * routes.length)]?.[1];
  if (route?.to === undefined) return undefined;
  const trigger = `${route.kind} ${route.source}`;
  const answer = callAlias(asked, route.to.alias, name, random());
  if ('failed' in answer) {
    return {
      failed: answer.failed,
      trigger,
      ...(answer.version === undefined ? {} : { version: answer.version.id }),
      ...(answer.planned ? { planned: true as const } : {}),
    };
  }
  const { id, digest, release } = answer.version;
  return { version: id, digest, release, trigger };
}

type Source = Pick<Trigger, 'kind' | 'source'>;

function nameOf(scope: Scope, { kind, source }: Source): string {
  return physicalName(scope, 'trigger', `${kind} ${source}`);
}

function offersOf(document: WorldDocument, scope: Scope, trigger: Source) {
  document.offers[nameOf(scope, trigger)] ??= { waiting: 0, delivered: [] };
  return document.offers[nameOf(scope, trigger)]!;
}

/** What waits goes to the versions that the alias has now, one by one; while nobody answers, it waits on. */
function deliver(asked: Asked, trigger: Source, random: () => number): void {
  const object = asked.document.objects[nameOf(asked.scope, trigger)];
  const offers = offersOf(asked.document, asked.scope, trigger);
  if (object?.to === undefined || !object.enabled) return;
  for (; offers.waiting > 0; offers.waiting--) {
    const answer = callAlias(asked, object.to.alias, object.to.function, random(), true);
    if ('failed' in answer) return;
    offers.delivered.push(answer.version.id);
  }
}

function callersOf(asked: Asked): Caller[] {
  return triggersOf(asked.document, asked.scope).map(([, object]) => {
    const pulls = object.delivers === 'pulls';
    const target = object.to ?? { alias: '', function: '' };
    const shares = sharesOf(asked, target.alias, target.function, pulls ? 'all' : 'http').filter(
      (s) => s.percent > 0,
    );
    const to = shares.map(({ unit, id, percent }) => {
      const answer = answerOf(asked, unit, id, target.function);
      return {
        unit,
        version: id,
        percent,
        ...(answer.version === undefined ? {} : { digest: answer.version.digest }),
        ...('failed' in answer ? { problem: answer.failed } : {}),
      };
    });
    const problem =
      to.length === 0
        ? `${target.alias} has no version of ${target.function}`
        : to.find((one) => one.problem)?.problem;
    return {
      kind: object.kind,
      source: object.source ?? object.id,
      delivers: object.delivers ?? 'asked',
      function: target.function,
      alias: target.alias,
      active: !pulls || object.enabled,
      to,
      ...(problem === undefined ? {} : { problem }),
    };
  });
}

function moveAlias(document: WorldDocument, scope: Scope, id: string, table: Table): void {
  const key = physicalName(scope, 'alias', id);
  document.serial += 1;
  if (Object.keys(table).length === 0) {
    delete document.aliases[key];
    return;
  }
  document.aliases[key] = { scope, id, table, token: `t${document.serial}` };
  for (const [unit, split] of Object.entries(table)) {
    const seats = document.seats[physicalName(scope, 'seats', unit)];
    if (seats === undefined) continue;
    const before = seats.production;
    seats.production = split.stable;
    const slot = split.candidate?.version ?? (before === split.stable ? seats.slot : before);
    if (slot === undefined) delete seats.slot;
    else seats.slot = slot;
    seats.slotReadyAt = 0;
  }
}

function ownedBy(document: WorldDocument, scope: Scope): string[] {
  const mine = (owner: Scope | null) => owner?.service === scope.service && owner.stage === scope.stage;
  return [document.versions, document.aliases, document.objects]
    .flatMap((part) => Object.entries<{ readonly scope: Scope | null }>(part))
    .filter(([, owned]) => mine(owned.scope))
    .map(([name]) => name)
    .sort();
}
