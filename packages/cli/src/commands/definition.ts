import type { ProjectRequest, Run, Session } from '@sfx-deploy/core';
import type { Core } from '../core.js';
import type { Host } from '../host/host.js';
import type { Io } from '../host/io.js';

export interface Option {
  readonly name: string;
  /** One letter. */
  readonly alias?: string;
  readonly kind: 'flag' | 'text' | 'number' | 'list';
  readonly summary: string;
  /** What stands for the value in help: `<name>`. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** Bounds of a number, both included. */
  readonly min?: number;
  readonly max?: number;
}

export interface Positional {
  readonly name: string;
  readonly summary: string;
  readonly required?: boolean;
  /** Takes all that follow; only the last one may. */
  readonly many?: boolean;
  readonly choices?: readonly string[];
}

/** How `--json` answers: one document, or one line per event with the result as the last. */
export type JsonForm = 'document' | 'lines';

/** A command as a value: what help, the parser and the tests read. */
export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group: 'service' | 'releases' | 'look' | 'sfx';
  readonly summary: string;
  readonly positionals?: readonly Positional[];
  /** Its own; the shared ones are added by `scope`. */
  readonly options?: readonly Option[];
  /** `config` reads a serverless.yml, `stage` may also name service and provider, `none` needs neither. */
  readonly scope: 'none' | 'config' | 'stage';
  /** How much of the file must be right; default: all for `config`, who the service is for `stage`. */
  readonly needs?: ProjectRequest['needs'];
  /** Default `document`. */
  readonly json?: JsonForm;
  /** It may be interrupted at any time: there is no write to be finished first. */
  readonly stoppable?: true;
  readonly examples: readonly { readonly command: string; readonly what: string }[];
  /** Answers the exit code. */
  run(context: Context): Promise<number>;
}

/** Options as they were given, checked against the command's definition. */
export interface Given {
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  flag(name: string): boolean;
  list(name: string): readonly string[];
  /** All of them as text: what `${opt:x}` sees. */
  all(): Readonly<Record<string, string>>;
}

export interface Context {
  readonly command: Command;
  readonly given: Given;
  readonly positionals: readonly string[];
  readonly io: Io;
  readonly host: Host;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  core(): Promise<Core>;
  run(): Promise<Run>;
  request(): ProjectRequest;
  /** Connects; the caller disposes of it. */
  session(): Promise<Session>;
}
