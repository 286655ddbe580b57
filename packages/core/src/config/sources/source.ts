import type { ErrorCode } from '../../errors.js';
import type { Node } from '../node.js';
import type { Problems } from '../problems.js';
import type { Span } from '../text.js';

/** What a source is asked for: `${name(params):address}`. */
export interface SourceRequest {
  readonly params: string | null;
  readonly address: string | null;
  /** `name(params):address` with what must not be shown as its text. */
  readonly shown: string;
  readonly shownParams: string;
  /** Something that must not be shown is in params or address. */
  readonly secret: boolean;
  readonly at: Span;
}

/**
 * - `node`: the value; `path` names it when variables in it turn out to be a cycle
 * - `missing`: there is none, and why; the next fallback is tried
 * - `problem`: cannot be answered at all
 * - `failed`: as `problem`, and already reported
 * - `pending`: an answer that takes time. The resolver starts all of them, waits, and asks again
 */
export type Answer =
  | { readonly node: Node }
  | { readonly missing: string }
  | { readonly problem: string; readonly code: ErrorCode; readonly hint?: string }
  | { readonly failed: true }
  | { readonly pending: Promise<Answer> };

/** What sources may look at. */
export interface SourceContext {
  /** Absolute folder of the configuration file. */
  readonly dir: string;
  /** Where the command runs: files are shown relative to it. */
  readonly cwd: string;
  /** Undefined while the stage itself is being found. */
  readonly stage: string | undefined;
  readonly options: Readonly<Record<string, string>>;
  /** Of `--param`. */
  readonly params: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fixed for this run of sfx. */
  readonly instanceId: () => string;
  readonly root: Node;
  readonly problems: Problems;
  /** Included files by absolute path: read once. */
  readonly files: Map<string, IncludedFile>;
  /** The value below a node, with its variables resolved as far as they are on the way. */
  walk(from: Node, path: readonly string[], label: string): Answer;
}

export type IncludedFile =
  | { readonly node: Node }
  | { readonly absent: true }
  | { readonly problem: string; readonly code: ErrorCode; readonly hint?: string }
  | { readonly failed: true };

export interface VariableSource {
  readonly name: string;
  read(request: SourceRequest, context: SourceContext): Answer;
}

/** A value that stands in no file; `taint` is its text when it must not be shown. */
export function virtual(value: string | boolean, at: Span, taint: string | null): Answer {
  return {
    node: {
      kind: 'scalar',
      scalar: value,
      list: null,
      map: null,
      source: at.source,
      start: -1,
      end: -1,
      keyStart: -1,
      keyEnd: -1,
      dynamic: false,
      taint,
      site: at,
    },
  };
}

export function needsAddress(request: SourceRequest, example: string): Answer {
  return { problem: `\${${request.shown}} names nothing; write ${example}`, code: 'SFX2106' };
}
