import { fail } from '../../errors.js';
import type { Version, Versions } from '../../provider/contract.js';
import { type Context, findAlias, findVersion, namedBy, poll, remote } from './context.js';
import { physicalName, versionName } from './names.js';
import { trimRevisions } from './revisions.js';
import { seat } from './seats.js';
import { warmth } from './shapes.js';
import { publicVersion, versionsOf } from './staged.js';
import { stageNew } from './staging.js';
import type { WorldDocument } from './world.js';

function gone(version: Version) {
  return fail('SFX3105', `version ${version.id} of ${version.unit} is gone`, {
    unit: version.unit,
    resource: version.id,
  });
}

/** Scales to one and up; the number of versions that are up at once is limited. */
async function scale(context: Context, version: Version): Promise<void> {
  await remote(context, 'versions.warm.scale', version.unit, true, (document, now) => {
    const stored = findVersion(document, context.scope, version.unit, version.id);
    if (stored === undefined) throw gone(version);
    if (stored.scaled) return;
    const up = versionsOf(document, context, version.unit).filter((other) => other.scaled).length;
    if (context.can.seats !== null && up >= context.can.seats) {
      throw fail('SFX3106', `no room for one more version of ${version.unit}: ${up} are up`, {
        unit: version.unit,
      });
    }
    stored.scaled = true;
    stored.readyAt = now + context.timing.readyMs;
  });
}

/** Looks until the version is up; SFX3106 when it never will be. */
function untilReady(context: Context, version: Version): Promise<true> {
  return poll(context, () =>
    remote(context, 'versions.warm.look', version.unit, false, (document, now) => {
      const stored = findVersion(document, context.scope, version.unit, version.id);
      if (stored === undefined) throw gone(version);
      const behaviour = document.behaviours[stored.digest] ?? document.behaviours[stored.artifact];
      if (behaviour?.warm === 'fails') {
        throw fail('SFX3106', `version ${version.id} of ${version.unit} did not come up`, {
          unit: version.unit,
        });
      }
      return stored.readyAt <= now ? true : undefined;
    }),
  );
}

async function remove(context: Context, version: Version): Promise<void> {
  const { scope, shape } = context;
  const key = versionName(scope, version.unit, version.id);
  const refuse = (document: WorldDocument) => {
    const [alias] = namedBy(document, scope, version.unit, version.id);
    if (alias === undefined) return;
    throw fail('SFX3107', `version ${version.id} of ${version.unit} is named by alias ${alias}`, {
      unit: version.unit,
    });
  };
  // Where the provider itself refuses, check and removal are one call; elsewhere there is a moment between them.
  const refuses = shape === 'lambda' || shape === 'cloudRun' || shape === 'local';
  if (!refuses) await remote(context, 'versions.remove.check', version.unit, false, refuse);
  if (shape === 'whisk') {
    await remote(context, 'versions.remove.actions', version.unit, true, (document) => {
      const stored = document.versions[key];
      if (stored !== undefined) stored.have = 0;
    });
  }
  await remote(context, 'versions.remove', version.unit, true, (document) => {
    if (refuses) refuse(document);
    delete document.versions[key];
    if (shape === 'cloudRun') closeEmpty(document, context, version.unit);
  });
}

/** The object that holds revisions and traffic goes with the last of them. */
function closeEmpty(document: WorldDocument, context: Context, unit: string): void {
  const stored = findAlias(document, context.scope, { id: unit });
  if (stored === undefined || Object.keys(stored.table).length > 0) return;
  if (versionsOf(document, context, unit).length > 0) return;
  delete document.aliases[physicalName(context.scope, 'alias', unit)];
}

export function versions(context: Context): Versions {
  const list = (unit: string) =>
    remote(context, 'versions.list', unit, false, (document) =>
      versionsOf(document, context, unit).map(publicVersion),
    );
  const mode = warmth[context.shape];
  return {
    list,
    async stage(unit, digest, artifact, stamp) {
      const there = (await list(unit.id)).find((version) => version.digest === digest);
      if (there !== undefined) return there;
      const made = await stageNew(context, { unit, digest, artifact, stamp });
      if (context.can.retention.autoRemoves) await trimRevisions(context, unit.id);
      return publicVersion(made);
    },
    async warm(version) {
      if (mode === 'scale') await scale(context, version);
      if (mode === 'seat') await seat(context, version);
      await untilReady(context, version);
    },
    ...(mode === 'scale' ? { cool: (version: Version) => cool(context, version) } : {}),
    remove: (version) => remove(context, version),
  };
}

function cool(context: Context, version: Version): Promise<void> {
  return remote(context, 'versions.cool', version.unit, true, (document) => {
    if (namedBy(document, context.scope, version.unit, version.id).length > 0) {
      throw fail('SFX3107', `version ${version.id} of ${version.unit} takes traffic`, { unit: version.unit });
    }
    const stored = findVersion(document, context.scope, version.unit, version.id);
    if (stored !== undefined) stored.scaled = false;
  });
}
