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
  | {
      readonly kind: 'source';
      readonly name: string;
      readonly params: Template | null;
      readonly address: Template | null;
    }
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
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45
  );
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
  const reader: Reader = { text, at: 0 };
  try {
    return { template: readUntil(reader, '', 0), fault: null };
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    return { template: [text], fault: thrown };
  }
}

interface Reader {
  readonly text: string;
  at: number;
}

function isFault(thrown: unknown): thrown is VariableFault {
  return typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error) && 'start' in thrown;
}

function fault(message: string, start: number, end: number): VariableFault {
  return { message, start, end };
}

function notClosed({ text }: Reader, start: number): VariableFault {
  return fault('this variable is not closed', start, text.length);
}

function opens(text: string, index: number): boolean {
  return sourceNameEnd(text, skipSpace(text, index + 2)) >= 0;
}

/** Text up to a character of `stops` at this level, or to the end when there are none. */
function readUntil(reader: Reader, stops: string, opened: number): Template {
  const { text } = reader;
  const parts: (string | Variable)[] = [];
  let literal = '';
  let parens = 0;
  while (reader.at < text.length) {
    if (stops === '') literal += skipLiteral(reader);
    const char = text[reader.at];
    if (char === undefined) break;
    if (parens === 0 && stops !== '' && stops.includes(char)) break;
    if (char === '\\' && text.startsWith('${', reader.at + 1)) {
      literal += '${';
      reader.at += 3;
    } else if (char === '$' && text[reader.at + 1] === '{' && opens(text, reader.at)) {
      if (literal) parts.push(literal);
      literal = '';
      parts.push(readVariable(reader));
    } else {
      if (stops === ')' && char === '(') parens++;
      else if (stops === ')' && char === ')') parens--;
      literal += char;
      reader.at++;
    }
  }
  if (stops !== '' && reader.at >= text.length) throw notClosed(reader, opened);
  if (literal || parts.length === 0) parts.push(literal);
  return parts;
}

/** Text in which nothing begins; most of all text is such. */
function skipLiteral(reader: Reader): string {
  const { text, at } = reader;
  let end = text.indexOf('${', at);
  if (end < 0) end = text.length;
  else if (end > at && text[end - 1] === '\\') end--;
  reader.at = end;
  return text.slice(at, end);
}

function readVariable(reader: Reader): Variable {
  const { text } = reader;
  const start = reader.at;
  reader.at = skipSpace(text, start + 2);
  const terms: Term[] = [];
  for (;;) {
    terms.push(readTerm(reader, start));
    reader.at = skipSpace(text, reader.at);
    const char = text[reader.at];
    if (char === '}') break;
    if (char === undefined) throw notClosed(reader, start);
    if (char !== ',') throw fault("a ',' or '}' is missing here", reader.at, reader.at + 1);
    reader.at = skipSpace(text, reader.at + 1);
  }
  reader.at++;
  return { text: text.slice(start, reader.at), terms };
}

function readTerm(reader: Reader, opened: number): Term {
  const { text, at } = reader;
  const char = text[at];
  if (char === "'" || char === '"') return readQuoted(reader, char);
  if (char === '$' && text[at + 1] === '{') {
    if (opens(text, at)) return { kind: 'variable', variable: readVariable(reader) };
    throw fault('only a variable with a source can stand here, such as ${self:custom.name}', at, at + 2);
  }
  const nameEnd = sourceNameEnd(text, at);
  return nameEnd >= 0 ? readSource(reader, nameEnd, opened) : readBare(reader, opened);
}

function readSource(reader: Reader, nameEnd: number, opened: number): Term {
  const { text } = reader;
  const name = text.slice(reader.at, nameEnd);
  reader.at = nameEnd;
  let params: Template | null = null;
  if (text[reader.at] === '(') {
    reader.at++;
    params = trimmed(readUntil(reader, ')', opened));
    reader.at++;
  }
  let address: Template | null = null;
  if (text[reader.at] === ':') {
    reader.at++;
    address = trimmed(readUntil(reader, ',}', opened));
  }
  return { kind: 'source', name, params, address };
}

function readQuoted(reader: Reader, quote: string): Term {
  const start = reader.at++;
  const value = readUntil(reader, quote, start);
  reader.at++;
  return { kind: 'literal', value: value.length === 1 && typeof value[0] === 'string' ? value[0] : value };
}

function readBare(reader: Reader, opened: number): Term {
  const { text } = reader;
  const start = reader.at;
  while (reader.at < text.length && text[reader.at] !== ',' && text[reader.at] !== '}') reader.at++;
  if (reader.at >= text.length) throw notClosed(reader, opened);
  const word = text.slice(start, reader.at).trim();
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
  if (word === 'null') return { kind: 'literal', value: null };
  if (NUMBER.test(word)) return { kind: 'literal', value: Number(word) };
  const message = word === '' ? 'a fallback is missing here' : `put a text in quotes: '${word}'`;
  throw fault(message, start, Math.max(reader.at, start + 1));
}

function trimmed(template: Template): Template {
  const last = template.length - 1;
  return template.map((part, index) => {
    if (typeof part !== 'string') return part;
    const left = index === 0 ? part.trimStart() : part;
    return index === last ? left.trimEnd() : left;
  });
}
