import { fail } from '../errors.js';
import type { Preview } from '../provider/contract.js';
import type { Exec, Executed } from '../run.js';
import { environmentFor } from '../test-environment.js';
import type { Context } from './context.js';
import type { VersionsByUnit } from './fleet.js';
import { livePast } from './observe.js';
import { openWork } from './open.js';
import { openPreview } from './preview.js';
import { progressOf } from './progress.js';
import { kept } from './window.js';

export interface TestRequest extends Pick<Exec, 'command' | 'cwd' | 'timeoutMs' | 'output'> {
  /** The open release, at an address of its own, instead of what callers get. */
  readonly candidate?: boolean;
}

export interface Tested extends Executed {
  readonly release: number;
  readonly candidate: boolean;
  readonly ms: number;
}

/** `sfx test`: runs a command that is told where the stage answers. Errors: SFX4119, SFX4113, SFX3005, SFX1011. */
export async function testStage(ctx: Context, request: TestRequest): Promise<Tested> {
  const { candidate = false, ...program } = request;
  const { release, versions, preview } = await (candidate ? candidateOf(ctx) : liveOf(ctx));
  await using at = preview;
  const env = environmentFor(ctx.run.env, {
    scope: ctx.scope,
    dir: program.cwd,
    release,
    versions,
    candidate,
    urls: at.urls,
  });
  const began = ctx.run.now();
  const ended = await ctx.run.exec({ ...program, env });
  return { ...ended, release, candidate, ms: ctx.run.now() - began };
}

interface Subject {
  readonly release: number;
  readonly versions: VersionsByUnit;
  readonly preview: Preview;
}

async function liveOf(ctx: Context): Promise<Subject> {
  const { head } = await ctx.state.readHead();
  const past = livePast(head);
  const live = past && (await kept(ctx.state, past));
  if (live === undefined) throw fail('SFX4119', 'nothing is live on this stage');
  const urls: Record<string, string> = {};
  for (const provider of ctx.fleet.providers) {
    Object.assign(
      urls,
      await ctx.fleet.read(provider, 'urls', ctx.scope.stage, async (one) => (await one.urls?.()) ?? {}),
    );
  }
  const preview = { urls, [Symbol.asyncDispose]: async () => undefined };
  return { release: live.past.number, versions: live.versions, preview };
}

async function candidateOf(ctx: Context): Promise<Subject> {
  const { head } = await ctx.state.readHead();
  const work = head && (await openWork(ctx, head));
  if (work === undefined) throw fail('SFX4113', 'no release is open, so there is no candidate');
  const versions = progressOf(work.entries).staged;
  if (versions === undefined) throw fail('SFX4113', `release ${work.release.number} is not staged yet`);
  const preview = await openPreview(ctx, work.release.irs, versions);
  return { release: work.release.number, versions, preview };
}
