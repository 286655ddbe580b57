import { type HttpProps, type Json, type ResourceHandler, type Scope, sameJson } from '@sfx-deploy/plugin';
import type { Client } from '../client.js';
import { triggerHandler } from './handler.js';

/** HTTP routes of a service and stage: rows of the gateway's table. */
export function httpTriggers(scope: Scope, client: Client): ResourceHandler {
  return triggerHandler(scope, client, {
    kind: 'http',
    outputsOf({ props }, { url }): Readonly<Record<string, Json>> {
      const { path } = props as unknown as HttpProps;
      return url === null ? {} : { url: `${url}${path}` };
    },
    change,
  });
}

/**
 * Another path or method is another route. Taking an origin, header or method away from CORS breaks pages that use it, and
 * a new authorizer refuses callers that had none.
 */
function change(from: Json, to: Json): ReturnType<ResourceHandler['change']> {
  if (sameJson(from, to)) return 'none';
  const [before, after] = [from as unknown as HttpProps, to as unknown as HttpProps];
  if (before.method !== after.method || before.path !== after.path) return 'replaces';
  const asks = after.authorizer !== undefined && !sameJson(before.authorizer, after.authorizer);
  return !asks && allows(after.cors, before.cors) ? 'widens' : 'breaks';
}

function allows(cors: HttpProps['cors'], all: HttpProps['cors']): boolean {
  if (all === null) return true;
  if (cors === null || cors.credentials !== all.credentials) return false;
  const holds = (some: readonly string[], each: readonly string[]) =>
    some.includes('*') || each.every((one) => some.includes(one));
  return (
    holds(cors.origins, all.origins) && holds(cors.headers, all.headers) && holds(cors.methods, all.methods)
  );
}
