/**
 * Names on the engine. A stage owns its own units, so every physical name and every folder holds service and stage.
 */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const DIGEST = /^(?:sha256:)?([0-9a-f]{64})$/;

/** Longest service, stage or function name: three of them and a digest stay below the 255 bytes of a file name. */
export const NAME_LIMIT = 64;

export function isName(text: string): boolean {
  return text.length <= NAME_LIMIT && NAME.test(text);
}

/** `shop-prod-checkout`: names an instance's thread, so that it can be told apart in a debugger. */
export function physicalName(
  scope: { readonly service: string; readonly stage: string },
  unit: string,
): string {
  return `${scope.service}-${scope.stage}-${unit}`;
}

/** The 64 hexadecimal digits of a digest; undefined when it is none. */
export function hexOf(digest: string): string | undefined {
  return DIGEST.exec(digest)?.[1];
}

/** The digits of a digest, or the first twelve of them as in a version's name; undefined when it is neither. */
export function keyOf(text: string): string | undefined {
  return /^(?:[0-9a-f]{64}|[0-9a-f]{12})$/.exec(text)?.[0];
}

/** The engine's own name of a version: `checkout@0123456789ab`. */
export function versionId(unit: string, hex: string): string {
  return `${unit}@${hex.slice(0, 12)}`;
}

/** What callers see in `x-sfx-version`: `checkout@0123456`. */
export function shownVersion(unit: string, hex: string): string {
  return `${unit}@${hex.slice(0, 7)}`;
}
