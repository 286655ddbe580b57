/** What is wrong with a text, at which offsets. Thrown inside this folder, never beyond the reader. */
export interface YamlFault {
  readonly fault: true;
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

export function fault(message: string, start: number, end = start + 1): YamlFault {
  return { fault: true, message, start, end };
}

export function isYamlFault(thrown: unknown): thrown is YamlFault {
  return typeof thrown === 'object' && thrown !== null && (thrown as { fault?: unknown }).fault === true;
}

export const MAX_DEPTH = 100;

/** Words of the parser that say too little, in plain ones. */
export const plainWords: Readonly<Record<string, string>> = {
  'tab characters must not be used in indentation': 'a tab cannot indent YAML; use spaces',
  'bad indentation of a mapping entry': 'this line is indented differently from the lines it belongs to',
  'bad indentation of a sequence entry': 'this line is indented differently from the lines it belongs to',
  'can not read a block mapping entry; a multiline key may not be an implicit key':
    "this line has no ':' after its key",
  "expected ':' after a mapping key": "this line has no ':' after its key",
  'can not read an implicit mapping pair; a colon is missed': "this line has no ':' after its key",
  'end of the stream or a document separator is expected': 'this does not fit what stands before it',
  'deficient indentation': 'a quote or bracket that was opened is not closed, or this line is not indented',
  'null byte is not allowed in input': 'the file holds a null byte; it is not text',
  'unexpected end of the stream within a flow collection': 'a bracket that was opened is not closed',
  'unexpected end of the stream within a double quoted scalar': 'a quote that was opened is not closed',
  'unexpected end of the stream within a single quoted scalar': 'a quote that was opened is not closed',
  [`nesting exceeded maxDepth (${MAX_DEPTH})`]: `nested deeper than ${MAX_DEPTH} levels`,
};
