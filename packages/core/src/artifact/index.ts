import type { Artifact } from '../provider/contract.js';
import type { Run } from '../run.js';
import type { BuildOptions, BuildRequest } from './request.js';

export { findArtifact } from './cache.js';
export type { BuildOptions, BuildRequest } from './request.js';

/**
 * Builds the code of units. Equal inputs give equal bytes on every machine; what is in the cache is not built again.
 * Warnings are emitted as events.
 *
 * @returns key → artifact
 * @throws SFX2301 no handler file, SFX2302 code does not bundle, SFX2303 unknown module, SFX2304 no such export, SFX2305
 *   cache not writable, SFX2306 file outside of the project, SFX2307 two files of one name, SFX2310 unknown build, SFX2311
 *   TypeScript without bundling, SFX2312 no bundler, SFX4120 interrupted. All problems of one kind of step come together, in
 *   `details.diagnostics`.
 */
export async function buildUnits(
  requests: readonly BuildRequest[],
  options: BuildOptions,
  run: Run,
): Promise<Record<string, Artifact>> {
  // Commands that build nothing do not pay for loading all this.
  const { build } = await import('./build.js');
  return build(requests, options, run);
}
