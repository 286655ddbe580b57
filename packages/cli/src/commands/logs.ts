import type { LogLine } from '@sfx-deploy/core';
import { fail, isSfxError } from '@sfx-deploy/core/errors';
import { logLine } from '../render/log-line.js';
import type { Command, Context } from './definition.js';
import { namesOf } from './shared.js';
import { sinceOf } from './since.js';

type Line = LogLine & { readonly release: number | null };

export const logs: Command = {
  name: 'logs',
  group: 'look',
  summary: 'what functions wrote, by version and release',
  scope: 'stage',
  needs: 'nearby',
  positionals: [{ name: 'function', summary: 'only these', many: true }],
  options: [
    { name: 'follow', alias: 'f', kind: 'flag', summary: 'go on as new lines come' },
    { name: 'function', kind: 'list', value: 'name', summary: 'only this function; may be repeated' },
    { name: 'release', kind: 'text', value: 'release', summary: 'only versions of this release' },
    {
      name: 'since',
      kind: 'text',
      value: 'time',
      summary: 'from when: 30s, 10m, 2h, 1d, or a date (default: 10m)',
    },
    { name: 'errors', kind: 'flag', summary: 'only what was written as an error' },
    {
      name: 'activation',
      kind: 'text',
      value: 'id',
      summary: 'only of this call: its id, or the beginning of one',
    },
  ],
  examples: [
    { command: 'sfx logs checkout --follow', what: 'one function, as it happens' },
    { command: 'sfx logs --stage prod --release 42 --errors', what: 'what went wrong in a release' },
    { command: 'sfx logs --activation 9f3c1ab', what: 'what one call wrote' },
  ],
  async run(context) {
    const { given, io, positionals, signal } = context;
    const since = sinceOf(given.text('since') ?? '10m', io.now());
    const functions = [...positionals, ...(namesOf(given, 'function') ?? [])];
    const release = given.text('release');
    const follow = given.flag('follow');
    const activation = given.text('activation');
    if (activation !== undefined && (functions.length > 0 || release !== undefined))
      throw fail('SFX1002', '`--activation` names one call; leave out functions and `--release`');
    const core = await context.core();
    await using session = await context.session();
    try {
      const lines = core.logs(session, {
        since,
        follow,
        ...(functions.length === 0 ? {} : { functions }),
        ...(release === undefined ? {} : { release }),
        ...(given.flag('errors') ? { errors: true } : {}),
        ...(activation === undefined ? {} : { activation }),
      });
      await print(context, lines);
    } catch (error) {
      // Ctrl-C is how one stops following.
      if (!(follow && signal.aborted && isSfxError(error) && error.code === 'SFX4120')) throw error;
    }
    return 0;
  },
};

async function print({ host, io }: Context, lines: AsyncIterable<Line>): Promise<void> {
  for await (const line of lines) {
    if (io.stdout.closed) return;
    if (host.json) host.line(line);
    else host.report([logLine(line, { activation: host.verbose })]);
  }
}
