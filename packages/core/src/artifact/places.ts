import { readFileSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { renderFrame } from '../config/frame.js';
import { sourceText } from '../config/text.js';
import type { Diagnostic } from '../errors.js';
import type { Position } from '../model/service.js';

/** Names files as people see them, and draws frames around places in them. */
export interface Places {
  /** Relative to where the command runs. */
  name(path: string): string;
  /** `at` and `frame` of a diagnostic. `line` is used when the file itself cannot be read. */
  mark(at: Position, note?: string, line?: string): Pick<Diagnostic, 'at' | 'frame'>;
}

export function createPlaces(cwd: string): Places {
  return {
    name: (path) => posix(relative(cwd, path)),
    mark(at, note, line) {
      const path = resolve(cwd, at.file);
      const text = textOf(path) ?? (line === undefined ? undefined : '\n'.repeat(at.line - 1) + line);
      if (text === undefined) return { at };
      return { at, frame: renderFrame(sourceText(path, at.file, text), at, note) };
    },
  };
}

export function posix(path: string): string {
  return sep === '/' ? path : path.split(sep).join('/');
}

/** A place in a file that is gone meanwhile has no frame; the place itself is still told. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
