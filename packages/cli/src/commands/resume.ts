import type { Command } from './definition.js';
import { wait, yes } from './options.js';
import { tell, waitOf } from './shared.js';

export const resume: Command = {
  name: 'resume',
  group: 'releases',
  summary: 'take a release forward that was cut off',
  scope: 'stage',
  needs: 'at hand',
  json: 'lines',
  options: [wait, yes],
  examples: [{ command: 'sfx resume --stage prod', what: 'from state alone, on any machine' }],
  async run(context) {
    const core = await context.core();
    await using session = await context.session();
    return tell(context, await core.resume(session, waitOf(context.given)));
  },
};
