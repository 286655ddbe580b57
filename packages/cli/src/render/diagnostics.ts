import { type Diagnostic, errorRow } from '@sfx-deploy/core/errors';
import { type Look, paint, sign } from './look.js';
import { count, pad, wrap } from './text.js';

interface Place {
  readonly at?: Diagnostic['at'];
  readonly frame?: string;
}

/** `serverless.yml:14:14`, then the lines with their marks; what is wrong stands beside the marks where it fits. */
export function frameLines(place: Place, message: string, look: Look): string[] {
  const where = place.at
    ? [`  ${paint(look, 'dim', `${place.at.file}:${place.at.line}:${place.at.column}`)}`]
    : [];
  if (place.frame === undefined) return where;
  const lines = place.frame.split('\n').map((line) => (/^ {2}/.test(line) ? line : `  ${line}`));
  const last = lines.at(-1) ?? '';
  if (!/^\s*\|\s*\^+$/.test(last)) return [...where, ...lines];
  const beside = `${last} ${message}`;
  if (beside.length <= 80) return [...where, ...lines.slice(0, -1), beside];
  return [...where, ...lines, ...wrap(message, 76).map((line) => `  ${line}`)];
}

/** All findings at once: errors with their place, warnings in one line each. */
export function diagnosticLines(diagnostics: readonly Diagnostic[], look: Look): string[] {
  const errors = diagnostics.filter((one) => one.severity === 'error');
  const warnings = diagnostics.filter((one) => one.severity === 'warning');
  return [...errors.flatMap((one) => errorLines(one, look)), ...warningLines(warnings, look)];
}

function errorLines(one: Diagnostic, look: Look): string[] {
  const row = errorRow(one.code);
  const framed = one.frame !== undefined;
  const noted = framed && !/\|\s*\^+$/.test(one.frame!);
  // Where the marks carry a short note, the head says it in full.
  const [first = '', ...more] = wrap(framed && !noted ? (row?.title ?? one.message) : one.message, 68);
  return [
    `${sign(look, 'bad')} ${paint(look, 'red', one.code)} ${first}`,
    ...more.map((line) => `  ${line}`),
    ...frameLines(one, one.message, look),
    ...(one.hint === undefined
      ? []
      : wrap(one.hint, 73).map((line, index) => `  ${index === 0 ? '-> ' : '   '}${line}`)),
  ];
}

/** `  warning SFX2107  serverless.yml:7   serverless-offline: not needed` */
export function warningLines(warnings: readonly Diagnostic[], look: Look): string[] {
  const places = warnings.map((one) => (one.at ? `${one.at.file}:${one.at.line}` : ''));
  const room = Math.min(28, Math.max(0, ...places.map((place) => place.length)));
  return warnings.flatMap((one, index) => {
    const head = `  ${paint(look, 'yellow', 'warning')} ${one.code}  ${pad(places[index]!, room)}${room === 0 ? '' : '  '}`;
    const indent = 20 + room + (room === 0 ? 0 : 2) - 1;
    const text = one.hint === undefined ? one.message : `${one.message} -> ${one.hint}`;
    return wrap(text, Math.max(30, 80 - indent)).map((line, at) =>
      at === 0 ? head + line : ' '.repeat(indent) + line,
    );
  });
}

/** `1 error, 2 warnings` */
export function tally(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((one) => one.severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const parts = [
    ...(errors > 0 ? [count(errors, 'error')] : []),
    ...(warnings > 0 ? [count(warnings, 'warning')] : []),
  ];
  return parts.length === 0 ? 'no errors' : parts.join(', ');
}
