import { short } from '../../json.js';
import { type Context, remote } from './context.js';
import { physicalName, versionName } from './names.js';
import { stageRevision } from './revisions.js';
import { putVersion, type Staging, versionsOf } from './staged.js';
import type { StoredVersion } from './world.js';

/** Counted names, as `1`, `2`: code and configuration are updated first, then frozen. */
async function stagePublish(context: Context, staging: Staging): Promise<StoredVersion> {
  const { unit, digest, artifact } = staging;
  const name = physicalName(context.scope, 'unit', unit.id);
  for (;;) {
    const revision = await remote(context, 'versions.stage.update', unit.id, true, (document) => {
      document.serial += 1;
      document.drafts[name] = {
        digest,
        artifact: artifact.digest,
        config: unit.config,
        functions: unit.functions,
        revision: document.serial,
      };
      return document.serial;
    });
    const published = await remote(context, 'versions.stage.publish', unit.id, true, (document, now) => {
      if (document.drafts[name]?.revision !== revision) return 'moved';
      const last = versionsOf(document, context, unit.id).at(-1);
      if (last?.digest === digest) return last;
      const number = (document.counters[name] ?? 0) + 1;
      document.counters[name] = number;
      return putVersion(document, context, staging, {
        id: String(number),
        readyAt: now + context.timing.readyMs,
      });
    });
    // Somebody updated the same function in between; publishing would have frozen their code.
    if (published !== 'moved') return published;
  }
}

/** Named by digest and made of several parts; there when all of them are. */
async function stageParts(
  context: Context,
  staging: Staging,
  parts: readonly string[],
): Promise<StoredVersion> {
  const id = short(staging.digest, 12);
  const key = versionName(context.scope, staging.unit.id, id);
  let version: StoredVersion | undefined;
  for (const [index, part] of parts.entries()) {
    version = await remote(context, `versions.stage.${part}`, staging.unit.id, true, (document) => {
      const there =
        document.versions[key] ?? putVersion(document, context, staging, { id, need: parts.length });
      there.have = Math.max(there.have, index + 1);
      return there;
    });
  }
  return version!;
}

/** Makes a version that is not there yet, in as many calls as the shape needs. */
export async function stageNew(context: Context, staging: Staging): Promise<StoredVersion> {
  switch (context.shape) {
    case 'lambda':
      return stagePublish(context, staging);
    case 'slots':
    case 'flex':
      return stageParts(context, staging, ['blob', 'settings']);
    case 'whisk':
      return stageParts(context, staging, ['package', ...staging.unit.functions.map(() => 'action')]);
    case 'cloudRun':
      return stageRevision(context, staging);
    case 'openfaas':
    case 'local':
      return stageParts(context, staging, ['create']);
  }
}
