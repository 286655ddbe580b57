import { artifactErrors } from './errors/artifact.js';
import { cliErrors } from './errors/cli.js';
import { configErrors } from './errors/config.js';
import { localErrors } from './errors/local.js';
import { providerErrors } from './errors/provider.js';
import { releaseErrors } from './errors/release.js';
import type { Position } from './model/service.js';

/**
 * Whose it is: the user's mistake, a provider's failure, something else that holds the stage or moved it,
 * or a defect in sfx. People see it in the first word.
 */
export type ErrorKind = 'mistake' | 'provider' | 'conflict' | 'defect';

/** One row of the error table. */
export interface ErrorRow {
  readonly kind: ErrorKind;
  readonly title: string;
  /** What to do, when the place that fails knows nothing better. */
  readonly hint: string;
  /** Process exit code when this error ends a command; see docs/reference/exit-codes.md. */
  readonly exit: 1 | 3 | 4 | 5 | 64 | 70 | 75;
}

/** The one table of errors. Key = code; each is explained by `sfx explain <CODE>`. */
export const errorTable = {
  ...cliErrors,
  ...configErrors,
  ...artifactErrors,
  ...providerErrors,
  ...releaseErrors,
  ...localErrors,
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** A command that a person can paste, with what it does. */
export interface WayOut {
  readonly label: string;
  readonly command: string;
}

/** One finding about the configuration, or a warning. A plain value: collected first, reported together. */
export interface Diagnostic {
  readonly code: ErrorCode;
  readonly severity: 'error' | 'warning';
  /** What is wrong; never holds a value that came from the environment or a secret. */
  readonly message: string;
  readonly at?: Position;
  /** Lines around `at` with marks, ready to print. */
  readonly frame?: string;
  /** Only when better than the table's. */
  readonly hint?: string;
}

export interface ErrorDetails {
  readonly at?: Position;
  readonly frame?: string;
  readonly hint?: string;
  readonly ways?: readonly WayOut[];
  /** Which unit, step, action and resource of which provider, with its request id. */
  readonly unit?: string;
  readonly step?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly requestId?: string;
  /** Milliseconds that a provider asked to wait before the call is tried again. Its presence means: may be retried. */
  readonly retryAfterMs?: number;
  /** The write may have landed although the answer was lost. */
  readonly unknownOutcome?: true;
  readonly diagnostics?: readonly Diagnostic[];
  readonly facts?: Readonly<Record<string, string | number>>;
  /** The last lines that a program wrote; shown to whoever ran it, and kept nowhere. */
  readonly output?: readonly string[];
  readonly cause?: unknown;
  readonly exit?: ErrorRow['exit'];
}

const brand = Symbol.for('sfx.error');

/** The only error that sfx throws on purpose. Recognize it with `isSfxError`, not `instanceof`: plugins carry their own copy. */
export class SfxError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly [brand] = true;
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SfxError';
    this.code = code;
    this.details = details;
  }
}

export function isSfxError(value: unknown): value is SfxError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true;
}

/** Makes (does not throw) a coded error. */
export function fail(code: ErrorCode, message: string, details?: ErrorDetails): SfxError {
  return new SfxError(code, message, details);
}

export function errorRow(code: string): ErrorRow | undefined {
  return (errorTable as Readonly<Record<string, ErrorRow>>)[code];
}

/** Any thrown thing as a coded one; what has no code is a defect in sfx (SFX9001), with its cause kept for `--debug`. */
export function asSfxError(thrown: unknown): SfxError {
  if (isSfxError(thrown)) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new SfxError('SFX9001', text, { cause: thrown });
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
