import type { JsonObject, Run, Scope } from '@sfx-deploy/plugin';
import { createClient } from './client.js';
import { reachEngine } from './engine.js';
import { stagePath } from './versions.js';

/** A run that was asked for: `id` is also that of its activation. */
export interface ScheduleRun {
  readonly id: string;
  /** Id of the trigger. */
  readonly schedule: string;
}

/**
 * Runs a schedule now, whatever the time, and also when the file does not enable it. `named` is its name, or the id of its
 * trigger. Resolves once the run is kept; it happens then. Errors: SFX6011, SFX6015, and those of reaching the engine.
 */
export async function runSchedule(
  scope: Scope,
  named: string,
  run: Run,
  options: JsonObject = {},
): Promise<ScheduleRun> {
  const reach = () => reachEngine(run, options);
  const client = createClient(await reach(), reach, run);
  try {
    return await client.ask<ScheduleRun>({
      op: 'schedules.run',
      on: named,
      method: 'POST',
      path: `${stagePath(scope)}/schedules/run?id=${encodeURIComponent(named)}`,
      repeatable: false,
    });
  } finally {
    client.close();
  }
}
