import { nearest } from '../config/nearest.js';
import { isObject } from '../json.js';
import type { HttpProps } from './service.js';

export const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'ANY'];

/** Headers that browsers may send when `cors: true` says no more. */
const CORS_HEADERS = [
  'Content-Type',
  'Authorization',
  'X-Api-Key',
  'X-Amz-Date',
  'X-Amz-Security-Token',
  'X-Amz-User-Agent',
];

export interface Route {
  readonly method: string;
  readonly path: string;
}

export interface RouteFault {
  readonly fault: string;
}

/** `get /x`, `GET x`, `*`: method and path of the short form. A path alone has no method. */
export function splitRoute(text: string): { method?: string; path: string } {
  const trimmed = text.trim();
  const gap = trimmed.search(/\s/);
  if (gap < 0) return { path: trimmed };
  return { method: trimmed.slice(0, gap), path: trimmed.slice(gap).trim() };
}

/** The neutral form of a route: `get`, `users/:id` become `GET`, `/users/{id}`. */
export function normalizeRoute(method: string | undefined, path: string): Route | RouteFault {
  const verb = normalMethod(method, path);
  if (typeof verb !== 'string') return verb;
  const normal = normalPath(path);
  return typeof normal === 'string' ? { method: verb, path: normal } : normal;
}

function normalMethod(method: string | undefined, path: string): string | RouteFault {
  if (method === undefined) {
    return path === '*' || path === '$default'
      ? 'ANY'
      : { fault: 'has no method; write one before the path: GET /path' };
  }
  const upper = method === '*' ? 'ANY' : method.toUpperCase();
  if (METHODS.includes(upper)) return upper;
  const near = nearest(upper, METHODS);
  return { fault: `${method} is not a method${near ? `; did you mean ${near}?` : ''}` };
}

function normalPath(path: string): string | RouteFault {
  if (path === '*' || path === '$default') return '/{proxy+}';
  const bad = /[?#\s]/.exec(path);
  if (bad) return { fault: `a path has no ${bad[0].trim() === '' ? 'spaces' : bad[0]}` };
  const parts = path.split('/').filter((part) => part !== '');
  const names = new Set<string>();
  const normal: string[] = [];
  for (const [index, part] of parts.entries()) {
    const segment = normalSegment(part, index === parts.length - 1);
    if (typeof segment !== 'string') return segment;
    if (segment.startsWith('{')) {
      if (names.has(segment)) return { fault: `the parameter ${segment} stands twice in the path` };
      names.add(segment);
    }
    normal.push(segment);
  }
  return `/${normal.join('/')}`;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

function normalSegment(part: string, last: boolean): string | RouteFault {
  if (part === '*') return last ? '{proxy+}' : { fault: '* can only end a path' };
  if (part.startsWith(':')) {
    const name = part.slice(1);
    return NAME.test(name) ? `{${name}}` : { fault: `${part} is not a path parameter` };
  }
  if (!/[{}]/.test(part)) return part;
  const found = /^\{([^{}]+)\}$/.exec(part);
  const name = found?.[1] ?? '';
  const rest = name.endsWith('+');
  if (!NAME.test(rest ? name.slice(0, -1) : name))
    return { fault: `${part} is not a path parameter; write {name}` };
  if (rest && !last) return { fault: `${part} can only end a path` };
  return `{${name}}`;
}

/** Equal for routes that differ in the names of their parameters only. */
export function routeKey(path: string): string {
  return path.replace(/\{[^}]*\+\}/g, '{+}').replace(/\{[^}+]*\}/g, '{}');
}

function texts(...values: readonly unknown[]): readonly string[] | undefined {
  for (const value of values) {
    if (typeof value === 'string') return [value];
    if (Array.isArray(value)) return value.map(String);
  }
  return undefined;
}

/** CORS in its neutral form. `methods` are those of the routes of this path, for when the file names none. */
export function normalizeCors(value: unknown, methods: readonly string[]): HttpProps['cors'] {
  if (value === undefined || value === null || value === false) return null;
  const own = isObject(value) ? value : {};
  const used = methods.includes('ANY') ? METHODS.filter((method) => method !== 'ANY') : methods;
  const maxAge = own['maxAge'] === undefined ? undefined : Number(own['maxAge']);
  return {
    origins: texts(own['origins'], own['origin'], own['allowedOrigins']) ?? ['*'],
    headers: texts(own['headers'], own['allowedHeaders']) ?? CORS_HEADERS,
    methods: (texts(own['methods'], own['allowedMethods']) ?? [...new Set(['OPTIONS', ...used])]).map(
      (method) => method.toUpperCase(),
    ),
    credentials: own['credentials'] === true || own['allowCredentials'] === true,
    ...(maxAge === undefined ? {} : { maxAge }),
  };
}
