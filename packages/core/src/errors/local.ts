import type { ErrorRow } from '../errors.js';

export const localErrors = {
  SFX6001: { kind: 'provider', title: 'the local engine did not start', hint: 'See its log: `sfx local status`.', exit: 1 },
} as const satisfies Record<string, ErrorRow>;
