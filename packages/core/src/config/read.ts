import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../errors.js';
import type { Node } from './node.js';
import type { Problems } from './problems.js';
import { type SourceText, sourceText } from './text.js';
import { readYaml } from './yaml.js';
import { isYamlFault } from './yaml-fault.js';

/** Bytes that one configuration file may have. */
export const MAX_BYTES = 10 * 1024 * 1024;

export type FileText =
  | { readonly source: SourceText }
  | { readonly absent: true }
  | { readonly refused: string };

function errno(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException | null)?.code ?? '';
}

/** The text of a file; `refused` says in plain words why it cannot be one. */
export function readText(path: string, name: string): FileText {
  let bytes: Buffer;
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) return { refused: `${name} is larger than 10 MB` };
    bytes = readFileSync(path);
  } catch (thrown) {
    const code = errno(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { absent: true };
    if (code === 'EISDIR') return { refused: `${name} is a folder` };
    return { refused: `${name} cannot be read: ${code || messageOf(thrown)}` };
  }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { refused: `${name} is UTF-16; save it as UTF-8` };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { refused: `${name} is UTF-16; save it as UTF-8` };
  const text = bytes.toString('utf8');
  return { source: sourceText(path, name, text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) };
}

/** Where a text that is not UTF-8 first shows it: the decoder left U+FFFD there. */
function badByte(source: SourceText): number {
  if (!source.text.includes('\ufffd')) return -1;
  // A file may hold U+FFFD itself; only its bytes tell.
  return isUtf8(readFileSync(source.path)) ? -1 : source.text.indexOf('\ufffd');
}

/** Nodes of a YAML or JSON text; undefined when it has a fault, which is then among the problems. */
export function parseText(source: SourceText, problems: Problems): Node | undefined {
  const bad = badByte(source);
  if (bad >= 0) {
    const at = { source, start: bad, end: bad + 1 };
    problems.add({ code: 'SFX2001', message: 'the file is not UTF-8', at, note: 'not UTF-8 from here' });
    return undefined;
  }
  try {
    return readYaml(source);
  } catch (thrown) {
    if (!isYamlFault(thrown)) throw thrown;
    const { message, start, end } = thrown;
    problems.add({ code: 'SFX2001', message, at: { source, start, end }, note: message });
    return undefined;
  }
}
