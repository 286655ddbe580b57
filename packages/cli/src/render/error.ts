import { type Diagnostic, errorRow, type SfxError } from '@sfx-deploy/core/errors';
import { diagnosticLines, frameLines, tally } from './diagnostics.js';
import { type Look, paint, sign } from './look.js';
import { count, harmless, labelled, wrap } from './text.js';

export interface ErrorContext {
  /** The exit code is told to people, not to logs. */
  readonly terminal: boolean;
  readonly debug: boolean;
}

/** Whose it is stands in the first words: `defect in sfx:`, `provider:`; a user's own mistake is told plainly. */
function headline(error: SfxError): string {
  const row = errorRow(error.code);
  if (row?.kind === 'defect') return `defect in sfx: ${error.message}`;
  if (row?.kind === 'provider' && error.code.startsWith('SFX3')) return `provider: ${error.message}`;
  if (error.details.frame !== undefined && row) return row.title;
  return error.message;
}

/** An error for people: what, where, whose, what to do, and what was left as it is. */
export function errorLines(error: SfxError, context: ErrorContext, look: Look): string[] {
  const { details } = error;
  const many = details.diagnostics ?? [];
  if (many.length > 0) return [...diagnosticLines(many, look), closing(error, context, many)];
  const [first = '', ...more] = wrap(headline(error), 68);
  return [
    `${sign(look, 'bad')} ${paint(look, 'red', error.code)} ${first}`,
    ...more.map((line) => `  ${line}`),
    ...frameLines(details, error.message, look),
    ...factLines(error),
    ...outputLines(details.output ?? []),
    ...hintLines(error),
    ...(details.ways ?? []).flatMap((way) => labelled(way.label, way.command, 14, 2)),
    closing(error, context, []),
    ...(context.debug ? debugLines(error) : []),
  ];
}

function factLines(error: SfxError): string[] {
  const { unit, step, action, resource, requestId, facts } = error.details;
  const named = { unit, step, action, resource, request: requestId, ...facts };
  return Object.entries(named).flatMap(([label, value]) =>
    value === undefined ? [] : labelled(label, String(value), Math.max(14, label.length + 4), 2),
  );
}

/** What a program wrote last, marked as not sfx's own words. */
export function outputLines(lines: readonly string[]): string[] {
  return lines.map((line) => `  | ${harmless(line)}`.trimEnd());
}

function hintLines(error: SfxError): string[] {
  const hint = error.details.hint ?? (error.details.ways?.length ? undefined : errorRow(error.code)?.hint);
  return hint === undefined ? [] : wrap(hint, 76).map((line) => `  ${line}`);
}

export function exitOf(error: SfxError): number {
  return error.details.exit ?? errorRow(error.code)?.exit ?? 70;
}

/** What was left as it is: exit codes 64, 75 and 1 promise that; the others say in their message who gets traffic. */
function closing(error: SfxError, { terminal }: ErrorContext, many: readonly Diagnostic[]): string {
  const exit = exitOf(error);
  const counted = many.length > 0 ? tally(many) : count(1, 'error');
  const sentence =
    exit === 64
      ? `${counted}. Nothing was built or changed.`
      : exit === 75
        ? 'Nothing was changed.'
        : exit === 1
          ? 'No traffic moved.'
          : '';
  const more = errorRow(error.code)?.kind === 'mistake' ? '' : `See \`sfx explain ${error.code}\`.`;
  return `  ${[sentence, more, terminal ? `(exit ${exit})` : ''].filter((part) => part !== '').join(' ')}`;
}

function debugLines(error: SfxError): string[] {
  const lines: string[] = [];
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    lines.push(
      ...`${depth === 0 ? '' : 'caused by '}${at.stack ?? at.message}`.split('\n').map((line) => `  ${line}`),
    );
  }
  return ['', ...lines];
}

/** An error as JSON; it holds what people are told, and with `debug` the stack. */
export function errorDocument(error: SfxError, debug: boolean): object {
  const { cause: _cause, exit: _exit, ...details } = error.details;
  const row = errorRow(error.code);
  return {
    version: 1,
    error: {
      code: error.code,
      kind: row?.kind ?? 'defect',
      title: row?.title,
      message: error.message,
      ...details,
      hint: details.hint ?? row?.hint,
      ...(debug ? { stack: error.stack } : {}),
    },
    exit: exitOf(error),
  };
}
