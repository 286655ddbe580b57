import type { ErrorCode } from '../errors.js';
import { didYouMean } from './nearest.js';
import { child, type Node, placed, resolvedContainer, type Scalar } from './node.js';
import type { Answer, SourceContext, VariableSource } from './sources/source.js';
import type { Span } from './text.js';
import { missing, spanOf, within } from './variable-place.js';
import { type Parsed, parseTemplate, type Template, type Term, type Variable } from './variables.js';

/** Characters that one text may have once its variables are filled. */
const MAX_TEXT = 1_000_000;

/** Sources of Serverless Framework that are no slip of the pen. */
const NOT_READ: readonly string[] = ['ssm', 'cf', 's3', 'aws', 'git', 'output', 'construct'];

/** One round over a file: what is known, what is under way, and what is waited for. */
export interface State {
  readonly problems: SourceContext['problems'];
  readonly sources: ReadonlyMap<string, VariableSource>;
  readonly context: SourceContext;
  /** By text; kept over all rounds. */
  readonly parsed: Map<string, Parsed>;
  /** Of sources that took time, from earlier rounds. */
  readonly answers: ReadonlyMap<string, Answer>;
  readonly waiting: Map<string, Promise<Answer>>;
  readonly memo: Map<Node, Node>;
  /** Values by the text of their variable: equal texts have equal values. */
  readonly found: Map<string, Node>;
  readonly failed: Set<Node>;
  /** Nodes that are being resolved, with their paths: meeting one again is a cycle. */
  readonly active: Map<Node, string>;
}

/** What became of a variable or a template. */
type Outcome = { readonly node: Node } | { readonly missing: string } | { readonly failed: true };
const FAILED: Outcome = { failed: true };

/** A node with all variables below it filled. `path` names it where it turns out to need itself. */
export function resolve(state: State, node: Node, path: string): Node {
  if (!node.dynamic) return node;
  const known = state.memo.get(node);
  if (known) return known;
  state.active.set(node, path);
  const result = node.kind === 'scalar' ? resolveScalar(state, node) : resolveBelow(state, node, path);
  state.active.delete(node);
  state.memo.set(node, result);
  return result;
}

