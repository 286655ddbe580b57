import { planLines } from '../render/plan.js';
import type { Command } from './definition.js';
import { releaseOptions, releaseOptionsOf } from './deploy.js';
import { flagsOf, writeText } from './shared.js';

export const plan: Command = {
  name: 'plan',
  group: 'releases',
  summary: 'say what a deploy would do; writes nothing',
  scope: 'stage',
  needs: 'whole',
  options: [
    ...releaseOptions,
    { name: 'out', alias: 'o', kind: 'text', value: 'file', summary: 'save it for `sfx deploy --plan`' },
    { name: 'exit-code', kind: 'flag', summary: 'end with 2 when anything differs' },
  ],
  examples: [
    { command: 'sfx plan --stage prod', what: 'what would change, what it costs, how it is taken back' },
    {
      command: 'sfx plan --stage prod --out plan.json',
      what: 'saved; refused later if the stage moved in between',
    },
  ],
  async run(context) {
    const { given, host } = context;
    const core = await context.core();
    await using session = await context.session();
    const value = await core.planDeploy(session, releaseOptionsOf(given));
    const file = given.text('out');
    if (file !== undefined) await writeText(context, file, `${JSON.stringify(value, null, 2)}\n`);
    const extra = {
      flags: flagsOf(given),
      command: 'sfx deploy',
      ...(file === undefined ? {} : { saved: file }),
    };
    if (host.json) host.document(value);
    else host.report(planLines(value, extra, host.look));
    return given.flag('exit-code') && !value.empty ? 2 : 0;
  },
};
