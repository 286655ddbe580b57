import type { Scalar } from './node.js';

/** Text in which variables may stand. */
export type Template = readonly (string | Variable)[];

export interface Variable {
  /** As written, from `${` to `}`. */
  readonly text: string;
  /** In the order in which they are tried. */
  readonly terms: readonly Term[];
}

export type Term =
  | { readonly kind: 'source'; readonly name: string; readonly params: Template | null; readonly address: Template | null }
  | { readonly kind: 'literal'; readonly value: Scalar | Template }
  | { readonly kind: 'variable'; readonly variable: Variable };

export interface VariableFault {
  readonly message: string;
  /** Offsets in the parsed text. */
  readonly start: number;
  readonly end: number;
}

export interface Parsed {
  readonly template: Template;
  readonly fault: VariableFault | null;
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;

function isNameChar(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code === 45;
}

/** Whether `${` at `index` begins a variable: a lower-case source name, then `:` or `(`. `${AWS::Region}` and `${Name}` do not. */
function sourceNameEnd(text: string, index: number): number {
  const first = text.charCodeAt(index);
  if (first < 97 || first > 122) return -1;
  let end = index + 1;
  while (isNameChar(text.charCodeAt(end))) end++;
  const next = text[end];
  if (next === '(') return end;
  return next === ':' && text[end + 1] !== ':' ? end : -1;
}

function skipSpace(text: string, index: number): number {
  let at = index;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at++;
  return at;
}

/** Reads text with variables. What is no variable of sfx (`${Name}`, `${AWS::Region}`) stays text; `\${` is a literal `${`. */
export function parseTemplate(text: string): Parsed {
  const reader = createReader(text);
  try {
    return { template: reader.template(), fault: null };
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    return { template: [text], fault: thrown };
  }
}

function isFault(thrown: unknown): thrown is VariableFault {
  return typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error) && 'start' in thrown;
}

function createReader(text: string) {
  let at = 0;

  const fault = (message: string, start: number, end = text.length): VariableFault => ({ message, start, end });

  /** Text up to a character of `stops` at this level, or to the end. */
  const until = (stops: string, opened: number): Template => {
    const parts: (string | Variable)[] = [];
    let literal = '';
    let parens = 0;
    for (;;) {
      const char = text[at];
      if (char === undefined) {
        if (stops === '') break;
        throw fault('this variable is not closed', opened);
      }
      if (parens === 0 && stops !== '' && stops.includes(char)) break;
      if (char === '\\' && text.startsWith('${', at + 1)) {
        literal += '${';
        at += 3;
      } else if (char === '$' && text[at + 1] === '{' && opens(at)) {
        if (literal) parts.push(literal);
        literal = '';
        parts.push(variable());
      } else {
        if (stops === ')' && char === '(') parens++;
        else if (stops === ')' && char === ')') parens--;
        literal += char;
        at++;
      }
    }
    if (literal || parts.length === 0) parts.push(literal);
    return parts;
  };

  const opens = (index: number): boolean => sourceNameEnd(text, skipSpace(text, index + 2)) >= 0;

  const variable = (): Variable => {
    const start = at;
    at = skipSpace(text, at + 2);
    const terms: Term[] = [];
    for (;;) {
      terms.push(term(start));
      at = skipSpace(text, at);
      if (text[at] === '}') break;
      if (text[at] !== ',') throw fault(at >= text.length ? 'this variable is not closed' : "a ',' or '}' is missing here", at >= text.length ? start : at, at >= text.length ? text.length : at + 1);
      at = skipSpace(text, at + 1);
    }
    at++;
    return { text: text.slice(start, at), terms };
  };

  const term = (opened: number): Term => {
    const char = text[at];
    if (char === "'" || char === '"') return quoted(char);
    if (char === '$' && text[at + 1] === '{') {
      if (opens(at)) return { kind: 'variable', variable: variable() };
      throw fault('only a variable with a source can stand here, such as ${self:custom.name}', at, at + 2);
    }
    const nameEnd = sourceNameEnd(text, at);
    if (nameEnd >= 0) return source(nameEnd, opened);
    return bare(opened);
  };

  const source = (nameEnd: number, opened: number): Term => {
    const name = text.slice(at, nameEnd);
    at = nameEnd;
    let params: Template | null = null;
    if (text[at] === '(') {
      at++;
      params = trimmed(until(')', opened));
      at++;
    }
    let address: Template | null = null;
    if (text[at] === ':') {
      at++;
      address = trimmed(until(',}', opened));
    }
    return { kind: 'source', name, params, address };
  };

  const quoted = (quote: string): Term => {
    const start = at++;
    const value = until(quote, start);
    at++;
    return { kind: 'literal', value: value.length === 1 && typeof value[0] === 'string' ? value[0] : value };
  };

  const bare = (opened: number): Term => {
    const start = at;
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at++;
    if (at >= text.length) throw fault('this variable is not closed', opened);
    const word = text.slice(start, at).trim();
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
    if (word === 'null') return { kind: 'literal', value: null };
    if (NUMBER.test(word)) return { kind: 'literal', value: Number(word) };
    const message = word === '' ? 'a fallback is missing here' : `put a text in quotes: '${word}'`;
    throw fault(message, start, Math.max(at, start + 1));
  };

  return { template: () => until('', 0) };
}

function trimmed(template: Template): Template {
  const last = template.length - 1;
  return template.map((part, index) => {
    if (typeof part !== 'string') return part;
    const left = index === 0 ? part.trimStart() : part;
    return index === last ? left.trimEnd() : left;
  });
}
