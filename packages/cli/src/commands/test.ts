import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, messageOf } from '@sfx-deploy/core/errors';
import { testLines } from '../render/test.js';
import type { Command, Context } from './definition.js';

const DEFAULT_SECONDS = 600;

export const test: Command = {
  name: 'test',
  group: 'look',
  summary: "run the service's own tests against what is deployed",
  scope: 'stage',
  stoppable: true,
  positionals: [
    { name: 'command', summary: 'after --; default: npm test, if package.json has it', many: true },
  ],
  options: [
    { name: 'candidate', kind: 'flag', summary: 'the open release, at an address of its own' },
    {
      name: 'timeout',
      kind: 'number',
      value: 'seconds',
      min: 1,
      max: 86_400,
      summary: `how long it may take (default: ${DEFAULT_SECONDS})`,
    },
  ],
  examples: [
    { command: 'sfx test', what: 'npm test, with SFX_URL, SFX_STAGE, SFX_SERVICE, SFX_RELEASE' },
    { command: 'sfx test --candidate -- npx mocha test/smoke', what: 'the canary, before it is promoted' },
  ],
  async run(context) {
    const { given, host, io } = context;
    const core = await context.core();
    await using session = await context.session();
    const cwd = session.dir ?? io.cwd;
    const command = await commandOf(context, cwd);
    const tested = await core.test(session, {
      command,
      cwd,
      timeoutMs: (given.number('timeout') ?? DEFAULT_SECONDS) * 1000,
      // A program that sees a terminal colours what it writes.
      output: io.stdout.terminal && !host.json ? 'inherit' : host.pass,
      ...(given.flag('candidate') ? { candidate: true } : {}),
    });
    const passed = tested.as === 'exit' && tested.exit === 0;
    const { tail: _, ...told } = tested;
    if (host.json) host.document({ version: 1, ...session.scope, command, passed, ...told });
    else host.report(testLines(session.scope, tested, host.look));
    return passed ? 0 : tested.as === 'interrupted' ? 4 : 1;
  },
};

/** The words after `--` as they are, without a shell; else the project's own script. Throws SFX1010. */
async function commandOf({ positionals }: Context, dir: string): Promise<readonly string[]> {
  if (positionals.length > 0) return positionals;
  const file = join(dir, 'package.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw fail('SFX1007', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  let script: unknown;
  try {
    script = (JSON.parse(text) as { scripts?: { test?: unknown } } | null)?.scripts?.test;
  } catch (error) {
    throw fail('SFX1007', `${file} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  if (typeof script !== 'string') throw fail('SFX1010', `${file} has no script \`test\``);
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', 'test'];
}
