import { readdirSync } from 'node:fs';
import { basename, dirname, join, parse, resolve } from 'node:path';
import type { Location, Message } from 'esbuild';
import { didYouMean, nearest } from '../config/nearest.js';
import type { Diagnostic } from '../errors.js';
import type { Position } from '../model/service.js';
import { entryId, isVirtual } from './bundle.js';
import type { Entry } from './handler.js';
import { notThere } from './handler.js';
import type { Places } from './places.js';

/** Messages of the bundler as errors: SFX2303 for what cannot be resolved, SFX2302 for all else. Each place once. */
export function errorsOf(messages: readonly Message[], dir: string, places: Places): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const message of messages) {
    const one = errorOf(message, dir, places);
    found.set(`${one.at?.file}:${one.at?.line}:${one.at?.column} ${one.message}`, one);
  }
  return [...found.values()];
}

function errorOf({ text, location, notes }: Message, dir: string, places: Places): Diagnostic {
  const specifier = /^Could not resolve "(.+)"$/.exec(text)?.[1];
  if (specifier === undefined) {
    const message = [text, ...notes.map((note) => note.text)].join('; ');
    return { code: 'SFX2302', severity: 'error', message, ...marked(location, dir, places) };
  }
  const why = `no such ${specifier.startsWith('.') ? 'file' : 'package'}${near(specifier, location, dir)}`;
  return {
    code: 'SFX2303',
    severity: 'error',
    message: `${specifier}: ${why}`,
    ...marked(location, dir, places, why),
  };
}

/** Warnings about the project's own files; packages are their authors' business. */
export function warningsOf(messages: readonly Message[], dir: string, places: Places): Diagnostic[] {
  return messages
    .filter(
      ({ location }) =>
        location !== null && !isVirtual(location.file) && !/(^|\/)node_modules\//.test(location.file),
    )
    .map(({ text, location }) => ({
      code: 'SFX2309',
      severity: 'warning',
      message: text,
      ...marked(location, dir, places),
    }));
}

/** The entries whose handler file has no such export, as the bundler noticed in the modules that sfx wrote. */
export function withoutExport(messages: readonly Message[], entries: readonly Entry[]): readonly Entry[] {
  const ids = new Set(
    messages.filter(({ id }) => id === 'import-is-undefined').map(({ location }) => location?.file),
  );
  return entries.filter((entry) => ids.has(entryId(entry)));
}

export function noExport(
  entry: Entry,
  exports: readonly string[],
  at: Position | undefined,
  places: Places,
): Diagnostic {
  const close = nearest(entry.exportName, exports);
  const has = exports.length === 0 ? 'exports nothing' : `exports ${exports.join(', ')}`;
  const why = `${entry.file} ${has}${close === undefined ? '' : `; did you mean ${close}?`}`;
  const message = `function ${entry.function}: no export ${entry.exportName}: ${why}`;
  return { code: 'SFX2304', severity: 'error', message, ...(at && places.mark(at, why)) };
}

function marked(location: Location | null, dir: string, places: Places, note?: string): Partial<Diagnostic> {
  if (location === null) return {};
  const file = isVirtual(location.file) ? location.file : places.name(resolve(dir, location.file));
  const { line, lineText } = location;
  const column = columnOf(lineText, location.column);
  const length = Math.max(1, columnOf(lineText, location.column + location.length) - column);
  return places.mark({ file, line, column, length }, note, lineText);
}

/** The bundler counts bytes of UTF-8, from 0; people and editors count characters, from 1. */
function columnOf(line: string, bytes: number): number {
  return Buffer.from(line, 'utf8').subarray(0, bytes).toString('utf8').length + 1;
}

function near(specifier: string, location: Location | null, dir: string): string {
  if (!specifier.startsWith('.') || location === null) return '';
  const folder = join(dirname(resolve(dir, location.file)), dirname(specifier));
  const stems = namesIn(folder).map((name) => parse(name).name);
  const close = didYouMean(parse(basename(specifier)).name, new Set(stems));
  return close;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    return notThere(error as NodeJS.ErrnoException) ?? [];
  }
}
