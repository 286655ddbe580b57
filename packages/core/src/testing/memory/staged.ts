import type { Digest } from '../../json.js';
import type { Artifact, Stamp, Unit, Version } from '../../provider/contract.js';
import { type Context, isComplete } from './context.js';
import { versionName } from './names.js';
import type { StoredVersion, WorldDocument } from './world.js';

/** What is staged: one call's worth of arguments. */
export interface Staging {
  readonly unit: Unit;
  readonly digest: Digest;
  readonly artifact: Artifact;
  readonly stamp: Stamp;
}

export function publicVersion(version: StoredVersion): Version {
  return { unit: version.unit, id: version.id, digest: version.digest, release: version.release };
}

/** Complete versions of a unit, the oldest first. */
export function versionsOf(
  document: WorldDocument,
  context: Pick<Context, 'scope'>,
  unit: string,
): StoredVersion[] {
  const { service, stage } = context.scope;
  return Object.values(document.versions)
    .filter((v) => v.unit === unit && v.scope.service === service && v.scope.stage === stage && isComplete(v))
    .sort((a, b) => a.serial - b.serial);
}

export function putVersion(
  document: WorldDocument,
  context: Context,
  staging: Staging,
  made: { readonly id: string; readonly need?: number; readonly readyAt?: number },
): StoredVersion {
  document.serial += 1;
  const version: StoredVersion = {
    scope: context.scope,
    unit: staging.unit.id,
    id: made.id,
    digest: staging.digest,
    artifact: staging.artifact.digest,
    config: staging.unit.config,
    functions: staging.unit.functions,
    release: staging.stamp.release,
    serial: document.serial,
    have: 1,
    need: made.need ?? 1,
    readyAt: made.readyAt ?? 0,
    scaled: false,
  };
  document.versions[versionName(context.scope, staging.unit.id, made.id)] = version;
  return version;
}
