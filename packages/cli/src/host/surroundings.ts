import type { Look } from '../render/look.js';
import type { Io, Out } from './io.js';

type Env = Io['env'];

function set(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

/** Whether the locale shows more than ASCII. Where nothing is said, Windows and macOS do and others do not. */
export function isUnicode(env: Env, platform: string): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(set);
  if (locale !== undefined) return /utf-?8/i.test(locale);
  return platform === 'win32' || platform === 'darwin';
}

/** Lines may be redrawn and coloured: a terminal, and nobody who asked for plain text. */
export function isLively(out: Out, env: Env, color: boolean): boolean {
  return out.terminal && color && !set(env['NO_COLOR']) && !set(env['CI']) && env['TERM'] !== 'dumb';
}

export function lookOf(out: Out, io: Io, color: boolean): Look {
  return { colour: isLively(out, io.env, color), unicode: isUnicode(io.env, io.platform) };
}
