import type { ErrorCode } from '../errors.js';
import { didYouMean } from './nearest.js';
import { child, type Node, placed, resolvedContainer, type Scalar, valueSpan } from './node.js';
import type { Answer, SourceContext, VariableSource } from './sources/source.js';
import type { Span } from './text.js';
import { type Parsed, parseTemplate, type Template, type Term, type Variable } from './variables.js';

/** Characters that one text may have once its variables are filled. */
const MAX_TEXT = 1_000_000;

/** Sources of Serverless Framework that are no slip of the pen. */
const NOT_READ: readonly string[] = ['ssm', 'cf', 's3', 'aws', 'git', 'output', 'construct'];

export interface ResolveInit extends Omit<SourceContext, 'walk'> {
  readonly sources: readonly VariableSource[];
}

export interface Resolved {
  readonly root: Node;
  /** Scalars whose variables could not be filled: they stand as written, and what follows from them is not reported. */
  readonly failed: ReadonlySet<Node>;
}

/** What became of a variable or a template. */
type Outcome = { readonly node: Node } | { readonly missing: string } | { readonly failed: true };
const FAILED: Outcome = { failed: true };

/**
 * Fills all variables below `init.root`. Problems go to `init.problems`. Sources that take time are asked in rounds:
 * all that one round meets are awaited together, then their answers are at hand in the next.
 */
export async function resolveAll(init: ResolveInit): Promise<Resolved> {
  return inRounds(init, (resolver) => ({ root: resolver.resolve(init.root, ''), failed: resolver.failed }));
}

/** One place of the root, or undefined when nothing is there or it could not be filled. */
export async function resolveOne(init: ResolveInit, path: readonly string[]): Promise<Node | undefined> {
  return inRounds(init, (resolver) => {
    const answer = resolver.walk(init.root, path, '');
    return 'node' in answer && !resolver.failed.has(answer.node) ? answer.node : undefined;
  });
}

async function inRounds<T>(init: ResolveInit, round: (resolver: Resolver) => T): Promise<T> {
  const answers = new Map<string, Answer>();
  const parsed = new Map<string, Parsed>();
  for (;;) {
    const waiting = new Map<string, Promise<Answer>>();
    const result = round(createResolver(init, parsed, answers, waiting));
    if (waiting.size === 0) return result;
    await Promise.all([...waiting].map(async ([key, promise]) => answers.set(key, await promise)));
  }
}

interface Resolver {
  resolve(node: Node, path: string): Node;
  walk(from: Node, path: readonly string[], label: string): Answer;
  readonly failed: Set<Node>;
}

