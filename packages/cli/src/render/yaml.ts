import type { Json } from '@sfx-deploy/core';

const PLAIN = /^[A-Za-z_/$][A-Za-z0-9_ ./$@+-]*$/;
const WORDS = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);

/** JSON as block YAML. A string that YAML could read as something else is quoted. */
export function toYaml(value: Json): string {
  return `${block(value, 0).join('\n')}\n`;
}

function scalar(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const plain = PLAIN.test(value) && !value.endsWith(' ') && !WORDS.has(value.toLowerCase());
  return plain ? value : JSON.stringify(value);
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

function block(value: Json, depth: number): string[] {
  if (typeof value !== 'object' || value === null || isEmpty(value)) return [scalar(value)];
  const indent = ' '.repeat(depth * 2);
  if (Array.isArray(value)) {
    return value.flatMap((item: Json) => {
      const [first = '', ...rest] = block(item, depth + 1);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    const nested = typeof inner === 'object' && inner !== null && !isEmpty(inner);
    return nested
      ? [`${indent}${scalar(key)}:`, ...block(inner, depth + 1)]
      : [`${indent}${scalar(key)}: ${scalar(inner)}`];
  });
}
