import type { JsonObject, Run, Scope } from '@sfx-deploy/plugin';
import { createClient } from './client.js';
import { reachEngine } from './engine.js';
import { stagePath } from './versions.js';

export interface Redriven {
  /** Sent back to where they came from. */
  readonly sent: number;
  /** Stay: they are no dead letters, or where they came from is gone. */
  readonly left: number;
}

/**
 * Sends the dead letters of a queue back to where they came from. `queue` is the name of the queue that holds them:
 * `orders-dead`. Errors: SFX6004, SFX6007, SFX6011, SFX6013, and those of reaching the engine.
 */
export async function redrive(
  scope: Scope,
  queue: string,
  run: Run,
  options: JsonObject = {},
): Promise<Redriven> {
  const reach = () => reachEngine(run, options);
  const client = createClient(await reach(), reach, run);
  try {
    return await client.ask<Redriven>({
      op: 'queues.redrive',
      on: queue,
      method: 'POST',
      path: `${stagePath(scope)}/queues/${encodeURIComponent(queue)}/redrive`,
      repeatable: false,
    });
  } finally {
    client.close();
  }
}
