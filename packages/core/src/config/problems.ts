import type { Diagnostic, ErrorCode } from '../errors.js';
import { renderFrame } from './frame.js';
import { positionOf, type Span } from './text.js';

export interface Finding {
  readonly code: ErrorCode;
  readonly message: string;
  readonly at: Span;
  /** Beside the marks; default: none. */
  readonly note?: string;
  readonly hint?: string;
  /** Default `error`. */
  readonly severity?: 'error' | 'warning';
}

/** Collects what is wrong, so that all of it is reported at once. */
export interface Problems {
  add(finding: Finding): void;
  readonly errors: number;
  /** In the order of files and lines. */
  list(): readonly Diagnostic[];
}

export function createProblems(): Problems {
  const findings = new Map<string, Finding>();
  let errors = 0;
  return {
    add(finding) {
      const key = `${finding.at.source.path}\n${finding.at.start}\n${finding.code}\n${finding.message}`;
      if (findings.has(key)) return;
      findings.set(key, finding);
      if (finding.severity !== 'warning') errors++;
    },
    get errors() {
      return errors;
    },
    list: () => inOrder([...findings.values()]).map(diagnostic),
  };
}

function inOrder(findings: Finding[]): Finding[] {
  const files = [...new Set(findings.map((finding) => finding.at.source.path))];
  const rank = new Map(files.map((path, index) => [path, index]));
  return findings.sort(
    (a, b) => rank.get(a.at.source.path)! - rank.get(b.at.source.path)! || a.at.start - b.at.start,
  );
}

function diagnostic({ code, message, at, note, hint, severity }: Finding): Diagnostic {
  const position = positionOf(at);
  return {
    code,
    severity: severity ?? 'error',
    message,
    at: position,
    frame: renderFrame(at.source, position, note),
    ...(hint === undefined ? {} : { hint }),
  };
}
