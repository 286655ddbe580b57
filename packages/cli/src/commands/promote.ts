import type { Command } from './definition.js';
import { wait, yes } from './options.js';
import { tell, waitOf } from './shared.js';

export const promote: Command = {
  name: 'promote',
  group: 'releases',
  summary: 'take an open release on: its next step, up to 100 %',
  scope: 'stage',
  json: 'lines',
  options: [
    { name: 'full', kind: 'flag', summary: 'at once to 100 %, leaving out the steps between' },
    wait,
    yes,
  ],
  examples: [
    { command: 'sfx promote --stage prod', what: 'the canary takes its next step' },
    { command: 'sfx promote --stage prod --full', what: 'the canary takes all traffic' },
  ],
  async run(context) {
    const { given } = context;
    const core = await context.core();
    await using session = await context.session();
    const full = given.flag('full') ? { full: true } : {};
    return tell(context, await core.promote(session, { ...waitOf(given), ...full }));
  },
};
