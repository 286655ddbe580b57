import type { Scope } from '@sfx-deploy/core';
import { fail } from '@sfx-deploy/core/errors';
import type { Command, Context } from './definition.js';
import { wait, yes } from './options.js';
import { tell, waitOf } from './shared.js';

export const remove: Command = {
  name: 'remove',
  group: 'releases',
  summary: 'remove a stage and everything that sfx made for it',
  scope: 'stage',
  options: [wait, yes],
  examples: [
    { command: 'sfx remove --stage dev', what: 'asks first' },
    { command: 'sfx remove --stage dev --yes', what: 'in a script' },
  ],
  async run(context) {
    const core = await context.core();
    await using session = await context.session();
    if (!(await isSure(context, session.scope))) {
      if (!context.host.json) context.host.report(['Nothing was removed.']);
      return 64;
    }
    return tell(context, await core.remove(session, waitOf(context.given)));
  },
};

async function isSure(context: Context, { service, stage }: Scope): Promise<boolean> {
  const { given, host, io } = context;
  if (given.flag('yes')) return true;
  if (!io.canAsk || host.json) {
    throw fail('SFX1003', `remove takes ${service} ${stage} away: every function, route and release of it`);
  }
  host.settle();
  const answer = await io.ask(
    `Remove ${service} · ${stage}: every function, route and release of it? Type the stage to go on: `,
  );
  return answer.trim() === stage;
}
