import { type Digest, digestOf } from '../json.js';
import type { Ir, Unit } from '../provider/contract.js';
import { unitsOf } from '../release/fleet.js';
import type { Qualified } from '../state/documents.js';

/** What a version of a unit is: its code and its configuration, refs as written. */
export function unitDigest(unit: Unit, artifact: Digest): Digest {
  return digestOf({ functions: unit.functions, build: unit.build, config: unit.config, artifact });
}

/** Unit digests of all IRs; `artifacts` by qualified unit. */
export function unitDigests(
  irs: Readonly<Record<string, Ir>>,
  artifacts: Readonly<Record<Qualified, Digest>>,
): Record<Qualified, Digest> {
  return Object.fromEntries(unitsOf(irs).map((of) => [of.key, unitDigest(of.part, artifacts[of.key]!)]));
}

/** The content of a release, whatever its number. */
export function releaseDigest(
  irs: Readonly<Record<string, Ir>>,
  units: Readonly<Record<Qualified, Digest>>,
): Digest {
  return digestOf({ irs, units });
}
