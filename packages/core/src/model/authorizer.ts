import { isObject, type Json } from '../json.js';
import type { Authorizer } from './service.js';

/** An authorizer as the route has it: in its normal form where a function of the service decides, else as written. */
interface Asked {
  readonly value?: Json;
  /** The function that decides. */
  readonly function?: string;
  readonly fault?: { readonly below: string; readonly message: string };
}

/** Decisions last so long when the file says nothing, as on AWS: seconds. */
const TTL_SECONDS = { http: 300, httpApi: 0 };
const LONGEST_TTL_SECONDS = 3600;

/**
 * `authorizer: check`, or its long form. What another service decides (an ARN, a user pool, `aws_iam`, a JWT issuer) stays
 * as it is written. `shared` are the authorizers of the provider's `httpApi`, which routes of that kind may name.
 */
export function normalizeAuthorizer(kind: string, written: unknown, shared: unknown): Asked {
  if (written === undefined || written === null) return {};
  const own: Readonly<Record<string, unknown>> = isObject(written) ? written : { name: written };
  const named = kind === 'httpApi' && isObject(shared) ? shared[String(own['name'])] : undefined;
  const all = isObject(named) ? { ...named, ...own, name: named['functionName'] ?? named['name'] } : own;
  const type = typeof all['type'] === 'string' ? all['type'].toLowerCase() : undefined;
  const { name } = all;
  const decides =
    typeof name === 'string' &&
    /^[A-Za-z0-9_-]+$/.test(name) &&
    name.toLowerCase() !== 'aws_iam' &&
    all['arn'] === undefined &&
    all['functionArn'] === undefined &&
    all['id'] === undefined &&
    (type === undefined || type === 'token' || type === 'request');
  if (!decides) return { value: written as Json };
  const form = (type ?? (kind === 'http' ? 'token' : 'request')) === 'token' ? 'token' : 'simple';
  const sources = sourcesOf(all['identitySource'], kind);
  const identity = sources.map(identityOf);
  const wrong = sources[identity.indexOf(undefined)];
  if (wrong !== undefined) {
    const message = `identitySource ${wrong} is none of $request.header.NAME and $request.querystring.NAME`;
    return { function: name, fault: { below: '/identitySource', message } };
  }
  if (form === 'token' && identity.length !== 1) {
    const message = 'an authorizer of type token has one identitySource: a header';
    return { function: name, fault: { below: '/identitySource', message } };
  }
  const seconds = Number(
    all['resultTtlInSeconds'] ?? (kind === 'http' ? TTL_SECONDS.http : TTL_SECONDS.httpApi),
  );
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > LONGEST_TTL_SECONDS) {
    const message = `resultTtlInSeconds is from 0 to ${LONGEST_TTL_SECONDS}`;
    return { function: name, fault: { below: '/resultTtlInSeconds', message } };
  }
  const value: Authorizer = { function: name, identity: identity as string[], ttlMs: seconds * 1000, form };
  return { function: name, value: { ...value } as Json };
}

/** A list, or a text with commas; default: the header that browsers and tools send. An HTTP API needs none. */
function sourcesOf(written: unknown, kind: string): readonly string[] {
  if (Array.isArray(written)) return written.map(String);
  if (typeof written === 'string') return written.split(',').map((source) => source.trim());
  return kind === 'http' ? ['$request.header.authorization'] : [];
}

/** `method.request.header.X` of a REST API is `$request.header.x`. */
function identityOf(source: string): string | undefined {
  const [, where, name] =
    /^(?:method\.request|\$request)\.(header|querystring)\.([A-Za-z0-9!#$&'*+.^_`|~-]+)$/.exec(source) ?? [];
  if (where === undefined || name === undefined) return undefined;
  return `$request.${where}.${where === 'header' ? name.toLowerCase() : name}`;
}
