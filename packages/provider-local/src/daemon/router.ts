import type { Split } from '@sfx-deploy/plugin';

/** The CORS answer of a route, as the trigger says it. */
export interface Cors {
  readonly origins: readonly string[];
  readonly headers: readonly string[];
  readonly methods: readonly string[];
  readonly credentials: boolean;
  /** Seconds. */
  readonly maxAge?: number;
}

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly function: string;
  readonly alias: string;
  readonly cors: Cors | null;
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
  readonly segments: readonly string[];
  readonly methods: Map<string, Route>;
}

const REST = /^\{(.+)\+\}$/;
const PARAM = /^\{(.+)\}$/;

/**
 * Routes by specificity, segment by segment: text before a parameter, a parameter before a rest. A method of its own goes
 * before ANY, and HEAD is answered by GET. A path that has no such method may be answered by a less specific one.
 */
export function createRouter(routes: readonly Route[]): Router {
  const fixed = new Map<string, Pattern>();
  const open: Pattern[] = [];
  const known = new Map<string, Pattern>();
  for (const route of routes) {
    const segments = segmentsOf(route.path);
    const key = segments.map((part) => (REST.test(part) ? '{+}' : PARAM.test(part) ? '{}' : part)).join('/');
    let pattern = known.get(key);
    if (pattern === undefined) {
      pattern = { segments, methods: new Map() };
      known.set(key, pattern);
      if (segments.some((part) => PARAM.test(part))) open.push(pattern);
      else fixed.set(key, pattern);
    }
    pattern.methods.set(route.method.toUpperCase(), route);
  }
  open.sort((a, b) => compare(a.segments, b.segments));

  function* candidates(path: string): Generator<{ pattern: Pattern; segments: readonly string[] }> {
    const segments = segmentsOf(path);
    const exact = fixed.get(segments.join('/'));
    if (exact !== undefined) yield { pattern: exact, segments };
    for (const pattern of open) if (fits(pattern.segments, segments)) yield { pattern, segments };
  }

  return {
    match(method, path) {
      const allow = new Set<string>();
      let cors: Cors | null = null;
      for (const { pattern, segments } of candidates(path)) {
        const route = methodOf(pattern, method);
        if (route !== undefined) return { kind: 'route', route, params: paramsOf(route, segments) };
        for (const [name, other] of pattern.methods) {
          allow.add(name);
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
  return methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined) ?? methods.get('ANY');
}

/** `/a/b/` is `/a/b`. */
function segmentsOf(path: string): string[] {
  const parts = path.split('/').slice(1);
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts;
}

function rank(part: string | undefined): number {
  if (part === undefined) return 3;
  return REST.test(part) ? 2 : PARAM.test(part) ? 1 : 0;
}

function compare(a: readonly string[], b: readonly string[]): number {
  for (let n = 0; n < Math.max(a.length, b.length); n += 1) {
    const by = rank(a[n]) - rank(b[n]);
    if (by !== 0) return by;
  }
  return 0;
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  for (const [n, part] of pattern.entries()) {
    if (REST.test(part)) return segments.length > n && segments.slice(n).join('/') !== '';
    const segment = segments[n];
    if (segment === undefined) return false;
    if (PARAM.test(part) ? segment === '' : segment !== part) return false;
  }
  return segments.length === pattern.length;
}

/** Flat: name, value, name, value. Names are the route's own: patterns that differ only in them are one. */
function paramsOf(route: Route, segments: readonly string[]): string[] {
  const params: string[] = [];
  for (const [n, part] of segmentsOf(route.path).entries()) {
    const rest = REST.exec(part)?.[1];
    const name = rest ?? PARAM.exec(part)?.[1];
    if (name === undefined) continue;
    params.push(name, decode(rest === undefined ? segments[n]! : segments.slice(n).join('/')));
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
