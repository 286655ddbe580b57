import { randomUUID } from 'node:crypto';
import type { ErrorCode, Scope } from '@sfx-deploy/plugin';
import type { Call, Caller } from '../calls/caller.js';
import type { Outcome } from '../instances/outcomes.js';
import { type Asking, arnOf, requestEvent, tokenEvent } from './authorizer-event.js';
import { allows } from './policy.js';
import type { Route } from './router.js';

/** The function that decides on calls of a route, as the trigger names it. */
export interface Authorizer {
  readonly function: string;
  /** Where the caller is known by: `$request.header.NAME`, `$request.querystring.NAME`. All must be there. */
  readonly identity: readonly string[];
  /** How long a decision lasts; 0: for the one call. */
  readonly ttlMs: number;
  readonly form: 'simple' | 'token';
}

export type Verdict =
  /** `authorizer`: JSON of what the function said of the caller, as handlers find it in `requestContext.authorizer`. */
  | { readonly kind: 'allowed'; readonly authorizer: string }
  | { readonly kind: 'refused'; readonly status: number; readonly code: ErrorCode; readonly message: string };

export interface AuthorizerHost {
  readonly scope: Scope;
  readonly caller: Pick<Caller, 'begin' | 'end'>;
  /** Another one for every state of an alias. */
  token(alias: string): string | undefined;
}

/** What a function decided, before it is applied to one call. */
type Decision =
  | { readonly kind: 'simple'; readonly allowed: boolean; readonly context: unknown }
  | {
      readonly kind: 'policy';
      readonly document: unknown;
      readonly principal: unknown;
      readonly context: unknown;
    }
  | Extract<Verdict, { kind: 'refused' }>;

interface Kept {
  readonly decision: Promise<Decision>;
  /** On a clock that does not jump. */
  readonly until: number;
}

/** Decisions that are kept at once. */
const MOST_KEPT = 1_000;

/**
 * Asks the authorizer functions of one stage. A decision is kept for its time, per route and identity, and until an alias
 * changes: what another version decided holds no longer. One that could not be had is not kept.
 */
export function createAuthorizers(host: AuthorizerHost): {
  check(authorizer: Authorizer, asking: Asking): Promise<Verdict>;
} {
  let kept = new Map<string, Kept>();
  let token: string | undefined;
  const decide = (authorizer: Authorizer, asking: Asking, identity: readonly string[]): Promise<Decision> => {
    const now = host.token(asking.route.alias);
    if (now !== token) {
      kept = new Map();
      token = now;
    }
    if (authorizer.ttlMs <= 0 || identity.length === 0) return ask(host, authorizer, asking, identity);
    const key = JSON.stringify([asking.route.key, authorizer.function, asking.candidate, identity]);
    const known = kept.get(key);
    if (known !== undefined && known.until > performance.now()) return known.decision;
    const decision = ask(host, authorizer, asking, identity);
    const into = kept;
    into.delete(key);
    into.set(key, { decision, until: performance.now() + authorizer.ttlMs });
    if (into.size > MOST_KEPT) into.delete(into.keys().next().value!);
    const forget = () => {
      if (into.get(key)?.decision === decision) into.delete(key);
    };
    return decision.then(
      (made) => {
        if (made.kind === 'refused') forget();
        return made;
      },
      (thrown: unknown) => {
        forget();
        throw thrown;
      },
    );
  };
  return {
    async check(authorizer, asking) {
      const identity = authorizer.identity.map((source) => valueAt(source, asking));
      if (identity.some((value) => value === undefined || value === ''))
        return refused(401, 'SFX6113', `the call needs ${authorizer.identity.map(plainly).join(' and ')}`);
      const decision = await decide(authorizer, asking, identity as string[]);
      return verdictOf(decision, authorizer, arnOf(host.scope, asking));
    },
  };
}

function verdictOf(decision: Decision, { function: name }: Authorizer, arn: string): Verdict {
  if (decision.kind === 'refused') return decision;
  const { context } = decision;
  const allowed = decision.kind === 'simple' ? decision.allowed : allows(decision.document, arn);
  if (allowed === undefined) return unclear(name, 'its policy cannot be read');
  if (!allowed) return refused(403, 'SFX6114', `${name} does not allow it`);
  const flat = decision.kind === 'policy' ? { principalId: decision.principal, ...(context as object) } : {};
  return { kind: 'allowed', authorizer: JSON.stringify({ ...flat, lambda: context ?? null }) };
}

