import { didYouMean, nearest } from './nearest.js';
import { child, keySpan, maskScalar, type Node, nearestNode, nodeAt, segments, valueSpan } from './node.js';
import type { Finding, Problems } from './problems.js';
import type { SchemaError, SchemaValidator } from './schema-error.js';
import { positionOf } from './text.js';

export interface SchemaCheck {
  readonly validate: SchemaValidator;
  /** Names that each strict place knows, by schema path. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Pointer of the checked value in the file. Default: the root. */
  readonly below?: string;
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'nothing',
};

/** What the patterns of the schemas mean; a pattern that is not here is shown as it is. */
const patternWords: Readonly<Record<string, string>> = {
  '^[0-9]+$': 'a whole number',
  '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)?$': 'seconds, or a duration such as 5m, 30s or 800ms',
  '^(manual|[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)?)$': 'manual, seconds, or a duration such as 5m or 30s',
  '^[0-9]+(\\.[0-9]+)?%?$': 'a percentage such as 5%',
  '^[0-9]+(\\.[0-9]+)?(%|ms|s)?$': 'a percentage such as 1%, or a duration such as 800ms',
};

/** Checks a value against a schema and reports what is wrong in plain words, at the key or value that is meant. */
export function checkSchema(
  value: unknown,
  root: Node,
  failed: ReadonlySet<Node>,
  check: SchemaCheck,
  problems: Problems,
): void {
  if (check.validate(value)) return;
  const below = check.below ?? '';
  const errors = causes(check.validate.errors ?? []);
  for (const error of errors) {
    const pointer = below + error.instancePath;
    const node = nearestNode(root, pointer);
    if (failed.has(node) || isMisspelt(error, errors, node, check)) continue;
    problems.add(finding(error, pointer, node, root, check));
  }
}

/** A key is missing because it is there under a name that is nearly right: that name is the one cause. */
function isMisspelt(
  error: SchemaError,
  all: readonly SchemaError[],
  node: Node,
  check: SchemaCheck,
): boolean {
  if (error.keyword !== 'required') return false;
  return all.some(
    (other) =>
      other.keyword === 'additionalProperties' &&
      other.instancePath === error.instancePath &&
      meantKey(other, node, check) === error.params['missingProperty'],
  );
}

/** The known key that an unknown one was most likely meant to be. */
function meantKey(error: SchemaError, node: Node, check: SchemaCheck): string | undefined {
  const known = check.names[error.schemaPath] ?? [];
  return nearest(
    String(error.params['additionalProperty']),
    known.filter((name) => !node.map?.has(name)),
  );
}

const COMBINATORS = ['anyOf', 'oneOf'];

/** One true cause per place: of several forms, the one that came nearest; no count where a name is wrong. */
export function causes(errors: readonly SchemaError[]): SchemaError[] {
  const kept: SchemaError[] = [];
  for (const error of errors) {
    if (!COMBINATORS.includes(error.keyword)) {
      kept.push(error);
      continue;
    }
    const branches: SchemaError[] = [];
    while (
      kept.length > 0 &&
      kept[kept.length - 1]!.instancePath.startsWith(error.instancePath) &&
      !isBefore(kept[kept.length - 1]!, error)
    ) {
      branches.unshift(kept.pop()!);
    }
    kept.push(...nearestForm(branches, error));
  }
  const named = new Set(
    kept.filter((error) => error.keyword === 'additionalProperties').map((error) => error.instancePath),
  );
  return kept.filter((error) => error.keyword !== 'maxProperties' || !named.has(error.instancePath));
}

/** Whether an error belongs to the same object but to a rule beside the combinator. */
function isBefore(error: SchemaError, combinator: SchemaError): boolean {
  const own = combinator.schemaPath.slice(0, combinator.schemaPath.lastIndexOf('/'));
  const rest = error.schemaPath.startsWith(`${own}/`) ? error.schemaPath.slice(own.length + 1) : '';
  return rest !== '' && !COMBINATORS.includes(rest.split('/')[0]!);
}

function nearestForm(errors: readonly SchemaError[], combinator: SchemaError): SchemaError[] {
  const forms = new Map<string, SchemaError[]>();
  for (const error of errors) {
    const inside = error.schemaPath.startsWith(`${combinator.schemaPath}/`);
    const form = inside
      ? error.schemaPath.slice(combinator.schemaPath.length + 1).split('/')[0]!
      : error.schemaPath.split('/').slice(0, 3).join('/');
    forms.set(form, [...(forms.get(form) ?? []), error]);
  }
  const here = combinator.instancePath;
  const misfit = (form: SchemaError[]): number =>
    form.filter(
      (error) =>
        error.instancePath === here &&
        (error.keyword === 'type' || error.keyword === 'required' || error.keyword === 'const'),
    ).length *
      10 +
    form.length;
  const isKind = (form: SchemaError[]): boolean =>
    form.some((error) => error.keyword === 'type' && error.instancePath === here);
  const all = [...forms.values()];
  const fitting = all.filter((form) => !isKind(form));
  if (fitting.length > 0) return fitting.sort((a, b) => misfit(a) - misfit(b))[0]!;
  const types = all
    .flatMap((form) => form.filter((error) => error.instancePath === here))
    .flatMap((error) => error.params['type'] as string | string[]);
  return [{ ...combinator, keyword: 'type', params: { type: [...new Set(types)] } }];
}

