import {
  type HttpProps,
  isObject,
  type Json,
  type JsonObject,
  type ServiceEvent,
  type ServiceFunction,
  type Trigger,
} from '@sfx-deploy/plugin';
import { ALIAS, type Found } from './found.js';
import type { Report } from './report.js';

export function httpTrigger({ fn, event }: Found, props: JsonObject, report: Report): Trigger {
  const { method, path, cors } = props as unknown as HttpProps;
  const source = `${method.toUpperCase()} ${path}`;
  const authorizer = authorizerOf(fn, event, report);
  for (const key of ['private', 'async', 'request', 'response', 'connectionId', 'connectionType']) {
    const value = props[key];
    if (value === undefined || value === null || value === false) continue;
    report.lacking(
      'SFX3005',
      `\`${key}\` of ${source}: routes here have no such thing`,
      `${event.pointer}/${key}`,
    );
  }
  const { integration } = props;
  if (integration !== undefined && !/^(lambda[-_]proxy|aws[-_]proxy)$/i.test(String(integration))) {
    const message = `\`integration\` of ${source}: the local engine hands over the request as it is (lambda-proxy)`;
    report.lacking('SFX3005', message, `${event.pointer}/integration`);
  }
  return {
    id: `http:${source}`,
    kind: 'http',
    source,
    props: {
      method: method.toUpperCase(),
      path,
      cors: cors === null || cors === undefined ? null : { ...cors },
      ...(authorizer === undefined ? {} : { authorizer }),
    },
    alias: ALIAS,
    function: fn.name,
    delivers: 'asked',
    dependsOn: [],
  };
}

/** One that is a function of this service. Left out of a route, everyone on this machine may call it: that is said. */
function authorizerOf(
  fn: ServiceFunction,
  { props, pointer }: ServiceEvent,
  report: Report,
): Json | undefined {
  const { authorizer } = props;
  if (authorizer === undefined || authorizer === null) return undefined;
  if (isObject(authorizer) && Array.isArray(authorizer['identity'])) return authorizer as Json;
  const message = `the authorizer of a route of ${fn.name} is no function of this service: the local engine cannot ask it`;
  report.lacking('SFX3005', message, `${pointer}/authorizer`);
  return undefined;
}
