import { asSfxError, errorRow } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import type { Head, Release } from '../state/documents.js';
import { counted } from '../text.js';
import type { Context } from './context.js';
import type { Driven } from './drive.js';
import { aliasesOf, unitsOf } from './fleet.js';
import type { AliasReport, CommandName, Ending, Next, Outcome, Serving } from './outcome.js';
import { secretsIn } from './refs.js';
import { pullsOf, waitingTriggers } from './triggers.js';
import { hurtBy } from './watch.js';

interface Ended {
  readonly ctx: Context;
  readonly command: CommandName;
  readonly began: number;
  readonly plan?: Plan;
  /** A canary that was asked for on the command line and stays open is done, not waiting. */
  readonly canaryAsked?: boolean;
}

/** The result document of a command that drove a release. */
export async function outcomeOf(ended: Ended, driven: Driven): Promise<Outcome> {
  const { ctx } = ended;
  const { release } = driven.held;
  const ending = endingOf(driven);
  const error = driven.error === undefined ? undefined : asSfxError(driven.error);
  const hurt = ending === 'rolled back' ? await hurtBy(ctx, driven.held).catch(() => undefined) : undefined;
  const mixed = ending === 'partial' || ending === 'interrupted';
  const serving = servingAfter(driven, ending);
  const open = ending === 'canary' || ending === 'paused' || ending === 'inconclusive';
  return {
    ...frame(ended),
    ending,
    exit: exitOf(ending, driven, ended.canaryAsked ?? false),
    release: {
      number: release.number,
      digest: release.digest,
      status: statusOf(ending),
      ...(release.of === undefined ? {} : { of: release.of }),
    },
    serving,
    sentence: sentenceOf(ending, driven, ctx.scope.stage),
    ...(mixed && driven.tables ? { aliases: reports(driven.tables) } : {}),
    ...(error === undefined
      ? {}
      : {
          error: {
            code: error.code,
            message: error.message,
            hint: error.details.hint ?? errorRow(error.code)?.hint,
            ...(error.details.output === undefined ? {} : { output: error.details.output }),
          },
        }),
    waits: open ? waitingTriggers(driven.held) : [],
    leaves: leavesOf(driven),
    next: nextOf(ending, ended, driven),
    urls: await urlsOf(ctx),
    ...(ending === 'live' ? pullsOf(release) : {}),
    ...(hurt === undefined ? {} : { hurt }),
    warnings: [...(ended.plan?.warnings ?? []), ...(driven.pending === undefined ? [] : [driven.pending])],
  };
}

export function frame(
  ended: Ended,
): Pick<Outcome, 'version' | 'command' | 'service' | 'stage' | 'writes' | 'ms'> {
  const { ctx } = ended;
  return {
    version: 1,
    command: ended.command,
    service: ctx.scope.service,
    stage: ctx.scope.stage,
    writes: ctx.fleet.writes(),
    ms: ctx.run.now() - ended.began,
  };
}

function endingOf(driven: Driven): Ending {
  switch (driven.as) {
    case 'live':
      return 'live';
    case 'paused':
      return driven.held.release.rollout.analysis === undefined && driven.reasons === undefined
        ? 'canary'
        : 'paused';
    case 'stable fails':
      return 'paused';
    case 'inconclusive':
      return 'inconclusive';
    case 'back':
      return 'rolled back';
    case 'failed':
      return 'failed';
    case 'partial':
      return 'partial';
    case 'interrupted':
    case 'lost':
      return 'interrupted';
  }
}

function exitOf(ending: Ending, driven: Driven, canaryAsked: boolean): Outcome['exit'] {
  if (driven.as === 'paused' && driven.reasons === undefined) return canaryAsked ? 0 : 5;
  switch (ending) {
    case 'live':
    case 'canary':
      return 0;
    case 'paused':
    case 'inconclusive':
      return 5;
    case 'rolled back':
      return 3;
    case 'failed':
      return 1;
    default:
      return 4;
  }
}

function statusOf(ending: Ending): 'open' | 'live' | 'rolled back' | 'failed' | 'partial' {
  switch (ending) {
    case 'live':
      return 'live';
    case 'rolled back':
      return 'rolled back';
    case 'failed':
      return 'failed';
    case 'partial':
      return 'partial';
    default:
      return 'open';
  }
}

function servingAfter(driven: Driven, ending: Ending): Serving[] {
  const { release } = driven.held;
  const before = release.base;
  if (ending === 'live') return [{ release: release.number, percent: 100 }];
  if (ending === 'rolled back' || ending === 'failed')
    return before === null ? [] : [{ release: before, percent: 100 }];
  if (ending === 'partial' || ending === 'interrupted') return [];
  return [
    { release: release.number, percent: driven.percent },
    { release: before, percent: 100 - driven.percent },
  ];
}

