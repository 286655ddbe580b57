import type { LogLine } from '@sfx-deploy/core';
import { harmless } from './text.js';

/** `2026-03-01T12:00:00.000Z list 42 ! text`: when, who, which release, and whether it is an error or the engine's. */
export function logLine(
  line: LogLine & { readonly release: number | null },
  options: { readonly activation?: boolean } = {},
): string {
  const where = `${harmless(line.function)}${line.release === null ? '' : ` ${line.release}`}`;
  const call =
    options.activation && line.activation !== undefined ? ` ${harmless(line.activation).slice(0, 8)}` : '';
  const mark = line.stream === 'stdout' ? ' ' : line.stream === 'stderr' ? '!' : '*';
  return `${line.at} ${where}${call} ${mark} ${harmless(line.text)}`;
}
