import { join } from 'node:path';
import { openQueue } from '../queues/queue.js';
import type { StageOptions } from '../stage/stage.js';
import { type Activations, createActivations } from './activations.js';
import { type Caller, type CallerOptions, createCaller } from './caller.js';
import { createLater, type Later } from './later.js';

/** How functions of a stage are called, and what is kept of it. */
export interface StageCalls {
  readonly activations: Activations;
  readonly caller: Caller;
  readonly later: Later;
}

/** Bytes of a call that is made later: its payload as JSON in JSON. */
const LATER_BYTES = 2 * 1024 * 1024;

export function openCalls(
  { scope, dir, now, ended }: StageOptions,
  stage: Pick<CallerOptions, 'choose' | 'byId'> & { aliasFor(fn: string): string | undefined },
): StageCalls {
  const log = (text: string) => void process.stderr.write(`${scope.service}/${scope.stage}: ${text}\n`);
  const activations = createActivations({ dir: join(dir, 'activations'), now, lost: log });
  const caller = createCaller({ choose: stage.choose, byId: stage.byId, activations, now, ended });
  const later = createLater({
    dir: join(dir, 'later'),
    now,
    caller,
    activations,
    aliasFor: stage.aliasFor,
    openQueue: (folder, name) => openQueue({ dir: folder, name, now, log, messageBytes: LATER_BYTES }),
    log,
  });
  return { activations, caller, later };
}
