export type Core = typeof import('@sfx-deploy/core');

/** The engine room, loaded when a command first needs it: `--help` and a mistyped option load nothing. */
export function loadCore(): Promise<Core> {
  return import('@sfx-deploy/core');
}
