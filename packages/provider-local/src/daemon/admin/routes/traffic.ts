import type { AliasWrite, TriggerDocument } from '../../../wire.js';
import { refusal } from '../../refusal.js';
import {
  type AdminCall,
  type AdminRoute,
  jsonOf,
  known,
  MB,
  missing,
  route,
  STAGE,
  scopeOf,
} from './route.js';

/** Aliases and the triggers that point at them. */
export const trafficRoutes: readonly AdminRoute[] = [
  route(
    'GET',
    `${STAGE}/aliases/:alias`,
    async (call) => known(call)?.alias(call.path['alias']!) ?? missing('alias'),
  ),
  route('PUT', `${STAGE}/aliases/:alias`, putAlias, 8 * MB),
  route(
    'GET',
    `${STAGE}/triggers/:kind`,
    async (call) => known(call)?.trigger(call.path['kind']!, idOf(call)) ?? missing('trigger'),
  ),
  route('PUT', `${STAGE}/triggers/:kind`, putTrigger),
  route('DELETE', `${STAGE}/triggers/:kind`, removeTrigger),
];

function idOf(call: AdminCall): string {
  return call.query.get('id') ?? missing('trigger');
}

async function putAlias(call: AdminCall): Promise<unknown> {
  const write = jsonOf<AliasWrite>(call.body);
  const stage = await call.engine.stages.ensure(scopeOf(call));
  const written = await stage.serially(() => stage.setAlias(call.path['alias']!, write));
  if (written === 'conflict') throw refusal(409, 'SFX4105', 'the alias is not what was compared');
  return written;
}

async function putTrigger(call: AdminCall): Promise<void> {
  const trigger = jsonOf<TriggerDocument>(call.body);
  const stage = await call.engine.stages.ensure(scopeOf(call));
  await stage.serially(() => stage.setTrigger({ ...trigger, kind: call.path['kind']! }));
}

async function removeTrigger(call: AdminCall): Promise<void> {
  const stage = known(call);
  await stage?.serially(() => stage.removeTrigger(call.path['kind']!, idOf(call)));
}
