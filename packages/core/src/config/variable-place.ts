import { didYouMean } from './nearest.js';
import { type Node, valueSpan } from './node.js';
import type { Span } from './text.js';
import type { Variable } from './variables.js';

/** Why a key is not there. */
export function missing(node: Node, key: string, label: string, done: string): string {
  const where = label + done === '' ? 'the file' : label + done;
  const known = node.map ? didYouMean(key, node.map.keys()) : '';
  return `${where} has no ${key}${known}`;
}

/** Where a variable stands in the text of its file; its holder when it is folded over lines. */
export function spanOf(variable: Variable, holder: Node): Span {
  return find(holder, variable.text) ?? valueSpan(holder);
}

/** A part of the holder's text, such as a variable that cannot be read. */
export function within(holder: Node, text: string, start: number, end: number): Span {
  return find(holder, text.slice(start, end)) ?? valueSpan(holder);
}

function find(holder: Node, text: string): Span | undefined {
  if (holder.start < 0) return undefined;
  const index = holder.source.text.indexOf(text, holder.start);
  if (index < 0 || index + text.length > holder.end) return undefined;
  return { source: holder.source, start: index, end: index + text.length };
}
