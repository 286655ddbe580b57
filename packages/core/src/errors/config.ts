import type { ErrorRow } from '../errors.js';

export const configErrors = {
  SFX2001: { kind: 'mistake', title: 'not valid YAML', hint: 'Correct the marked place.', exit: 64 },
  SFX2200: { kind: 'mistake', title: 'the configuration has errors', hint: 'Correct each of them; nothing was built or changed.', exit: 64 },
  SFX2204: { kind: 'mistake', title: 'a trigger that this provider does not have', hint: 'Use one that `sfx providers` lists for it.', exit: 64 },
} as const satisfies Record<string, ErrorRow>;
