import { createHash } from 'node:crypto';

/** Plain JSON, as every document and every IR is. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };
export type Digest = `sha256:${string}`;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with sorted keys and without `undefined`: equal values give equal text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

export function sameJson(a: unknown, b: unknown): boolean {
  return a === b || canonical(a) === canonical(b);
}

/** Digest of a JSON value in its canonical form. */
export function digestOf(value: unknown): Digest {
  return `sha256:${createHash('sha256').update(canonical(value)).digest('hex')}`;
}

/** The first characters of a digest, as people see it. */
export function short(digest: string, length = 7): string {
  return digest.replace(/^sha256:/, '').slice(0, length);
}
