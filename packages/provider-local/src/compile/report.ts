import { type Diagnostic, type ErrorCode, type Service, sameJson } from '@sfx-deploy/plugin';

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
  const add = (
    list: Diagnostic[],
    severity: Diagnostic['severity'],
    [code, message, pointer, hint]: Parameters<Report['problem']>,
  ) => {
    const at = service.at(pointer);
    const said = (one: Diagnostic) =>
      one.code === code && one.message === message && at !== undefined && sameJson({ ...one.at }, { ...at });
    // What all functions share is said once.
    if (list.some(said)) return;
    list.push({ code, severity, message, ...(at && { at }), ...(hint !== undefined && { hint }) });
  };
  return {
    problem: (...said) => add(problems, 'error', said),
    lacking(code, message, pointer, hint) {
      if (service.provider.written === undefined) add(problems, 'error', [code, message, pointer, hint]);
      else add(notes, 'warning', [code, message, pointer]);
    },
    problems,
    notes,
  };
}
