import {
  type Json,
  type ResourceHandler,
  type ScheduleProps,
  type Scope,
  sameJson,
} from '@sfx-deploy/plugin';
import type { Client } from '../client.js';
import { triggerHandler } from './handler.js';

/** A function that is called when it is due. */
export function scheduleTriggers(scope: Scope, client: Client): ResourceHandler {
  return triggerHandler(scope, client, {
    kind: 'schedule',
    outputsOf: ({ props }) => ({ schedule: (props as unknown as ScheduleProps).schedule }),
    change,
  });
}

/** Another input is another call; runs at once may meet a handler that was alone until now. */
function change(from: Json, to: Json): ReturnType<ResourceHandler['change']> {
  if (sameJson(from, to)) return 'none';
  const [before, after] = [from as unknown as ScheduleProps, to as unknown as ScheduleProps];
  const atOnce = before.overlap !== 'allow' && after.overlap === 'allow';
  return atOnce || !sameJson(before.input, after.input) ? 'breaks' : 'widens';
}
