import type { Position } from '../model/service.js';
import { lineText, type SourceText } from './text.js';

const WIDTH = 96;

/** Tabs and control characters take one column each, so that marks stand below what they mean. */
function flat(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, ' ');
}

/** The part of a long line around the mark. */
function window(text: string, column: number): { text: string; column: number } {
  if (text.length <= WIDTH) return { text, column };
  const from = Math.max(0, Math.min(column - 1 - 40, text.length - WIDTH));
  const cut = `${from > 0 ? '…' : ''}${text.slice(from > 0 ? from + 1 : 0, from + WIDTH)}`;
  return { text: cut, column: column - from };
}

/**
 * The line that is meant, the one before it, and marks with a short note:
 *
 *       13 |   list:
 *       14 |     handler: scr/list.get
 *          |              ^^^^^^^^ no scr/list.{ts,js,mjs,cjs}; did you mean src/list?
 */
export function renderFrame(source: SourceText, at: Position, note = ''): string {
  const digits = String(at.line).length;
  const row = (label: string, text: string): string => `  ${label.padStart(digits)} | ${text}`.trimEnd();
  const { text, column } = window(flat(lineText(source, at.line)), at.column);
  const marks = '^'.repeat(Math.max(1, Math.min(at.length ?? 1, text.length - column + 1)));
  const lines = [
    row(String(at.line), text),
    row('', `${' '.repeat(column - 1)}${marks}${note ? ` ${note}` : ''}`),
  ];
  if (at.line > 1) {
    const before = flat(lineText(source, at.line - 1));
    const shift = at.column - column;
    lines.unshift(row(String(at.line - 1), before.slice(shift, shift + WIDTH)));
  }
  return lines.join('\n');
}