function finding(error: SchemaError, pointer: string, node: Node, root: Node, check: SchemaCheck): Finding {
  const where = dotted(pointer);
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownKey(where, node, error, check);
    case 'required': {
      const key = String(error.params['missingProperty']);
      return {
        code: 'SFX2203',
        message: `${where ? `${where} has` : 'the file has'} no ${key}`,
        at: keySpan(node),
        note: `no ${key}`,
      };
    }
    case 'minProperties':
    case 'maxProperties':
      return count(where, node);
    default:
      return wrongValue(error, where, node, root, pointer);
  }
}

function unknownKey(where: string, node: Node, error: SchemaError, check: SchemaCheck): Finding {
  const key = String(error.params['additionalProperty'] ?? error.params['unevaluatedProperty']);
  const known = check.names[error.schemaPath] ?? [];
  const meant = meantKey(error, node, check);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  const message = `${key} is not a key of ${where || 'the file'}${hint}`;
  const at = child(node, key);
  const few = known.length > 0 && known.length <= 12 ? `Its keys are ${known.join(', ')}.` : undefined;
  return {
    code: 'SFX2201',
    message,
    at: at ? keySpan(at) : keySpan(node),
    note: `unknown key${hint}`,
    ...(few ? { hint: few } : {}),
  };
}

function count(where: string, node: Node): Finding {
  const keys = node.map ? [...node.map.keys()] : [];
  const message =
    keys.length === 0
      ? `${where} is empty; it takes one key`
      : `${where} takes one key and has ${keys.length}: ${keys.join(', ')}`;
  const second = keys[1] === undefined ? undefined : child(node, keys[1]);
  return {
    code: 'SFX2202',
    message,
    at: second ? keySpan(second) : keySpan(node),
    note: keys.length === 0 ? 'empty' : 'one key too many',
    ...(keys.length > 1
      ? { hint: 'Begin another item with `-`, or indent what belongs to the first key.' }
      : {}),
  };
}

function wrongValue(error: SchemaError, where: string, node: Node, root: Node, pointer: string): Finding {
  const expected = expectation(error);
  const exists = nodeAt(root, pointer) === node;
  const used = node.site && node.start >= 0 && exists ? elsewhere(node) : '';
  return {
    code: 'SFX2202',
    message: `${where || 'the file'} must be ${expected}, not ${shownValue(node)}${meant(error, node)}${used}`,
    at: node.start === node.end && node.start >= 0 ? keySpan(node) : valueSpan(node),
    note: `must be ${expected}${meant(error, node)}`,
  };
}

function expectation({ keyword, params }: SchemaError): string {
  if (keyword === 'type') {
    const types = (Array.isArray(params['type']) ? params['type'] : [params['type']]) as string[];
    const words = types
      .filter((type) => type !== 'null' || types.length === 1)
      .map((type) => typeWords[type] ?? type);
    return either(words);
  }
  if (keyword === 'enum') return either((params['allowedValues'] as unknown[]).map(String));
  if (keyword === 'const') return String(params['allowedValue']);
  if (keyword === 'pattern') {
    const pattern = String(params['pattern']);
    return patternWords[pattern] ?? `of the form ${pattern}`;
  }
  if (keyword === 'minimum') return `at least ${params['limit']}`;
  if (keyword === 'maximum') return `at most ${params['limit']}`;
  return `otherwise (${keyword})`;
}

function either(words: readonly string[]): string {
  return words.length < 2
    ? (words[0] ?? '')
    : `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`;
}

function meant(error: SchemaError, node: Node): string {
  if (error.keyword !== 'enum' || typeof node.scalar !== 'string' || node.taint !== null) return '';
  return didYouMean(node.scalar, (error.params['allowedValues'] as unknown[]).map(String));
}

function elsewhere(node: Node): string {
  if (!node.site) return '';
  const { file, line } = positionOf(node.site);
  return ` (used at ${file}:${line})`;
}

/** A value in a message: short, and never one that came from outside. */
export function shownValue(node: Node): string {
  if (node.map) return 'a mapping';
  if (node.list) return 'a list';
  const shown = maskScalar(node);
  if (shown === null) return 'empty';
  const text = String(shown);
  return text === '' ? 'an empty text' : text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** `/functions/list/events/0` as people write it: `functions.list.events[0]`. */
export function dotted(pointer: string): string {
  let text = '';
  for (const part of segments(pointer))
    text += /^\d+$/.test(part) ? `[${part}]` : text === '' ? part : `.${part}`;
  return text;
}
