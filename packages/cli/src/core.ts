import type { Core } from './facade.js';

/** The engine room, loaded when a command first needs it: `--help` and a mistyped option load nothing. */
export async function loadCore(): Promise<Core> {
  return (await import('@sfx-deploy/core')) as unknown as Core;
}
