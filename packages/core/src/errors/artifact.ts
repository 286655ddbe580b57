import type { ErrorRow } from '../errors.js';

export const artifactErrors = {
  SFX2301: { kind: 'mistake', title: 'handler file not found', hint: 'Correct `handler`: a file without its ending, a dot, and the export.', exit: 64 },
  SFX2302: { kind: 'mistake', title: 'the code does not bundle', hint: 'Correct the marked place.', exit: 64 },
} as const satisfies Record<string, ErrorRow>;
