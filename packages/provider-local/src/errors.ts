import type { ErrorCode, ErrorDetails } from '@sfx-deploy/plugin';
import { fail, isObject, isSfxError, messageOf } from '@sfx-deploy/plugin';

/** Codes that the daemon answers with; anything else from it is a failed provider call. */
const KNOWN: ReadonlySet<string> = new Set<ErrorCode>([
  'SFX3105',
  'SFX3106',
  'SFX3107',
  'SFX3108',
  'SFX4105',
  'SFX6001',
  'SFX6002',
  'SFX6003',
  'SFX6004',
  'SFX6005',
  'SFX6006',
  'SFX6007',
  'SFX6008',
  'SFX6010',
  'SFX6011',
  'SFX6012',
  'SFX6013',
  'SFX6014',
  'SFX6015',
  'SFX6103',
  'SFX6104',
  'SFX6105',
  'SFX6106',
  'SFX6107',
  'SFX6108',
  'SFX6109',
  'SFX6110',
  'SFX6111',
  'SFX6112',
  'SFX6130',
  'SFX6140',
]);

/** The daemon's answer to a request that it refused, as a coded error. */
export function refused(action: string, status: number, body: unknown): Error {
  const said = isObject(body) && isObject(body['error']) ? body['error'] : {};
  const message = typeof said['message'] === 'string' ? said['message'] : `the engine answered ${status}`;
  const code =
    typeof said['code'] === 'string' && KNOWN.has(said['code']) ? (said['code'] as ErrorCode) : 'SFX3101';
  return fail(code, message, { action });
}

/** The connection broke. A write that was sent may have landed. */
export function broken(action: string, cause: unknown, sent: boolean): Error {
  if (isSfxError(cause)) return cause;
  const details: ErrorDetails = { action, cause, ...(sent && { unknownOutcome: true as const }) };
  return fail('SFX3102', `the local engine did not answer: ${messageOf(cause)}`, details);
}
