import type { Activation } from '@sfx-deploy/core';
import { logLine } from './log-line.js';
import { type Look, paint } from './look.js';
import { age, clip, columns, harmless, labelled, pad, shortVersion, width } from './text.js';

/** Characters of an id that people see and may type. */
const SHORT = 8;

export function shortActivation(id: string): string {
  return harmless(id).slice(0, SHORT);
}

/** What `--async` answers: the id, and how to look. */
export function takenLines(id: string, flags: string): string[] {
  const command = ['sfx activations', shortActivation(id), flags].filter((part) => part !== '').join(' ');
  return [harmless(id), `  ${pad('look', 11)}${command}`];
}

/** Rows of `sfx activations`, with their head unless more of them follow one that was shown. */
export function activationRows(
  all: readonly Activation[],
  now: number,
  look: Look,
  { head = true }: { readonly head?: boolean } = {},
): string[] {
  const rows = all.map((one) => [
    shortActivation(one.id),
    harmless(one.function),
    releaseText(one),
    one.cause,
    age(now - Date.parse(one.started ?? one.asked)),
    one.durationMs === null ? '-' : duration(one.durationMs),
    one.cold === null ? '-' : one.cold ? 'cold' : 'warm',
    statusText(one, look),
  ]);
  const heads = ['id', 'function', 'release', 'cause', 'age', 'took', 'start', 'status'];
  const widths = [SHORT, 10, 9, 8, 6, 8, 5];
  // Equal widths, so that what is added later stands below what is there.
  const padded = [...(head ? [heads] : []), ...rows].map((row) =>
    row.map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(cell)))),
  );
  return columns(padded).map((line) => clip(line, 100));
}

/** One call whole: what it was, what it answered, what it wrote. */
export function activationLines(one: Activation, look: Look): string[] {
  const fact = (label: string, text: string | null | undefined): string[] =>
    text === null || text === undefined ? [] : labelled(label, text, 13, 2);
  const logs = one.logs ?? [];
  return [
    `${paint(look, 'bold', harmless(one.function))} ${harmless(one.id)} ${statusText(one, look)}`,
    ...fact('release', releaseText(one) === '-' ? null : releaseText(one)),
    ...fact('version', one.version === null ? null : harmless(one.version)),
    ...fact('cause', one.cause),
    ...fact('asked', one.asked),
    ...fact('started', one.started),
    ...fact('took', one.durationMs === null ? null : duration(one.durationMs)),
    ...fact('start', one.cold === null ? null : one.cold ? 'cold' : 'warm'),
    ...fact('tries', one.attempt > 1 ? String(one.attempt) : null),
    ...(one.error === undefined
      ? []
      : fact('error', `${paint(look, 'red', one.error.code)} ${harmless(one.error.message)}`)),
    ...(one.result === undefined
      ? []
      : [
          '',
          'result',
          ...harmless(JSON.stringify(one.result, null, 2))
            .split('\n')
            .map(indented),
        ]),
    ...(logs.length === 0
      ? []
      : ['', 'logs', ...logs.map((line) => indented(logLine({ ...line, release: one.release })))]),
  ];
}

function indented(line: string): string {
  return `  ${line}`;
}

function releaseText({ release, version, function: name }: Activation): string {
  if (release !== null) return String(release);
  return version === null ? '-' : harmless(shortVersion(name, version));
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function statusText({ status, attempt }: Activation, look: Look): string {
  if (status === 'failed') return paint(look, 'red', status);
  if (status === 'retrying') return paint(look, 'yellow', `retrying (${attempt})`);
  return status;
}
