import { short } from '../../json.js';
import { type Context, namedBy, nextToken, poll, remote } from './context.js';
import { physicalName, versionName } from './names.js';
import { putVersion, type Staging, versionsOf } from './staged.js';
import type { StoredVersion } from './world.js';

/**
 * A revision is made by updating the very object that holds the traffic: its token changes, and it reconciles for a
 * while. An object that is not there yet is born with it, closed to callers until its alias is made.
 */
export async function stageRevision(context: Context, staging: Staging): Promise<StoredVersion> {
  const { scope, timing } = context;
  const id = `r${short(staging.digest, 10)}`;
  const aliasKey = physicalName(scope, 'alias', staging.unit.id);
  const made = await remote(context, 'versions.stage.update', staging.unit.id, true, (document, now) => {
    const there = document.versions[versionName(scope, staging.unit.id, id)];
    const alias = document.aliases[aliasKey];
    const token = nextToken(document);
    if (alias === undefined) {
      document.aliases[aliasKey] = { scope, id: staging.unit.id, table: {}, token };
    } else {
      alias.token = token;
      alias.pending = { kind: 'reconcile', id: document.serial, until: now + timing.busyMs, to: alias.table };
    }
    return there ?? putVersion(document, context, staging, { id, readyAt: now + timing.readyMs });
  });
  await untilReconciled(context, staging.unit.id);
  return made;
}

export function untilReconciled(context: Context, alias: string): Promise<true> {
  const key = physicalName(context.scope, 'alias', alias);
  return poll(context, () =>
    remote(context, 'versions.stage.look', alias, false, (document) =>
      document.aliases[key]?.pending === undefined ? true : undefined,
    ),
  );
}

/** The provider itself removes the oldest versions that have no traffic, once there are more than it keeps. */
export async function trimRevisions(context: Context, unit: string): Promise<void> {
  const { max } = context.can.retention;
  if (max === null) return;
  context.world.change((document) => {
    const all = versionsOf(document, context, unit);
    // The newest is the template of the object and stays.
    const free = all.slice(0, -1).filter((v) => namedBy(document, context.scope, unit, v.id).length === 0);
    for (const version of free.slice(0, Math.max(0, all.length - max))) {
      delete document.versions[versionName(context.scope, unit, version.id)];
    }
  });
}