function createResolver(
  init: ResolveInit,
  parsed: Map<string, Parsed>,
  answers: ReadonlyMap<string, Answer>,
  waiting: Map<string, Promise<Answer>>,
): Resolver {
  const memo = new Map<Node, Node>();
  const found = new Map<string, Node>();
  const failed = new Set<Node>();
  /** Nodes that are being resolved, with their paths: meeting one again is a cycle. */
  const active = new Map<Node, string>();
  const sources = new Map(init.sources.map((source) => [source.name, source]));

  const resolve = (node: Node, path: string): Node => {
    if (!node.dynamic) return node;
    const known = memo.get(node);
    if (known) return known;
    active.set(node, path);
    const result = node.kind === 'scalar' ? resolveScalar(node) : resolveBelow(node, path);
    active.delete(node);
    memo.set(node, result);
    return result;
  };

  const resolveBelow = (node: Node, path: string): Node => {
    const below = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`);
    if (!node.map)
      return resolvedContainer(
        node,
        node.list!.map((item, index) => resolve(item, below(index))),
        null,
      );
    const map = new Map<string, Node>();
    for (const [key, value] of node.map) map.set(key, value.dynamic ? resolve(value, below(key)) : value);
    return resolvedContainer(node, null, map);
  };

  const resolveScalar = (node: Node): Node => {
    const text = node.scalar as string;
    let template = parsed.get(text);
    if (!template) {
      template = parseTemplate(text);
      parsed.set(text, template);
    }
    if (template.fault) {
      const { message, start, end } = template.fault;
      report('SFX2106', message, within(node, text, start, end), message);
      return unresolved(node);
    }
    const outcome = fill(template.template, node);
    return 'node' in outcome ? outcome.node : unresolved(node);
  };

  const unresolved = (node: Node): Node => {
    const copy = { ...node, dynamic: false };
    failed.add(copy);
    return copy;
  };

  /** A template in the place of `holder`: one variable alone keeps the type of its value. */
  const fill = (template: Template, holder: Node): Outcome => {
    const only = template.length === 1 ? template[0]! : null;
    if (only !== null && typeof only !== 'string') {
      const outcome = evaluate(only, spanOf(only, holder));
      if (!('node' in outcome)) return outcome;
      const node = placed(outcome.node, holder);
      if (failed.has(outcome.node)) failed.add(node);
      return { node };
    }
    const text = fillText(template, (variable) => spanOf(variable, holder));
    if ('failed' in text) return FAILED;
    return {
      node: { ...holder, scalar: text.value, taint: text.secret ? text.shown : null, dynamic: false },
    };
  };

  const fillText = (
    template: Template,
    at: (variable: Variable) => Span,
  ): { value: string; shown: string; secret: boolean } | { failed: true } => {
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
      const outcome = evaluate(part, at(part));
      const piece =
        'node' in outcome && !failed.has(outcome.node) ? asText(outcome.node, part, at(part)) : undefined;
      if (!piece) {
        bad = true;
        continue;
      }
      value += piece.value;
      shown += piece.taint ?? piece.value;
      secret ||= piece.taint !== null;
      if (value.length > MAX_TEXT) {
        report('SFX2109', `this text becomes longer than ${MAX_TEXT} characters`, at(part));
        return { failed: true };
      }
    }
    return bad ? { failed: true } : { value, shown, secret };
  };

  const asText = (
    node: Node,
    variable: Variable,
    at: Span,
  ): { value: string; taint: string | null } | undefined => {
    if (node.kind === 'scalar' && node.scalar !== null)
      return { value: String(node.scalar), taint: node.taint };
    const what = node.kind === 'map' ? 'a mapping' : node.kind === 'list' ? 'a list' : 'null';
    report('SFX2108', `${variable.text} is ${what}, which cannot be a part of a text`, at, what);
    return undefined;
  };

  const evaluate = (variable: Variable, at: Span): Outcome => {
    const known = found.get(variable.text);
    if (known) return { node: known };
    const reasons: string[] = [];
    for (const term of variable.terms) {
      const outcome = evaluateTerm(term, at);
      if ('failed' in outcome) return outcome;
      if ('node' in outcome) {
        const none =
          outcome.node.kind === 'scalar' && outcome.node.scalar === null && term.kind !== 'literal';
        if (!none) {
          found.set(variable.text, outcome.node);
          return outcome;
        }
        reasons.push('it is null');
      } else reasons.push(outcome.missing);
    }
    report('SFX2101', `${variable.text} has no value: ${reasons.join('; ')}`, at, reasons.join('; '));
    return FAILED;
  };

  const evaluateTerm = (term: Term, at: Span): Outcome => {
    if (term.kind === 'variable') return evaluate(term.variable, at);
    if (term.kind === 'literal') return literal(term.value, at);
    const source = sources.get(term.name);
    if (!source) {
      const names = [...sources.keys()];
      const near = NOT_READ.includes(term.name) ? '' : didYouMean(term.name, names);
      const message = `\${${term.name}:…} is not a source that sfx reads${near}`;
      report('SFX2102', message, at, `sources: ${names.join(', ')}`);
      return FAILED;
    }
    const params = term.params && fillText(term.params, () => at);
    const address = term.address && fillText(term.address, () => at);
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
    const outcome = settle(answers.get(key) ?? source.read(request, context), key, at);
    // The reason would name what was looked for, which came from outside.
    return 'missing' in outcome && request.secret ? { missing: `\${${shown}} is not there` } : outcome;
  };

  const settle = (answer: Answer, key: string, at: Span): Outcome => {
    if ('node' in answer) {
      protect(answer.node);
      return answer;
    }
    if ('missing' in answer) return answer;
    if ('problem' in answer) report(answer.code, answer.problem, at, undefined, answer.hint);
    else if ('pending' in answer) waiting.set(key, answer.pending);
    return FAILED;
  };

  const protect = ({ taint, scalar }: Node): void => {
    if (taint !== null) init.problems.protect(String(scalar), taint);
  };

  const literal = (value: Scalar | Template, at: Span): Outcome => {
    let scalar: Scalar;
    let taint: string | null = null;
    if (typeof value === 'object' && value !== null) {
      const text = fillText(value, () => at);
      if ('failed' in text) return FAILED;
      scalar = text.value;
      taint = text.secret ? text.shown : null;
    } else scalar = value;
    const base = { kind: 'scalar' as const, list: null, map: null, keyStart: -1, keyEnd: -1, dynamic: false };
    return { node: { ...base, scalar, taint, source: at.source, start: -1, end: -1, site: at } };
  };

  const walk = (from: Node, path: readonly string[], label: string): Answer => {
    let node = from;
    let done = '';
    for (const key of path) {
      if (node.kind === 'scalar' && node.dynamic) {
        const cycle = cycleThrough(node);
        if (cycle) return cycle;
        node = resolve(node, label + done);
        if (failed.has(node)) return { failed: true };
      }
      const next = child(node, key);
      if (!next) return { missing: missing(node, key, label, done) };
      node = next;
      done += done === '' && label === '' ? key : `.${key}`;
    }
    const cycle = cycleThrough(node);
    if (cycle) return cycle;
    return { node: resolve(node, label + done) };
  };

  const cycleThrough = (node: Node): Answer | undefined => {
    if (!active.has(node)) return undefined;
    const names = [...active.values()];
    const from = [...active.keys()].indexOf(node);
    const steps = names
      .slice(from)
      .filter((name, index, all) => index === 0 || !all[index + 1]?.startsWith(`${name}.`));
    const path = [...steps, names[from]!].map((name) => name || 'the whole file').join(' -> ');
    return { problem: `this variable needs itself: ${path}`, code: 'SFX2103' };
  };

  const report = (code: ErrorCode, message: string, at: Span, note?: string, hint?: string): void => {
    init.problems.add({ code, message, at, ...(note ? { note } : {}), ...(hint ? { hint } : {}) });
  };

  const context: SourceContext = { ...init, walk };
  return { resolve, walk, failed };
}

function missing(node: Node, key: string, label: string, done: string): string {
  const where = label + done === '' ? 'the file' : label + done;
  const known = node.map ? didYouMean(key, node.map.keys()) : '';
  return `${where} has no ${key}${known}`;
}

/** Where a variable stands in the text of its file; its holder when it is folded over lines. */
function spanOf(variable: Variable, holder: Node): Span {
  return find(holder, variable.text) ?? valueSpan(holder);
}

function within(holder: Node, text: string, start: number, end: number): Span {
  return find(holder, text.slice(start, end)) ?? valueSpan(holder);
}

function find(holder: Node, text: string): Span | undefined {
  if (holder.start < 0) return undefined;
  const index = holder.source.text.indexOf(text, holder.start);
  if (index < 0 || index + text.length > holder.end) return undefined;
  return { source: holder.source, start: index, end: index + text.length };
}