function sentenceOf(ending: Ending, driven: Driven, stage: string): string {
  const { number, base, of } = driven.held.release;
  const stays = base === null ? `Nothing is live on ${stage}.` : `Release ${base} takes 100 % of ${stage}.`;
  switch (ending) {
    case 'live':
      return of === undefined
        ? `Release ${number} is live on ${stage}.`
        : `Release ${number} (= ${of}) is live on ${stage}.`;
    case 'canary':
    case 'paused':
    case 'inconclusive':
      return `Release ${number} takes ${driven.percent} % of ${stage}, ${base} takes ${100 - driven.percent} %.`;
    case 'rolled back':
      return `${stays} Release ${number} was rolled back.`;
    case 'failed':
      return `${stays} Release ${number} failed before any traffic moved.`;
    case 'partial':
      return `Release ${number} is partial: not every alias of ${stage} is on one release.`;
    default:
      return driven.as === 'lost'
        ? `Release ${number} was taken over by another command.`
        : `Release ${number} was interrupted; nothing new starts on ${stage} before that is settled.`;
  }
}

export function reports(tables: NonNullable<Driven['tables']>): AliasReport[] {
  return Object.entries(tables).map(([alias, table]) => ({ alias, table }));
}

function leavesOf(driven: Driven): string[] {
  const { irs } = driven.held.release;
  return Object.values(irs).flatMap((ir) => ir.infra.filter((one) => one.data).map((one) => one.id));
}

/** Writes that a flip of every alias of this release takes. */
function flipWrites({ ctx, plan }: Ended, driven: Driven): number {
  return (
    plan?.undo.writes ??
    aliasesOf(driven.held.release.irs).filter((of) => ctx.fleet.providers.includes(of.provider)).length
  );
}

function nextOf(ending: Ending, ended: Ended, driven: Driven): Next[] {
  const stage = `--stage ${ended.ctx.scope.stage}`;
  const { release } = driven.held;
  const writes = flipWrites(ended, driven);
  const undo: Next =
    release.base === null
      ? { label: 'undo', command: `sfx remove ${stage}`, note: 'it is the first release' }
      : { label: 'undo', command: `sfx rollback ${stage}`, writes };
  switch (ending) {
    case 'live':
      return [undo];
    case 'canary':
    case 'paused':
    case 'inconclusive': {
      const waits = waitingTriggers(driven.held);
      const fn = Object.values(release.irs)[0]?.units[0]?.functions[0] ?? 'FUNCTION';
      return [
        {
          label: 'promote',
          command: `sfx promote ${stage}`,
          writes,
          ...(waits.length > 0 ? { note: `then ${waits.join(', ')}` } : {}),
        },
        undo,
        { label: 'try it', command: `sfx invoke ${fn} ${stage} --candidate` },
      ];
    }
    case 'rolled back':
      return [
        { label: 'why', command: `sfx logs ${stage} --release ${release.number} --errors` },
        { label: 'forward', command: `sfx deploy ${stage}`, note: 'once the build has changed' },
      ];
    case 'failed':
      return [{ label: 'forward', command: `sfx deploy ${stage}` }];
    default:
      return [
        { label: 'forward', command: `sfx resume ${stage}`, writes },
        { label: 'back', command: `sfx rollback ${stage}`, writes },
      ];
  }
}

export async function urlsOf(ctx: Context): Promise<Record<string, string>> {
  const urls: Record<string, string> = {};
  for (const provider of ctx.fleet.providers) {
    Object.assign(
      urls,
      (await ctx.fleet
        .of(provider)
        .urls?.()
        .catch(() => undefined)) ?? {},
    );
  }
  return urls;
}

/** A value from outside counts as it is written, so a new one shows only when it is asked for. */
function refreshOffer(live: Release | undefined, stage: string): Next[] {
  const units = live === undefined ? [] : unitsOf(live.irs);
  const sources = new Set(units.flatMap((of) => secretsIn(of.part.config)));
  if (sources.size === 0) return [];
  const note = `${counted(sources.size, 'value')} from outside ${sources.size === 1 ? 'is' : 'are'} not compared`;
  return [{ label: 'refresh', command: `sfx deploy --stage ${stage} --refresh-secrets`, note }];
}

/** Nothing changed, nothing was written. */
export function unchanged(
  ended: Ended,
  head: Head,
  urls: Record<string, string>,
  release?: Release,
): Outcome {
  const live = head.past.find((one) => one.number === head.live)!;
  return {
    ...frame(ended),
    ending: 'unchanged',
    exit: 0,
    release: {
      number: live.number,
      digest: live.digest,
      status: 'live',
      ...(live.of === undefined ? {} : { of: live.of }),
    },
    serving: [{ release: live.number, percent: 100 }],
    sentence: `Nothing changed. Release ${live.number} stays live on ${ended.ctx.scope.stage}. ${ended.ctx.fleet.writes()} writes.`,
    waits: [],
    leaves: [],
    next: refreshOffer(release, ended.ctx.scope.stage),
    urls,
    warnings: [],
  };
}
