import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from './nearest.js';
import type { Node } from './node.js';
import { valueSpan } from './node.js';
import type { Problems } from './problems.js';
import type { Span } from './text.js';

export interface HandlerUse {
  readonly handler: string;
  readonly runtime: string;
  readonly node: Node;
}

interface Language {
  /** In the order in which they are tried. */
  readonly endings: readonly string[];
  /** As people see them. */
  readonly shown: string;
}

const node: Language = { endings: ['ts', 'mts', 'js', 'mjs', 'cjs'], shown: '{ts,js,mjs,cjs}' };
const python: Language = { endings: ['py'], shown: 'py' };

/** Runtimes whose handlers are files of the project; of others (images, compiled ones) nothing can be told here. */
function languageOf(runtime: string): Language | undefined {
  if (runtime.startsWith('nodejs')) return node;
  return runtime.startsWith('python') ? python : undefined;
}

/** Names in a folder below the project; undefined when there is no such folder. Each folder is read once. */
type Lister = (folder: string) => ReadonlySet<string> | undefined;

function createLister(dir: string): Lister {
  const known = new Map<string, ReadonlySet<string> | undefined>();
  return (folder) => {
    if (known.has(folder)) return known.get(folder);
    let names: ReadonlySet<string> | undefined;
    try {
      names = new Set(readdirSync(join(dir, folder)));
    } catch {
      // A folder that cannot be listed holds no handler; the diagnostic says which file was looked for.
      names = undefined;
    }
    known.set(folder, names);
    return names;
  };
}

/** Providers whose handlers are `file.export`; elsewhere a handler may be an export alone, or a folder. */
const FILE_AND_EXPORT: readonly string[] = ['local', 'aws'];

/** Reports handlers whose file is not there (SFX2301), or that name no export (SFX2202). */
export function checkHandlers(
  uses: readonly HandlerUse[],
  provider: string,
  dir: string,
  problems: Problems,
): void {
  if (provider !== '' && !FILE_AND_EXPORT.includes(provider)) return;
  const list = createLister(dir);
  for (const use of uses) {
    const language = languageOf(use.runtime);
    if (!language) continue;
    const slash = use.handler.lastIndexOf('/');
    const dot = use.handler.lastIndexOf('.');
    if (dot <= slash + 1 || dot === use.handler.length - 1) {
      const message = 'a handler is a file without its ending, a dot, and the export: src/list.get';
      problems.add({ code: 'SFX2202', message, at: valueSpan(use.node), note: 'names no export' });
      continue;
    }
    const stem = use.handler.slice(0, dot).replace(/^\.\//, '');
    if (exists(stem, language, list)) continue;
    const near = suggest(stem, language, list);
    const shown = use.node.taint === null ? `${stem}.${language.shown}` : 'such file';
    const note = `no ${shown}${near === undefined || use.node.taint !== null ? '' : `; did you mean ${near}?`}`;
    problems.add({ code: 'SFX2301', message: note, at: fileSpan(use), note });
  }
}

function split(stem: string): { folder: string; name: string } {
  const slash = stem.lastIndexOf('/');
  return slash < 0
    ? { folder: '.', name: stem }
    : { folder: stem.slice(0, slash), name: stem.slice(slash + 1) };
}

function exists(stem: string, language: Language, list: Lister): boolean {
  const { folder, name } = split(stem);
  const names = list(folder);
  return names !== undefined && language.endings.some((ending) => names.has(`${name}.${ending}`));
}

/** The file that was likely meant: each folder on the way, then the name, is taken as it is or as its nearest. */
function suggest(stem: string, language: Language, list: Lister): string | undefined {
  const parts = stem.split('/');
  const name = parts.pop()!;
  let folder = '.';
  for (const part of parts) {
    const names = list(folder);
    const next = names?.has(part) ? part : nearest(part, names ?? []);
    if (next === undefined) return undefined;
    folder = folder === '.' ? next : `${folder}/${next}`;
  }
  const stems = [...(list(folder) ?? [])].flatMap((file) => {
    const dot = file.lastIndexOf('.');
    return language.endings.includes(file.slice(dot + 1)) ? [file.slice(0, dot)] : [];
  });
  const found = stems.includes(name) ? name : nearest(name, stems);
  if (found === undefined) return undefined;
  return folder === '.' ? found : `${folder}/${found}`;
}

/** Only the file's part of the handler is marked, where the text shows it as it is. */
function fileSpan(use: HandlerUse): Span {
  const span = valueSpan(use.node);
  const written = span.source.text.slice(span.start, span.end);
  if (written !== use.handler) return span;
  return { ...span, end: span.start + written.lastIndexOf('.') };
}
