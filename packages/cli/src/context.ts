import type { ProjectRequest, Run } from '@sfx-deploy/core';
import { fail } from '@sfx-deploy/core/errors';
import type { Command, Context, Given } from './commands/definition.js';
import { type Core, loadCore } from './core.js';
import type { Host } from './host/host.js';
import type { Io } from './host/io.js';
import type { Invocation } from './parse.js';

interface Surroundings {
  readonly io: Io;
  readonly host: Host;
  readonly signal: AbortSignal;
}

/** What a command is given: its words, the host, and core when it first asks for it. */
export function createContext(
  { command, given, positionals }: Extract<Invocation, { kind: 'run' }>,
  { io, host, signal }: Surroundings,
): Context {
  let core: Promise<Core> | undefined;
  let run: Promise<Run> | undefined;
  const context: Context = {
    command,
    given,
    positionals,
    io,
    host,
    signal,
    core: () => (core ??= loadCore()),
    run: () =>
      (run ??= context.core().then(({ createRun }) => createRun({ signal, emit: host.emit, env: io.env }))),
    request: () => ({ ...requestOf(given, io.cwd), needs: needsOf(command) }),
    session: async () => (await context.core()).openSession(context.request(), await context.run()),
  };
  return context;
}

/** A command that may do without a file must not fail over what is wrong in one. */
function needsOf(command: Command): NonNullable<ProjectRequest['needs']> {
  return command.needs ?? (command.scope === 'stage' ? 'identity' : 'whole');
}

function requestOf(given: Given, cwd: string): ProjectRequest {
  const named = { file: 'config', stage: 'stage', provider: 'provider', service: 'service' } as const;
  const request: Record<string, string> = {};
  for (const [key, option] of Object.entries(named)) {
    const value = given.text(option);
    if (value !== undefined) request[key] = value;
  }
  return { cwd, ...request, options: given.all(), params: paramsOf(given.list('param')) };
}

/** `--param key=value`; the value may hold `=`. */
export function paramsOf(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1) throw fail('SFX1002', '`--param` takes key=value');
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
