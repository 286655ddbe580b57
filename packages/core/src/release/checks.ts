import { asSfxError, fail, isSfxError, type SfxError } from '../errors.js';
import { isObject, type Json, sameJson } from '../json.js';
import type { Unit, Version } from '../provider/contract.js';
import { environmentFor } from '../test-environment.js';
import type { Context, Held } from './context.js';
import { type Of, qualify, unitsOf, type VersionsByUnit } from './fleet.js';
import { openPreview } from './preview.js';
import type { CallCheck, CommandCheck } from './rollout.js';

/** Every check of a release that has something to say of what is new. Answers how many passed; the first that fails is thrown. */
export async function runChecks(
  ctx: Context,
  held: Held,
  versions: VersionsByUnit,
  fresh: readonly Of<Unit>[],
): Promise<number> {
  const checks = held.release.checks;
  let passed = 0;
  for (const check of checks) {
    if ('command' in check) await runCommand(ctx, held, check, versions);
    else {
      const of = fresh.find((unit) => unit.part.functions.includes(check.function));
      if (of === undefined || !ctx.fleet.can(of.provider).candidateAddress) continue;
      await runCall(ctx, of.provider, check, versions[of.key]!);
    }
    passed += 1;
  }
  return passed;
}

/**
 * Refuses before anything moves what would later fail for want of a folder (SFX5007): the checks of candidates while they
 * are not made (`from` undefined), and those that the rollout names from that step on.
 */
export function needFolder(
  { dir, scope }: Pick<Context, 'dir' | 'scope'>,
  { checks, rollout }: Pick<Held['release'], 'checks' | 'rollout'>,
  from: number | undefined,
): void {
  if (dir !== undefined) return;
  const named = new Set(rollout.steps.slice(from ?? 0).flatMap((one) => ('check' in one ? [one.check] : [])));
  const needed = checks.find((one) => 'command' in one && (from === undefined || named.has(one.name)));
  if (needed !== undefined) throw noFolder(needed.name, scope);
}

function noFolder(check: string, { service }: Context['scope']): SfxError {
  return fail('SFX5007', `check ${check} runs a command in the folder of ${service}`, { step: 'check' });
}

/** Runs one named check of a rollout step. */
export async function runNamedCheck(
  ctx: Context,
  held: Held,
  name: string,
  versions: VersionsByUnit,
): Promise<void> {
  const check = held.release.checks.find((one) => one.name === name);
  if (check !== undefined && 'command' in check) return runCommand(ctx, held, check, versions);
  const of = check && unitsOf(held.release.irs).find((unit) => unit.part.functions.includes(check.function));
  if (check === undefined || of === undefined)
    throw fail('SFX5002', `check ${name} is not described under checks:`);
  await runCall(ctx, of.provider, check, versions[qualify(of.provider, of.part.id)]!);
}

/**
 * A command of the project, against the versions of this release alone. What it wrote is shown and not recorded.
 * Errors: SFX5002 (it failed), SFX5007 (no folder to run it in), SFX3005, SFX1011, SFX4120.
 */
async function runCommand(
  ctx: Context,
  held: Held,
  check: CommandCheck,
  versions: VersionsByUnit,
): Promise<void> {
  const { dir, run, scope } = ctx;
  if (dir === undefined) throw noFolder(check.name, scope);
  const { irs, number } = held.release;
  await using preview = await openPreview(ctx, irs, versions);
  const env = environmentFor(run.env, {
    scope,
    dir,
    release: number,
    versions,
    candidate: true,
    urls: preview.urls,
  });
  const { command, timeoutMs } = check;
  const ended = await run.call({ op: 'check.command', on: check.name, writes: false }, () =>
    run.exec({ command, cwd: dir, env, timeoutMs, output: () => undefined }),
  );
  if (ended.as === 'exit' && ended.exit === 0) return;
  if (ended.as === 'interrupted') throw fail('SFX4120', 'interrupted');
  const why =
    ended.as === 'time'
      ? `it took longer than ${timeoutMs} ms`
      : ended.as === 'signal'
        ? 'it was killed'
        : `it ended with exit code ${ended.exit}`;
  throw fail('SFX5002', `check ${check.name} failed: ${why}`, { step: 'check', output: ended.tail });
}

async function runCall(ctx: Context, provider: string, check: CallCheck, version: Version): Promise<void> {
  const failed = (why: string, cause?: unknown) =>
    fail('SFX5002', `check ${check.name} of ${check.function} failed: ${why}`, {
      unit: version.unit,
      step: 'check',
      cause,
    });
  let answer: Json;
  try {
    answer = await ctx.fleet.read(provider, 'invoke', check.function, (connection) =>
      connection.invoke({ version, function: check.function }, check.payload),
    );
  } catch (error) {
    if (isSfxError(error) && error.code === 'SFX4120') throw error;
    // Some providers cut a call short when the run is interrupted: that says nothing about the candidate.
    if (ctx.run.signal.aborted) throw fail('SFX4120', 'interrupted', { cause: error });
    throw failed(asSfxError(error).message, error);
  }
  const status = isObject(answer) ? (answer['status'] ?? answer['statusCode']) : undefined;
  if (check.expect.status !== undefined && status !== check.expect.status) {
    throw failed(`it answered status ${String(status)}, expected ${check.expect.status}`);
  }
  if (check.expect.match !== undefined && !matches(answer, check.expect.match)) {
    throw failed('its answer does not hold what `match` asks for');
  }
}

/** Every key that `wanted` names is there with an equal value; other keys do not matter. */
function matches(value: Json, wanted: Json): boolean {
  if (!isObject(wanted)) return sameJson(value, wanted);
  if (!isObject(value)) return false;
  return Object.entries(wanted).every(([key, inner]) =>
    matches((value as Record<string, Json>)[key] ?? null, inner as Json),
  );
}
