import type { Event, Outcome } from '@sfx-deploy/core';
import { type Look, toAscii } from '../render/look.js';
import type { Io } from './io.js';
import { plainProgress } from './plain.js';
import type { Progress } from './progress.js';
import { isLively, lookOf } from './surroundings.js';
import { terminalProgress } from './terminal.js';

export interface HostOptions {
  /** `no` prints for people, `document` one JSON document, `lines` one JSON line per event and the result as the last. */
  readonly json: 'no' | 'document' | 'lines';
  readonly verbose: boolean;
  readonly debug: boolean;
  readonly color: boolean;
  /** A report carries the identity line itself, so it is not said twice. */
  readonly quietIdentity: boolean;
}

/** The only part that prints: results to stdout, progress and errors to stderr, with `--json` JSON to stdout only. */
export interface Host {
  readonly json: boolean;
  /** JSON, a line per event. */
  readonly jsonLines: boolean;
  readonly verbose: boolean;
  readonly debug: boolean;
  /** What stdout can show. */
  readonly look: Look;
  /** What stderr can show. */
  readonly errorLook: Look;
  /** stderr is a terminal. */
  readonly terminal: boolean;
  emit(event: Event): void;
  /** The result for people. */
  report(lines: readonly string[]): void;
  /** What went wrong, for people. */
  problem(lines: readonly string[]): void;
  /** The one JSON document, or with `lines` its last line. */
  document(value: object): void;
  /** A JSON line of a stream without a last line. */
  line(value: object): void;
  outcome(value: Outcome): void;
  say(line: string): void;
  /** What another program writes, as it is; with `--json` to stderr, so that stdout stays JSON. */
  pass(text: string, from: 'stdout' | 'stderr'): void;
  settle(): void;
}

export function createHost(io: Io, options: HostOptions): Host {
  const look = lookOf(io.stdout, io, options.color);
  const errorLook = lookOf(io.stderr, io, options.color);
  const progress = progressOf(io, options, errorLook);
  const write = (value: object): void => io.stdout.write(`${JSON.stringify(value)}\n`);
  const stamped = (value: object): object => ({ time: new Date(io.now()).toISOString(), ...value });
  const document = (value: object): void => {
    progress.settle();
    if (options.json === 'lines') write(stamped(value));
    else io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  };
  const lines = (out: Io['stdout'], unicode: boolean, texts: readonly string[]): void => {
    progress.settle();
    if (texts.length > 0) out.write(`${texts.map((text) => (unicode ? text : toAscii(text))).join('\n')}\n`);
  };
  return {
    json: options.json !== 'no',
    jsonLines: options.json === 'lines',
    verbose: options.verbose,
    debug: options.debug,
    look,
    errorLook,
    terminal: io.stderr.terminal,
    emit(event) {
      if (options.json === 'lines') write(stamped(event));
      else if (!(options.quietIdentity && event.code === 'identity')) progress.emit(event);
    },
    report: (texts) => lines(io.stdout, look.unicode, texts),
    problem: (texts) => lines(io.stderr, errorLook.unicode, texts),
    document,
    line: write,
    outcome: (value) => document(options.json === 'lines' ? { code: 'result', ...value } : value),
    say: (line) => progress.say(line),
    pass: (text, from) => (from === 'stdout' && options.json === 'no' ? io.stdout : io.stderr).write(text),
    settle: () => progress.settle(),
  };
}

function progressOf(io: Io, options: HostOptions, look: Look): Progress {
  if (options.json !== 'no') return silent;
  return isLively(io.stderr, io.env, options.color)
    ? terminalProgress(io, look, options.verbose)
    : plainProgress(io, look, options.verbose);
}

const silent: Progress = { emit() {}, say() {}, settle() {} };
