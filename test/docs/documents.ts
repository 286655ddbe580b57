import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Documents that people read, as paths from the root of the repository. */
export const documents: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...below('docs'),
  ...readdirSync(join(root, 'examples')).map((name) => join('examples', name, 'README.md')),
];

/** Documents whose commands are run. */
export const guides: readonly string[] = [
  'README.md',
  ...below('docs/guides'),
  ...documents.filter((path) => path.startsWith('examples/')),
];

function below(dir: string): string[] {
  return readdirSync(join(root, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** A fenced `sh` block with what the comments before it say. */
export interface Block {
  readonly line: number;
  readonly script: string;
  /** `<!-- test: exit 4 -->`; default 0. */
  readonly exit: number;
  /** `<!-- test: prints TEXT -->`: in what comes out, on either stream. */
  readonly prints: readonly string[];
  /** `<!-- test: before COMMAND -->`: run first, unseen by readers. */
  readonly before: readonly string[];
  /** `<!-- test: needs PROGRAM -->`: left out, and told as such, on a machine without it. */
  readonly needs: readonly string[];
}

const MARKER = /^<!-- test: (exit|prints|before|needs) (.+) -->$/;

export function blocksOf(text: string): readonly Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  let markers: (readonly [key: string, value: string])[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const marker = MARKER.exec(line);
    if (marker) markers.push([marker[1]!, marker[2]!]);
    else if (line.startsWith('<!-- test:')) throw new Error(`line ${at + 1}: not a marker: ${line}`);
    else if (line.startsWith('```')) {
      const end = lines.indexOf('```', at + 1);
      if (line === '```sh') blocks.push(blockOf(at + 1, lines.slice(at + 1, end), markers));
      else if (markers.length > 0) throw new Error(`line ${at + 1}: markers before a block that is not run`);
      markers = [];
      at = end;
    } else if (line.trim() !== '' && markers.length > 0)
      throw new Error(`line ${at + 1}: markers without a block`);
  }
  return blocks;
}

function blockOf(
  line: number,
  lines: readonly string[],
  markers: readonly (readonly [string, string])[],
): Block {
  const all = (key: string) => markers.filter(([name]) => name === key).map(([, value]) => value);
  return {
    line,
    script: lines.join('\n'),
    exit: Number(all('exit')[0] ?? 0),
    prints: all('prints'),
    before: all('before'),
    needs: all('needs'),
  };
}

/** Relative links of a document: the file they name from the root, and the anchor. */
export function linksOf(path: string): readonly { readonly file: string; readonly anchor: string }[] {
  const text = textOf(path).replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [file = '', anchor = ''] = link.split('#');
      return { file: file === '' ? path : join(dirname(path), file), anchor };
    });
}

/** Anchors of a document's headings, as they are made for them. */
export function anchorsOf(path: string): ReadonlySet<string> {
  const text = textOf(path).replaceAll(/^```[\s\S]*?^```/gm, '');
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
