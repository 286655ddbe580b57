import type { ErrorRow } from '@sfx-deploy/core/errors';
import { type Look, paint } from './look.js';
import { columns, labelled } from './text.js';

const kinds: Readonly<Record<ErrorRow['kind'], string>> = {
  mistake: 'mistake: something in the command, the file or the code to correct',
  provider: 'provider: a call to the provider, or what runs there, failed',
  conflict: 'conflict: something else holds the stage, or moved it',
  defect: 'defect: sfx itself is wrong',
};

const exits: Readonly<Record<number, string>> = {
  1: 'failed, no traffic moved',
  3: 'rolled back',
  4: 'partial or interrupted',
  5: 'paused, waiting or inconclusive',
  64: 'user mistake',
  70: 'defect in sfx',
  75: 'held by another; run again',
};

/** Where the code is explained at length. */
export function anchorOf(code: string): string {
  return `docs/reference/errors.md#${code.toLowerCase()}`;
}

/** One row of the error table, for people. */
export function explainLines(code: string, row: ErrorRow, look: Look): string[] {
  return [
    `${paint(look, 'bold', code)} ${row.title}`,
    '',
    ...labelled('whose', kinds[row.kind], 13, 2),
    ...labelled('do', row.hint, 13, 2),
    ...labelled('exit', `${row.exit}: ${exits[row.exit]}`, 13, 2),
    ...labelled('more', anchorOf(code), 13, 2),
  ];
}

/** All of the table, a line each. */
export function tableLines(table: Readonly<Record<string, ErrorRow>>): string[] {
  return columns(Object.entries(table).map(([code, row]) => [code, row.kind, row.title]));
}
