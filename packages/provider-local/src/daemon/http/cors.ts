import type { Cors } from './router.js';

/** Headers on the answer to a call of a route with CORS; flat. None for an origin that is not allowed. */
export function corsHeaders(cors: Cors, origin: string | undefined): string[] {
  const allowed = allowedOrigin(cors, origin);
  if (allowed === undefined) return ['vary', 'Origin'];
  const headers = ['access-control-allow-origin', allowed];
  if (allowed !== '*') headers.push('vary', 'Origin');
  if (cors.credentials) headers.push('access-control-allow-credentials', 'true');
  return headers;
}

/** Headers on the answer to a preflight; flat. */
export function preflightHeaders(
  cors: Cors,
  origin: string | undefined,
  asked: string | undefined,
): string[] {
  const headers = corsHeaders(cors, origin);
  if (allowedOrigin(cors, origin) === undefined) return headers;
  headers.push('access-control-allow-methods', cors.methods.join(', '));
  // With credentials a browser takes `*` as a header of that name.
  const any = cors.headers.includes('*') && cors.credentials && asked !== undefined;
  if (cors.headers.length > 0)
    headers.push('access-control-allow-headers', any ? asked : cors.headers.join(', '));
  if (cors.maxAge !== undefined) headers.push('access-control-max-age', String(cors.maxAge));
  return headers;
}

function allowedOrigin(cors: Cors, origin: string | undefined): string | undefined {
  // A browser refuses `*` together with credentials, so the origin itself is named then.
  if (cors.origins.includes('*')) return cors.credentials ? origin : '*';
  if (origin === undefined) return undefined;
  return cors.origins.some((pattern) => fits(pattern, origin)) ? origin : undefined;
}

/** `https://*.example.org`: a star stands for anything but a slash. */
function fits(pattern: string, origin: string): boolean {
  if (!pattern.includes('*')) return pattern === origin;
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`).test(origin);
}
