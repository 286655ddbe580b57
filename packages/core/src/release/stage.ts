import { fail, isSfxError, messageOf } from '../errors.js';
import type { Unit, Version } from '../provider/contract.js';
import type { Qualified } from '../state/documents.js';
import { counted } from '../text.js';
import { runChecks } from './checks.js';
import { append, type Context, type Held, step } from './context.js';
import { type Of, unitsOf, type VersionsByUnit } from './fleet.js';
import { each } from './limits.js';
import { fill, type Outputs } from './refs.js';
import { type OutputsByProvider, stampOf } from './resources.js';

/** Units under way at once; the provider's write rate bounds the writes themselves. */
const WIDTH = 8;

/** Of what a version wrote that did not come up. */
const LAST_LINES = 10;

/** Units of a release whose content the base does not have, and those that keep the base's version. */
export function changedUnits(held: Pick<Held, 'release' | 'base'>): Of<Unit>[] {
  return unitsOf(held.release.irs).filter((of) => held.release.units[of.key] !== held.base?.units[of.key]);
}

/**
 * Step 5 and 7: publishes what changed, in parallel, and journals the versions. `kept` are the base's.
 * No traffic moves. A version that was marked for removal is unmarked first.
 */
export async function stageAll(
  ctx: Context,
  held: Held,
  kept: VersionsByUnit,
  outputs: OutputsByProvider,
): Promise<VersionsByUnit> {
  const changed = changedUnits(held);
  await unmark(held, new Set(changed.map((of) => held.release.units[of.key] ?? '')));
  const versions: Record<Qualified, Version> = {};
  for (const of of unitsOf(held.release.irs)) {
    const version = kept[of.key];
    if (version !== undefined && version.digest === held.release.units[of.key]) versions[of.key] = version;
  }
  const missing = unitsOf(held.release.irs).filter((of) => versions[of.key] === undefined);
  if (missing.length > 0) {
    await step(
      ctx.run,
      'stage',
      async ({ progress }) => {
        let done = 0;
        await each(missing, WIDTH, async (of) => {
          versions[of.key] = await stageOne(ctx, held, of, outputs[of.provider] ?? {});
          progress(++done, missing.length);
        });
        return missing.map((of) => `${of.part.id} ${versionLabel(versions[of.key]!)}`).join(', ');
      },
      missing.length,
    );
  }
  return versions;
}

/** A version as people see it: without its unit's name, a digest by its first seven characters. */
export function versionLabel(version: Pick<Version, 'unit' | 'id'>): string {
  const id = version.id.startsWith(`${version.unit}@`)
    ? version.id.slice(version.unit.length + 1)
    : version.id;
  return /^[0-9a-f]{8,}$/.test(id) ? id.slice(0, 7) : id;
}

async function stageOne(ctx: Context, held: Held, of: Of<Unit>, outputs: Outputs): Promise<Version> {
  const digest = held.release.units[of.key]!;
  const artifact = await ctx.artifact?.(of.key, held.release.artifacts[of.key] ?? '');
  if (artifact === undefined)
    throw fail('SFX4203', `the built code of ${of.part.id} is not at hand`, {
      unit: of.part.id,
      step: 'stage',
    });
  const unit: Unit = { ...of.part, config: fill(of.part.config, outputs, ctx.secrets) };
  return ctx.fleet.write(of.provider, 'versions.stage', of.part.id, held.holding.guard, (connection) =>
    connection.versions.stage(unit, digest, artifact, stampOf(held)),
  );
}

/** GC is two-phase: what a release needs again is unmarked before it is used. */
export async function unmark(held: Held, digests: ReadonlySet<string>): Promise<void> {
  const { retiring } = held.holding.head();
  const left = retiring.filter((mark) => !digests.has(mark.version.digest));
  if (left.length < retiring.length) await held.holding.change((head) => ({ ...head, retiring: left }));
}

/** Step 6: every version that the release needs and that differs from stable can take traffic now, and passes its checks. */
export async function warmAndCheck(ctx: Context, held: Held, versions: VersionsByUnit): Promise<void> {
  const fresh = unitsOf(held.release.irs).filter((of) => !isStable(held, of, versions));
  if (fresh.length === 0) return;
  await step(
    ctx.run,
    'check',
    async ({ progress }) => {
      let done = 0;
      await each(fresh, WIDTH, async (of) => {
        await warm(ctx, held, of.provider, versions[of.key]!);
        progress(++done, fresh.length);
      });
      const checks = await runChecks(ctx, held, versions, fresh);
      const candidates = `${fresh.length} of ${counted(fresh.length, 'candidate answers', 'candidates answer')}`;
      return checks === 0 ? candidates : `${candidates}, ${counted(checks, 'check passes', 'checks pass')}`;
    },
    fresh.length,
  );
}

function isStable(held: Held, of: Of<Unit>, versions: VersionsByUnit): boolean {
  const id = versions[of.key]?.id;
  return Object.entries(held.release.undo).some(
    ([alias, table]) => alias.startsWith(`${of.provider}/`) && table[of.part.id]?.stable === id,
  );
}

async function warm(ctx: Context, held: Held, provider: string, version: Version): Promise<void> {
  const since = new Date(ctx.run.now());
  try {
    await ctx.fleet.write(provider, 'versions.warm', version.unit, held.holding.guard, (connection) =>
      connection.versions.warm(version),
    );
  } catch (error) {
    if (!isSfxError(error)) throw error;
    const output = error.code === 'SFX3106' ? await lastLines(ctx, provider, version, since) : [];
    if (error.details.unit !== undefined && output.length === 0) throw error;
    const where = error.details.unit === undefined ? { unit: version.unit, step: 'check' } : {};
    throw fail(error.code, error.message, {
      ...error.details,
      ...where,
      ...(output.length === 0 ? {} : { output }),
    });
  }
}

/** What a version that did not come up wrote meanwhile: no release that `sfx logs` knows has it. */
async function lastLines(ctx: Context, provider: string, version: Version, since: Date): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const line of ctx.fleet.of(provider).logs?.(version, since, false) ?? [])
      if (line.stream !== 'engine') lines.push(line.text);
  } catch (error) {
    // Why it did not come up is what counts; that its logs cannot be read either is said beside it.
    lines.push(`its logs cannot be read: ${messageOf(error)}`);
  }
  return lines.slice(-LAST_LINES);
}

export async function journalStaged(held: Held, versions: VersionsByUnit): Promise<void> {
  await append(held, { kind: 'staged', versions });
}
