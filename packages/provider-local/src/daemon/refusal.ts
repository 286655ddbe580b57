import type { ErrorCode } from '@sfx-deploy/plugin';

/**
 * A request that the daemon refuses: an HTTP status, a code of the error table, and what to say. The daemon does not load
 * the table itself; whoever asked has it.
 */
export interface Refusal extends Error {
  readonly status: number;
  readonly code: ErrorCode;
}

const brand = Symbol('refusal');

export function refusal(status: number, code: ErrorCode, message: string): Refusal {
  return Object.assign(new Error(message), { status, code, [brand]: true as const });
}

export function isRefusal(thrown: unknown): thrown is Refusal {
  return thrown instanceof Error && brand in thrown;
}

export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export function errnoOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
