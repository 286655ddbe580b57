import type { Diagnostic, ErrorCode, Service } from '@sfx-deploy/plugin';

/** Collects what the engine cannot do, with where it is written. */
export interface Report {
  /** Whatever the file is written for: it cannot run so. */
  problem(code: ErrorCode, message: string, pointer: string, hint?: string): void;
  /** An error in a file for the engine; a warning in one for another provider, where it is left out. */
  lacking(code: ErrorCode, message: string, pointer: string, hint?: string): void;
  readonly problems: readonly Diagnostic[];
  readonly notes: readonly Diagnostic[];
}

export function createReport(service: Service): Report {
  const problems: Diagnostic[] = [];
  const notes: Diagnostic[] = [];
  const diagnostic = (
    severity: Diagnostic['severity'],
    code: ErrorCode,
    message: string,
    pointer: string,
  ) => {
    const at = service.at(pointer);
    return { code, severity, message, ...(at && { at }) };
  };
  const hinted = (hint: string | undefined) => (hint === undefined ? {} : { hint });
  return {
    problem: (code, message, pointer, hint) =>
      problems.push({ ...diagnostic('error', code, message, pointer), ...hinted(hint) }),
    lacking(code, message, pointer, hint) {
      if (service.provider.written === undefined)
        problems.push({ ...diagnostic('error', code, message, pointer), ...hinted(hint) });
      else notes.push(diagnostic('warning', code, message, pointer));
    },
    problems,
    notes,
  };
}