async function ask(
  host: AuthorizerHost,
  authorizer: Authorizer,
  asking: Asking,
  identity: readonly string[],
): Promise<Decision> {
  const { function: name } = authorizer;
  const requestId = randomUUID();
  const event =
    authorizer.form === 'token'
      ? tokenEvent(host.scope, asking, identity[0] ?? '')
      : requestEvent(host.scope, asking, identity, requestId, Date.now());
  const { alias } = asking.route;
  const { depth, trace, candidate } = asking;
  const call = {
    cause: 'authorizer',
    function: name,
    alias,
    input: { kind: 'invoke', requestId, payload: JSON.stringify(event) },
    depth,
    ...(trace !== undefined && { trace }),
  } satisfies Call;
  let begun = host.caller.begin(candidate ? { ...call, candidate } : call);
  // A release that leaves the authorizer as it is has no candidate of it.
  if (begun === 'no candidate') begun = host.caller.begin(call);
  if (typeof begun === 'string') return unclear(name, 'nothing of it is live');
  const outcome = await begun.serving.pool.call(begun.input);
  host.caller.end(begun, outcome);
  return decisionOf(outcome, name);
}

function decisionOf(outcome: Outcome, name: string): Decision {
  if (outcome.kind === 'failed') {
    // How an authorizer for AWS says that it does not know the caller.
    if (outcome.why === 'threw' && outcome.message === 'Unauthorized')
      return refused(401, 'SFX6113', `${name} does not know the caller`);
    if (outcome.why === 'busy') return refused(503, 'SFX6110', `too many calls wait for ${name}`);
    return unclear(name, 'it failed');
  }
  if (outcome.kind !== 'json') return unclear(name, 'it answered with an HTTP answer');
  const result = JSON.parse(outcome.text) as unknown;
  return answered(result, name);
}

/** A fetch handler or a program answers over HTTP: its body decides, or its status refuses. */
function answered(result: unknown, name: string): Decision {
  const { status, body, isAuthorized, policyDocument } = (result ?? {}) as Record<string, unknown>;
  if (typeof status !== 'number' || isAuthorized !== undefined || policyDocument !== undefined)
    return decided(result, name);
  if (status === 401) return refused(401, 'SFX6113', `${name} does not know the caller`);
  if (status === 403) return { kind: 'simple', allowed: false, context: null };
  if (status < 200 || status > 299) return unclear(name, `it answered ${status}`);
  return decided(body, name);
}

function decided(result: unknown, name: string): Decision {
  const { isAuthorized, context, policyDocument, principalId } = (result ?? {}) as Record<string, unknown>;
  if (context !== undefined && context !== null && typeof context !== 'object')
    return unclear(name, 'its `context` is no object');
  if (typeof isAuthorized === 'boolean') return { kind: 'simple', allowed: isAuthorized, context };
  if (allows(policyDocument, '') !== undefined)
    return { kind: 'policy', document: policyDocument, principal: principalId, context };
  return unclear(name, 'it answered neither `isAuthorized` nor a policy that can be read');
}

function refused(status: number, code: ErrorCode, message: string): Extract<Verdict, { kind: 'refused' }> {
  return { kind: 'refused', status, code, message };
}

function unclear(name: string, why: string): Extract<Verdict, { kind: 'refused' }> {
  return refused(500, 'SFX6115', `${name} gave no verdict: ${why}`);
}

const SOURCE = /^\$request\.(header|querystring)\.(.+)$/;

/** Several headers of one name are joined, as handlers see them. */
function valueAt(source: string, { headers, query }: Asking): string | undefined {
  const [, where, name = ''] = SOURCE.exec(source) ?? [];
  if (where === undefined) return undefined;
  if (where === 'querystring') return new URLSearchParams(query).get(name) ?? undefined;
  const values: string[] = [];
  for (let n = 0; n < headers.length; n += 2)
    if (headers[n] === name.toLowerCase()) values.push(headers[n + 1]!);
  return values.length === 0 ? undefined : values.join(',');
}

function plainly(source: string): string {
  const [, where, name] = SOURCE.exec(source) ?? [];
  return where === 'header' ? `the header ${name}` : `\`${name}\` in the query`;
}

/** What a refusal says besides its text. */
export function challengeOf(route: Route, verdict: Verdict): readonly string[] {
  const known = route.authorizer?.identity.some((source) => /header\.authorization$/i.test(source)) === true;
  return known && verdict.kind === 'refused' && verdict.status === 401 ? ['www-authenticate', 'Bearer'] : [];
}
