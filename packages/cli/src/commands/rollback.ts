import { planLines } from '../render/plan.js';
import type { Command } from './definition.js';
import { wait, yes } from './options.js';
import { flagsOf, tell, waitOf } from './shared.js';

export const rollback: Command = {
  name: 'rollback',
  group: 'releases',
  summary: 'go back: an open release to 0 %, else the last good release',
  scope: 'stage',
  json: 'lines',
  positionals: [{ name: 'release', summary: 'number, digest, git sha, tag or ~n; default: the obvious one' }],
  options: [{ name: 'dry-run', kind: 'flag', summary: 'say what it would do; writes nothing' }, wait, yes],
  examples: [
    { command: 'sfx rollback --stage prod', what: 'needs no build, no file, no question' },
    { command: 'sfx rollback 41 --stage prod', what: 'to release 41' },
    { command: 'sfx rollback --service shop --provider local', what: 'from an empty folder' },
  ],
  async run(context) {
    const { given, host, positionals } = context;
    const core = await context.core();
    await using session = await context.session();
    const to = positionals[0] === undefined ? {} : { to: positionals[0] };
    if (!given.flag('dry-run'))
      return tell(context, await core.rollback(session, { ...to, ...waitOf(given) }));
    const plan = await core.planRollback(session, to);
    const command = ['sfx rollback', ...positionals].join(' ');
    if (host.json) host.document(plan);
    else host.report(planLines(plan, { flags: flagsOf(given), command }, host.look));
    return 0;
  },
};