function resolveBelow(state: State, node: Node, path: string): Node {
  const below = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`);
  if (!node.map)
    return resolvedContainer(
      node,
      node.list!.map((item, index) => resolve(state, item, below(index))),
      null,
    );
  const map = new Map<string, Node>();
  for (const [key, value] of node.map)
    map.set(key, value.dynamic ? resolve(state, value, below(key)) : value);
  return resolvedContainer(node, null, map);
}

function resolveScalar(state: State, node: Node): Node {
  const text = node.scalar as string;
  let template = state.parsed.get(text);
  if (!template) {
    template = parseTemplate(text);
    state.parsed.set(text, template);
  }
  if (template.fault) {
    const { message, start, end } = template.fault;
    report(state, 'SFX2106', message, within(node, text, start, end), message);
    return unresolved(state, node);
  }
  const outcome = fill(state, template.template, node);
  return 'node' in outcome ? outcome.node : unresolved(state, node);
}

function unresolved(state: State, node: Node): Node {
  const copy = { ...node, dynamic: false };
  state.failed.add(copy);
  return copy;
}

/** A template in the place of `holder`: one variable alone keeps the type of its value. */
function fill(state: State, template: Template, holder: Node): Outcome {
  const only = template.length === 1 ? template[0]! : null;
  if (only !== null && typeof only !== 'string') {
    const outcome = evaluate(state, only, spanOf(only, holder));
    if (!('node' in outcome)) return outcome;
    const node = placed(outcome.node, holder);
    if (state.failed.has(outcome.node)) state.failed.add(node);
    return { node };
  }
  const text = fillText(state, template, (variable) => spanOf(variable, holder));
  if ('failed' in text) return FAILED;
  return {
    node: { ...holder, scalar: text.value, taint: text.secret ? text.shown : null, dynamic: false },
  };
}

function fillText(
  state: State,
  template: Template,
  at: (variable: Variable) => Span,
): { value: string; shown: string; secret: boolean } | { failed: true } {
  let value = '';
  let shown = '';
  let secret = false;
  let bad = false;
  for (const part of template) {
    if (typeof part === 'string') {
      value += part;
      shown += part;
      continue;
    }
    const outcome = evaluate(state, part, at(part));
    const piece =
      'node' in outcome && !state.failed.has(outcome.node)
        ? asText(state, outcome.node, part, at(part))
        : undefined;
    if (!piece) {
      bad = true;
      continue;
    }
    value += piece.value;
    shown += piece.taint ?? piece.value;
    secret ||= piece.taint !== null;
    if (value.length > MAX_TEXT) {
      report(state, 'SFX2109', `this text becomes longer than ${MAX_TEXT} characters`, at(part));
      return { failed: true };
    }
  }
  return bad ? { failed: true } : { value, shown, secret };
}

function asText(
  state: State,
  node: Node,
  variable: Variable,
  at: Span,
): { value: string; taint: string | null } | undefined {
  if (node.kind === 'scalar' && node.scalar !== null)
    return { value: String(node.scalar), taint: node.taint };
  const what = node.kind === 'map' ? 'a mapping' : node.kind === 'list' ? 'a list' : 'null';
  report(state, 'SFX2108', `${variable.text} is ${what}, which cannot be a part of a text`, at, what);
  return undefined;
}

function evaluate(state: State, variable: Variable, at: Span): Outcome {
  const known = state.found.get(variable.text);
  if (known) return { node: known };
  const reasons: string[] = [];
  for (const term of variable.terms) {
    const outcome = evaluateTerm(state, term, at);
    if ('failed' in outcome) return outcome;
    if ('node' in outcome) {
      const none = outcome.node.kind === 'scalar' && outcome.node.scalar === null && term.kind !== 'literal';
      if (!none) {
        state.found.set(variable.text, outcome.node);
        return outcome;
      }
      reasons.push('it is null');
    } else reasons.push(outcome.missing);
  }
  report(state, 'SFX2101', `${variable.text} has no value: ${reasons.join('; ')}`, at, reasons.join('; '));
  return FAILED;
}

function evaluateTerm(state: State, term: Term, at: Span): Outcome {
  if (term.kind === 'variable') return evaluate(state, term.variable, at);
  if (term.kind === 'literal') return literal(state, term.value, at);
  const source = state.sources.get(term.name);
  if (!source) {
    const names = [...state.sources.keys()];
    const near = NOT_READ.includes(term.name) ? '' : didYouMean(term.name, names);
    const message = `\${${term.name}:…} is not a source that sfx reads${near}`;
    report(state, 'SFX2102', message, at, `sources: ${names.join(', ')}`);
    return FAILED;
  }
  const params = term.params && fillText(state, term.params, () => at);
  const address = term.address && fillText(state, term.address, () => at);
  if ((params && 'failed' in params) || (address && 'failed' in address)) return FAILED;
  const shown = `${term.name}${params ? `(${params.shown})` : ''}${address ? `:${address.shown}` : term.params ? '' : ':'}`;
  const request = {
    params: params ? params.value : null,
    address: address ? address.value : null,
    shown,
    shownParams: params ? params.shown : '',
    secret: (params?.secret ?? false) || (address?.secret ?? false),
    at,
  };
  const key = `${term.name}(${request.params ?? ''}):${request.address ?? ''}`;
  const outcome = settle(state, state.answers.get(key) ?? source.read(request, state.context), key, at);
  // The reason would name what was looked for, which came from outside.
  return 'missing' in outcome && request.secret ? { missing: `\${${shown}} is not there` } : outcome;
}

function settle(state: State, answer: Answer, key: string, at: Span): Outcome {
  if ('node' in answer) {
    protect(state, answer.node);
    return answer;
  }
  if ('missing' in answer) return answer;
  if ('problem' in answer) report(state, answer.code, answer.problem, at, undefined, answer.hint);
  else if ('pending' in answer) state.waiting.set(key, answer.pending);
  return FAILED;
}

function protect(state: State, { taint, scalar }: Node): void {
  if (taint !== null) state.problems.protect(String(scalar), taint);
}

function literal(state: State, value: Scalar | Template, at: Span): Outcome {
  let scalar: Scalar;
  let taint: string | null = null;
  if (typeof value === 'object' && value !== null) {
    const text = fillText(state, value, () => at);
    if ('failed' in text) return FAILED;
    scalar = text.value;
    taint = text.secret ? text.shown : null;
  } else scalar = value;
  const base = { kind: 'scalar' as const, list: null, map: null, keyStart: -1, keyEnd: -1, dynamic: false };
  return { node: { ...base, scalar, taint, source: at.source, start: -1, end: -1, site: at } };
}

/** The value below a node, with variables filled as far as they are on the way. */
export function walk(state: State, from: Node, path: readonly string[], label: string): Answer {
  let node = from;
  let done = '';
  for (const key of path) {
    if (node.kind === 'scalar' && node.dynamic) {
      const cycle = cycleThrough(state, node);
      if (cycle) return cycle;
      node = resolve(state, node, label + done);
      if (state.failed.has(node)) return { failed: true };
    }
    const next = child(node, key);
    if (!next) return { missing: missing(node, key, label, done) };
    node = next;
    done += done === '' && label === '' ? key : `.${key}`;
  }
  const cycle = cycleThrough(state, node);
  if (cycle) return cycle;
  return { node: resolve(state, node, label + done) };
}

function cycleThrough(state: State, node: Node): Answer | undefined {
  if (!state.active.has(node)) return undefined;
  const names = [...state.active.values()];
  const from = [...state.active.keys()].indexOf(node);
  const steps = names
    .slice(from)
    .filter((name, index, all) => index === 0 || !all[index + 1]?.startsWith(`${name}.`));
  const path = [...steps, names[from]!].map((name) => name || 'the whole file').join(' -> ');
  return { problem: `this variable needs itself: ${path}`, code: 'SFX2103' };
}

function report(
  state: State,
  code: ErrorCode,
  message: string,
  at: Span,
  note?: string,
  hint?: string,
): void {
  state.problems.add({ code, message, at, ...(note ? { note } : {}), ...(hint ? { hint } : {}) });
}
