import type { LogLine } from '@sfx-deploy/core';
import { fail, isSfxError } from '@sfx-deploy/core/errors';
import { harmless } from '../render/text.js';
import type { Command, Context } from './definition.js';
import { namesOf } from './shared.js';

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
  ],
  examples: [
    { command: 'sfx logs checkout --follow', what: 'one function, as it happens' },
    { command: 'sfx logs --stage prod --release 42 --errors', what: 'what went wrong in a release' },
  ],
  async run(context) {
    const { given, io, positionals, signal } = context;
    const since = sinceOf(given.text('since') ?? '10m', io.now());
    const functions = [...positionals, ...(namesOf(given, 'function') ?? [])];
    const release = given.text('release');
    const follow = given.flag('follow');
    const core = await context.core();
    await using session = await context.session();
    try {
      const lines = core.logs(session, {
        since,
        follow,
        ...(functions.length === 0 ? {} : { functions }),
        ...(release === undefined ? {} : { release }),
        ...(given.flag('errors') ? { errors: true } : {}),
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
    else host.report([logLine(line)]);
  }
}

function logLine(line: Line): string {
  const where = `${line.function}${line.release === null ? '' : ` ${line.release}`}`;
  const mark = line.stream === 'stdout' ? ' ' : line.stream === 'stderr' ? '!' : '*';
  return `${line.at} ${where} ${mark} ${harmless(line.text)}`;
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m` before now, or a date. Throws SFX1002. */
export function sinceOf(text: string, now: number): Date {
  const match = /^(\d+)([smhd])$/.exec(text);
  const ms = match
    ? now - Number(match[1]) * units[match[2]!]!
    : /^\d{4}-\d\d-\d\d/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  if (Number.isNaN(ms) || Number.isNaN(new Date(ms).getTime())) {
    throw fail('SFX1002', `--since ${text} is neither a duration (30s, 10m, 2h, 1d) nor a date`);
  }
  return new Date(ms);
}
