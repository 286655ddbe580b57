import { randomUUID } from 'node:crypto';
import type { InvokeWrite } from '../../../wire.js';
import type { Caller } from '../../calls/caller.js';
import { FAILED } from '../../calls/failures.js';
import { refusal } from '../../refusal.js';
import {
  type AdminCall,
  type AdminRoute,
  accepted,
  jsonOf,
  known,
  MB,
  missing,
  route,
  STAGE,
} from './route.js';

/** Calls of one function by whoever holds the token. */
export const invokeRoutes: readonly AdminRoute[] = [route('POST', `${STAGE}/invoke`, invoke, 10 * MB)];

async function invoke(call: AdminCall): Promise<unknown> {
  const wanted = jsonOf<InvokeWrite>(call.body);
  const stage = known(call) ?? missing('stage');
  if (wanted.later === true) {
    const activation = await stage.later(wanted.function, JSON.stringify(wanted.payload ?? null), wanted);
    return accepted({ activation });
  }
  const id = randomUUID();
  const called = await stage.caller.call({
    cause: 'invoke',
    function: wanted.function,
    ...(wanted.version === undefined ? { alias: wanted.alias ?? '' } : { version: wanted.version }),
    input: { kind: 'invoke', requestId: id, payload: JSON.stringify(wanted.payload ?? null) },
    depth: 0,
  });
  const { outcome, serving } = answered(called, wanted);
  if (outcome.kind === 'failed')
    throw refusal(502, FAILED[outcome.why], `${serving.version.unit}: ${outcome.message}`);
  return {
    version: serving.version.id,
    activation: id,
    result: outcome.kind === 'json' ? (JSON.parse(outcome.text) as unknown) : null,
  };
}

function answered(called: Awaited<ReturnType<Caller['call']>>, wanted: InvokeWrite) {
  if (called === 'gone') throw refusal(404, 'SFX3105', `a version of ${wanted.function} is gone`);
  if (called === 'nothing live') throw refusal(404, 'SFX6105', `nothing is live for ${wanted.function}`);
  return called;
}
