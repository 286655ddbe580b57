import type { Position } from '../model/service.js';

/** The text of one file that was read. Offsets are JavaScript string offsets; a byte order mark is already gone. */
export interface SourceText {
  /** Absolute. */
  readonly path: string;
  /** As people see it: relative to where the command runs. */
  readonly name: string;
  readonly text: string;
  /** Offset of each line's start; made when the first position is asked for. */
  lines: number[] | null;
}

export interface Span {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

export function sourceText(path: string, name: string, text: string): SourceText {
  return { path, name, text, lines: null };
}

/** Start offsets of all lines; `\n`, `\r\n` and a lone `\r` end one, as in YAML. */
export function lineStarts(source: SourceText): readonly number[] {
  if (source.lines) return source.lines;
  const { text } = source;
  const lines = [0];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 10 || (code === 13 && text.charCodeAt(index + 1) !== 10)) lines.push(index + 1);
  }
  source.lines = lines;
  return lines;
}

export function lineText(source: SourceText, line: number): string {
  const lines = lineStarts(source);
  const start = lines[line - 1] ?? source.text.length;
  const end = lines[line] ?? source.text.length;
  return source.text.slice(start, end).replace(/[\r\n]+$/, '');
}

/** The place of a span; a span of several lines is marked up to the end of its first one. */
export function positionOf({ source, start, end }: Span): Position {
  const lines = lineStarts(source);
  const at = Math.max(0, Math.min(start, source.text.length));
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  const column = at - lines[low]! + 1;
  const rest = lineText(source, low + 1).length - (column - 1);
  return { file: source.name, line: low + 1, column, length: Math.max(1, Math.min(end - start, rest)) };
}
