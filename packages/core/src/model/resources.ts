import type { Node } from '../config/node.js';
import type { SecretCollector } from '../config/refs.js';
import { isObject, type Json } from '../json.js';

/** `resources:` as one mapping: a list of mappings is merged section by section. Values from outside become refs. */
export function normalizeResources(node: Node | undefined, secrets: SecretCollector): Json {
  if (!node || (node.kind === 'scalar' && node.scalar === null)) return {};
  const value = secrets.refs(node);
  if (!Array.isArray(value)) return value;
  const merged: Record<string, Json> = {};
  for (const item of value as readonly Json[]) {
    if (!isObject(item)) continue;
    for (const [section, inner] of Object.entries(item as Record<string, Json>)) {
      const known = merged[section];
      merged[section] = isObject(known) && isObject(inner) ? { ...known, ...inner } : inner;
    }
  }
  return merged;
}
