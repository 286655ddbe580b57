import { listNode, mapNode, type Node, scalarNode } from './node.js';
import { plainScalar } from './scalar.js';
import type { Span } from './text.js';

/** CloudFormation's short forms: `!Sub x` is `{ Fn::Sub: x }`. `Ref` and `Condition` have no prefix. */
export const cloudFormationTags: readonly string[] = [
  'Ref',
  'Condition',
  'GetAtt',
  'Sub',
  'Join',
  'If',
  'Equals',
  'Not',
  'And',
  'Or',
  'Select',
  'Split',
  'ImportValue',
  'FindInMap',
  'GetAZs',
  'Base64',
  'Cidr',
  'Transform',
  'Length',
  'ToJsonString',
  'ForEach',
  'Contains',
  'EachMemberEquals',
  'EachMemberIn',
  'RefAll',
  'ValueOf',
  'ValueOfAll',
  'Implies',
];

const STANDARD = 'tag:yaml.org,2002:';

/** `!!str`, `!!int` … of a scalar; undefined when the tag is not one of them or does not fit. */
export function standardScalar(
  tag: string,
  text: string,
): { value: string | number | boolean | null } | undefined {
  const name = tag.startsWith('!!')
    ? tag.slice(2)
    : tag.startsWith(`!<${STANDARD}`)
      ? tag.slice(2 + STANDARD.length, -1)
      : tag;
  if (name === '!' || name === 'str' || name === 'timestamp' || name === 'binary') return { value: text };
  const value = plainScalar(text);
  if (name === 'null' && value === null) return { value };
  if (name === 'bool' && typeof value === 'boolean') return { value };
  if (name === 'int' && Number.isInteger(value)) return { value };
  if (name === 'float' && typeof value === 'number') return { value };
  return undefined;
}

export function isStandardCollection(tag: string, kind: 'list' | 'map'): boolean {
  if (tag === '!') return true;
  return kind === 'list' ? tag === '!!seq' : tag === '!!map';
}

/** The long form of a value with a short tag; undefined when CloudFormation has no such function. */
export function longForm(tag: string, value: Node, span: Span): Node | undefined {
  const name = tag.slice(1);
  if (!cloudFormationTags.includes(name)) return undefined;
  const key = name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`;
  const inner = name === 'GetAtt' ? attribute(value) : value;
  return mapNode(
    new Map([[key, { ...inner, keyStart: span.start, keyEnd: span.start + tag.length }]]),
    inner.dynamic,
    span,
  );
}

/** `!GetAtt Table.Arn` is written in short for a list of two. */
function attribute(value: Node): Node {
  if (typeof value.scalar !== 'string') return value;
  // A dot inside a variable separates nothing.
  const dot = value.scalar.replace(/\$\{[^}]*\}/g, (text) => '_'.repeat(text.length)).indexOf('.');
  if (dot < 0) return value;
  const parts = [
    scalarNode(value.scalar.slice(0, dot), value.source, value.start, value.start + dot),
    scalarNode(value.scalar.slice(dot + 1), value.source, value.start + dot + 1, value.end),
  ];
  return listNode(
    parts,
    parts.some((part) => part.dynamic),
    value,
  );
}
