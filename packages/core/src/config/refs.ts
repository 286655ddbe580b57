import type { Json } from '../json.js';
import { type Node, toJson } from './node.js';

/** Collects the values that may be kept in memory only, by the text that stands for each. */
export interface SecretCollector {
  /** Plain JSON in which each value from outside is `{ $secret: text }`. */
  refs(node: Node): Json;
  readonly values: Map<string, string>;
}

/** `${env:TABLE}` alone is named `env:TABLE`; a text with parts keeps its form: `tbl-${env:TABLE}-dev`. */
export function secretText(taint: string): string {
  if (!taint.startsWith('${') || !taint.endsWith('}')) return taint;
  let depth = 0;
  for (let index = 0; index < taint.length - 1; index++) {
    if (taint.startsWith('${', index)) depth++;
    else if (taint[index] === '}' && --depth === 0) return taint;
  }
  return taint.slice(2, -1);
}

export function createSecretCollector(): SecretCollector {
  const values = new Map<string, string>();
  return {
    values,
    refs: (node) =>
      toJson(node, (scalar) => {
        if (scalar.taint === null) return scalar.scalar;
        const text = secretText(scalar.taint);
        values.set(text, String(scalar.scalar));
        return { $secret: text };
      }),
  };
}
