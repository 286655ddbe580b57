import type { Command } from './definition.js';
import { wait, yes } from './options.js';
import { tell, waitOf } from './shared.js';

export const adopt: Command = {
  name: 'adopt',
  group: 'releases',
  summary: 'take what is live as it is: after a hand move, or lost state',
  scope: 'stage',
  needs: 'whole',
  options: [wait, yes],
  examples: [{ command: 'sfx adopt --stage prod', what: 'no traffic moves; what is live becomes a release' }],
  async run(context) {
    const core = await context.core();
    await using session = await context.session();
    return tell(context, await core.adopt(session, waitOf(context.given)));
  },
};
