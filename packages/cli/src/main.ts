import { asSfxError, type SfxError } from '@sfx-deploy/core/errors';
import type { Command, Context } from './commands/definition.js';
import { commands } from './commands/index.js';
import { createContext } from './context.js';
import { createHost, type Host } from './host/host.js';
import type { Io } from './host/io.js';
import { type Invocation, parse } from './parse.js';
import { errorDocument, errorLines, exitOf } from './render/error.js';
import { commandHelpLines, helpLines } from './render/help.js';
import { version } from './version.js';

/**
 * One command from its words to its exit code: 0 done, 1 failed and no traffic moved, 2 differs, 3 rolled back,
 * 4 partial or interrupted, 5 paused, 64 user mistake, 70 defect, 75 held by another. Never throws.
 */
export async function main(argv: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  let host = hostBefore(argv, io);
  try {
    const invocation = parse(argv, commands);
    if (invocation.kind !== 'run') return answer(invocation, host);
    host = hostOf(invocation, io);
    return await perform(createContext(invocation, { io, host, signal }));
  } catch (thrown) {
    return failed(asSfxError(thrown), host);
  }
}

/** Says where it stands when it was interrupted: the protocol first finishes the write that is under way. */
async function perform(context: Context): Promise<number> {
  const { command, host, signal } = context;
  const onAbort = (): void => {
    if (!command.stoppable && !context.given.flag('follow'))
      host.say('interrupted: the write under way is finished first; again stops at once');
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await command.run(context);
  } finally {
    signal.removeEventListener('abort', onAbort);
    host.settle();
  }
}

function answer(invocation: Exclude<Invocation, { kind: 'run' }>, host: Host): number {
  if (invocation.kind === 'version') host.report([version()]);
  else if (invocation.command) host.report(commandHelpLines(invocation.command, host.look));
  else host.report(helpLines(commands, version(), host.look));
  return 0;
}

/** Until the words are understood, only what can be seen in them counts. */
function hostBefore(argv: readonly string[], io: Io): Host {
  const has = (word: string): boolean => argv.includes(word);
  const command = commands.find(({ name }) => has(name));
  return createHost(io, {
    json: has('--json') ? (command?.json ?? 'document') : 'no',
    verbose: false,
    debug: has('--debug'),
    color: !has('--no-color'),
    quietIdentity: true,
  });
}

function hostOf({ command, given }: Extract<Invocation, { kind: 'run' }>, io: Io): Host {
  const form = given.flag('dry-run') ? 'document' : (command.json ?? 'document');
  return createHost(io, {
    json: given.flag('json') ? form : 'no',
    verbose: given.flag('verbose'),
    debug: given.flag('debug'),
    color: given.all()['color'] !== 'false',
    quietIdentity: !changes(command) || given.flag('dry-run'),
  });
}

/** Reports carry the identity line themselves; what changes a stage says it first. */
function changes(command: Command): boolean {
  return (command.group === 'releases' && command.name !== 'plan') || command.stoppable === true;
}

function failed(error: SfxError, host: Host): number {
  if (host.json) {
    const document = errorDocument(error, host.debug);
    host.document(host.jsonLines ? { code: 'error', ...document } : document);
  } else {
    host.problem(errorLines(error, { terminal: host.terminal, debug: host.debug }, host.errorLook));
  }
  return exitOf(error);
}
