import { fail } from '../errors.js';
import { isObject, type Json } from '../json.js';
import type { SecretValues } from '../model/service.js';

export type Outputs = Readonly<Record<string, Readonly<Record<string, Json>>>>;

/**
 * Fills `$out` and `$secret` refs. Errors: SFX4203 for a value that is not at hand; it names the source, never the value.
 */
export function fill(value: Json, outputs: Outputs, secrets: SecretValues | undefined): Json {
  if (Array.isArray(value)) return value.map((item: Json) => fill(item, outputs, secrets));
  if (!isObject(value)) return value;
  const object = value as Readonly<Record<string, Json>>;
  const out = object['$out'];
  if (Array.isArray(out)) {
    const [resource, key] = out as unknown as [string, string];
    const found = outputs[resource]?.[key];
    if (found === undefined) throw fail('SFX4203', `output ${key} of ${resource} is not known`);
    return found;
  }
  const secret = object['$secret'];
  if (typeof secret === 'string') {
    const found = secrets?.get(secret);
    if (found === undefined) throw fail('SFX4203', `the value of ${secret} is not at hand`);
    return found;
  }
  return Object.fromEntries(
    Object.entries(object).map(([key, inner]) => [key, fill(inner, outputs, secrets)]),
  );
}

/** Texts of all `$secret` refs in a value. */
export function secretsIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => secretsIn(item));
  if (!isObject(value)) return [];
  const object = value as Readonly<Record<string, Json>>;
  if (typeof object['$secret'] === 'string') return [object['$secret']];
  return Object.values(object).flatMap(secretsIn);
}

/** The value with `version` set on every secret ref: a wish to read unversioned secrets anew. */
export function refreshed(value: Json, version: string): Json {
  if (Array.isArray(value)) return value.map((item: Json) => refreshed(item, version));
  if (!isObject(value)) return value;
  const object = value as Readonly<Record<string, Json>>;
  if (typeof object['$secret'] === 'string') return { ...object, version };
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, refreshed(inner, version)]));
}
