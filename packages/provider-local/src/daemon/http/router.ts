import type { Split } from '@sfx-deploy/plugin';
import type { Authorizer } from './authorizer.js';

/** The CORS answer of a route, as the trigger says it. */
export interface Cors {
  readonly origins: readonly string[];
  readonly headers: readonly string[];
  readonly methods: readonly string[];
  readonly credentials: boolean;
  /** Seconds. */
  readonly maxAge?: number;
}

/** A route as a trigger says it. */
export interface RouteSource {
  readonly method: string;
  readonly path: string;
  readonly function: string;
  readonly alias: string;
  readonly cors: Cors | null;
  /** Asked before the function is called. */
  readonly authorizer?: Authorizer | null;
}

export interface Route extends RouteSource {
  /** `GET /products/{id}` */
  readonly key: string;
  readonly parts: readonly Part[];
}

/** One segment of a path: text, a parameter, or a parameter that takes the rest. */
interface Part {
  readonly kind: 'text' | 'param' | 'rest';
  /** The text, or the name. */
  readonly text: string;
}

export type Match =
  | { readonly kind: 'route'; readonly route: Route; readonly params: readonly string[] }
  /** The path is known, this method is not. */
  | { readonly kind: 'method'; readonly allow: readonly string[]; readonly cors: Cors | null }
  | { readonly kind: 'none' };

export interface Router {
  match(method: string, path: string): Match;
  /** The route that a preflight asks about. */
  preflight(method: string, path: string): Route | undefined;
}

interface Pattern {
  readonly parts: readonly Part[];
  readonly methods: Map<string, Route>;
}

const REST = /^\{(.+)\+\}$/;
const PARAM = /^\{(.+)\}$/;
/** What ANY says of itself where another method is refused. */
const ANY: readonly string[] = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
/** No `Request` of the web has these methods. */
const NOT_ANY: ReadonlySet<string> = new Set(['TRACE', 'TRACK', 'CONNECT']);
const NO_PARAMS: readonly string[] = [];

/**
 * Routes by specificity, segment by segment: text before a parameter, a parameter before a rest. A method of its own goes
 * before ANY, and HEAD is answered by GET. A path that has no such method may be answered by a less specific one.
 */
export function createRouter(sources: readonly RouteSource[]): Router {
  const fixed = new Map<string, Pattern>();
  const open: Pattern[] = [];
  const known = new Map<string, Pattern>();
  for (const source of sources) {
    const parts = partsOf(source.path);
    const key = parts.map(({ kind, text }) => (kind === 'text' ? `=${text}` : kind)).join('/');
    let pattern = known.get(key);
    if (pattern === undefined) {
      pattern = { parts, methods: new Map() };
      known.set(key, pattern);
      if (parts.some(({ kind }) => kind !== 'text')) open.push(pattern);
      else fixed.set(parts.map(({ text }) => text).join('/'), pattern);
    }
    const method = source.method.toUpperCase();
    pattern.methods.set(method, { ...source, key: `${source.method} ${source.path}`, parts });
  }
  open.sort((a, b) => compare(a.parts, b.parts));

  function* candidates(path: string): Generator<{ pattern: Pattern; segments: readonly string[] }> {
    const segments = segmentsOf(path);
    const exact = fixed.get(segments.join('/'));
    if (exact !== undefined) yield { pattern: exact, segments };
    for (const pattern of open) if (fits(pattern.parts, segments)) yield { pattern, segments };
  }

  return {
    match(method, path) {
      // The most frequent case needs no segments.
      const exact = fixed.get(path.slice(1));
      const direct = exact === undefined ? undefined : methodOf(exact, method);
      if (direct !== undefined) return { kind: 'route', route: direct, params: NO_PARAMS };
      const allow = new Set<string>();
      let cors: Cors | null = null;
      for (const { pattern, segments } of candidates(path)) {
        const route = methodOf(pattern, method);
        if (route !== undefined) return { kind: 'route', route, params: paramsOf(route, segments) };
        for (const [name, other] of pattern.methods) {
          for (const one of name === 'ANY' ? ANY : [name]) allow.add(one);
          cors ??= other.cors;
        }
        if (pattern.methods.has('GET')) allow.add('HEAD');
      }
      return allow.size === 0 ? { kind: 'none' } : { kind: 'method', allow: [...allow].sort(), cors };
    },
    preflight(method, path) {
      for (const { pattern } of candidates(path)) {
        const route = methodOf(pattern, method);
        if (route?.cors) return route;
      }
      return undefined;
    },
  };
}

function methodOf(pattern: Pattern, method: string): Route | undefined {
  const { methods } = pattern;
  const own = methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined);
  return own ?? (NOT_ANY.has(method) ? undefined : methods.get('ANY'));
}

/** `/a/b/` is `/a/b`. */
function segmentsOf(path: string): string[] {
  const parts = path.split('/').slice(1);
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts;
}

function partsOf(path: string): Part[] {
  return segmentsOf(path).map((segment) => {
    const rest = REST.exec(segment)?.[1];
    if (rest !== undefined) return { kind: 'rest', text: rest };
    const param = PARAM.exec(segment)?.[1];
    return param === undefined ? { kind: 'text', text: segment } : { kind: 'param', text: param };
  });
}

const RANK = { text: 0, param: 1, rest: 2 };

function compare(a: readonly Part[], b: readonly Part[]): number {
  const rank = (part: Part | undefined) => (part === undefined ? 3 : RANK[part.kind]);
  for (let n = 0; n < Math.max(a.length, b.length); n += 1) {
    const by = rank(a[n]) - rank(b[n]);
    if (by !== 0) return by;
  }
  return 0;
}

function fits(parts: readonly Part[], segments: readonly string[]): boolean {
  for (const [n, { kind, text }] of parts.entries()) {
    if (kind === 'rest') return segments.length > n && segments.slice(n).join('/') !== '';
    const segment = segments[n];
    if (segment === undefined) return false;
    if (kind === 'param' ? segment === '' : segment !== text) return false;
  }
  return segments.length === parts.length;
}

/** Flat: name, value, name, value. Names are the route's own: patterns that differ only in them are one. */
function paramsOf({ parts }: Route, segments: readonly string[]): string[] {
  const params: string[] = [];
  for (const [n, { kind, text }] of parts.entries()) {
    if (kind === 'text') continue;
    params.push(text, decode(kind === 'param' ? segments[n]! : segments.slice(n).join('/')));
  }
  return params;
}

/** What is no valid percent-encoding is handed on as it came. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The version that a call goes to. `draw` is uniform in [0, 1), one per call. */
export function pick(split: Split, draw: number): string {
  const { stable, candidate } = split;
  return candidate !== undefined && draw * 100 < candidate.percent ? candidate.version : stable;
}
