import { delimiter, join } from 'node:path';
import type { Scope } from './provider/contract.js';
import type { VersionsByUnit } from './release/fleet.js';
import type { Run } from './run.js';

/** What a test is told of what it tests. */
export interface Tested {
  readonly scope: Scope;
  readonly dir: string;
  readonly release: number;
  readonly versions: VersionsByUnit;
  readonly candidate: boolean;
  /** By trigger kind. */
  readonly urls: Readonly<Record<string, string>>;
}

/**
 * The caller's own environment, with the programs of the project first in PATH, and `SFX_URL`, `SFX_SERVICE`, `SFX_STAGE`,
 * `SFX_RELEASE`, `SFX_CANDIDATE`, `SFX_HEADERS` (JSON: headers that reach what is tested) and
 * `SFX_FUNCTION_<NAME>_VERSION`.
 */
export function environmentFor(
  env: Run['env'],
  { scope, dir, release, versions, candidate, urls }: Tested,
): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) own[name] = value;
  const programs = join(dir, 'node_modules', '.bin');
  const url = urls['http'];
  return {
    ...own,
    PATH: own['PATH'] === undefined ? programs : `${programs}${delimiter}${own['PATH']}`,
    ...(url === undefined ? {} : { SFX_URL: url }),
    SFX_SERVICE: scope.service,
    SFX_STAGE: scope.stage,
    SFX_RELEASE: String(release),
    SFX_CANDIDATE: candidate ? '1' : '',
    SFX_HEADERS: JSON.stringify(candidate ? { 'x-sfx-candidate': '1' } : {}),
    ...Object.fromEntries(
      Object.values(versions).map((version) => [
        `SFX_FUNCTION_${version.unit.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_VERSION`,
        version.id,
      ]),
    ),
  };
}
