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
  /** From now on `text` is shown wherever a message would hold `value`. */
  protect(value: string, text: string): void;
  readonly errors: number;
  /** In the order of files and lines. */
  list(): readonly Diagnostic[];
}

/** Shorter values are no secrets, and would be found in every other word. */
const SHORTEST_PROTECTED = 4;

export function createProblems(): Problems {
  const findings = new Map<string, Finding>();
  const protectedValues = new Map<string, string>();
  let errors = 0;
  const clean = (text: string): string => {
    let result = text;
    for (const [value, shown] of protectedValues) result = replaceAll(result, value, shown);
    return result;
  };
  return {
    protect(value, text) {
      if (value.length >= SHORTEST_PROTECTED) protectedValues.set(value, text);
    },
    add(finding) {
      const key = `${finding.at.source.path}\n${finding.at.start}\n${finding.code}\n${finding.message}`;
      if (findings.has(key)) return;
      findings.set(key, finding);
      if (finding.severity !== 'warning') errors++;
    },
    get errors() {
      return errors;
    },
    list: () => inOrder([...findings.values()]).map((finding) => diagnostic(finding, clean)),
  };
}

function inOrder(findings: Finding[]): Finding[] {
  const files = [...new Set(findings.map((finding) => finding.at.source.path))];
  const rank = new Map(files.map((path, index) => [path, index]));
  return findings.sort(
    (a, b) => rank.get(a.at.source.path)! - rank.get(b.at.source.path)! || a.at.start - b.at.start,
  );
}

/** In any case of letters: a method or a name may have been brought into another one. */
function replaceAll(text: string, value: string, shown: string): string {
  const lower = text.toLowerCase();
  const wanted = value.toLowerCase();
  // Where the change of case changes lengths, only the value as it is can be found.
  if (lower.length !== text.length || wanted.length !== value.length) return text.split(value).join(shown);
  let result = '';
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    result += text.slice(from, at) + shown;
    from = at + value.length;
  }
  return result + text.slice(from);
}

function diagnostic(
  { code, message, at, note, hint, severity }: Finding,
  clean: (text: string) => string,
): Diagnostic {
  const position = positionOf(at);
  return {
    code,
    severity: severity ?? 'error',
    message: clean(message),
    at: position,
    frame: renderFrame(at.source, position, note === undefined ? undefined : clean(note)),
    ...(hint === undefined ? {} : { hint: clean(hint) }),
  };
}
