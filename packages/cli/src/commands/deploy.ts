import type { DeployOptions } from '@sfx-deploy/core';
import type { Command, Context, Given, Option } from './definition.js';
import { functions, wait, yes } from './options.js';
import { namesOf, readText, tell, waitOf } from './shared.js';

/** Options that change what a release would be: `plan` and `deploy` share them. */
export const releaseOptions: readonly Option[] = [
  {
    name: 'canary',
    kind: 'number',
    value: 'percent',
    min: 1,
    max: 99,
    summary: 'send this share to the new release and keep it open',
  },
  functions,
  { name: 'tag', kind: 'text', value: 'name', summary: 'a name for this release, for good' },
  { name: 'force', kind: 'flag', summary: 'also a build that was rolled back' },
  { name: 'refresh-secrets', kind: 'flag', summary: 'read secrets anew although nothing else changed' },
  {
    name: 'expand',
    kind: 'text',
    value: 'when',
    choices: ['early', 'late'],
    summary: 'when new routes open',
  },
];

export const deploy: Command = {
  name: 'deploy',
  group: 'releases',
  summary: 'release what has changed: stage, check, flip',
  scope: 'stage',
  needs: 'whole',
  json: 'lines',
  options: [
    ...releaseOptions,
    { name: 'plan', kind: 'text', value: 'file', summary: 'do what this saved plan says, or refuse' },
    { name: 'supersede', kind: 'flag', summary: 'take an open release back first' },
    { name: 'adopt', kind: 'flag', summary: 'take over what is live although sfx did not leave it so' },
    {
      name: 'on-interrupted',
      kind: 'text',
      value: 'what',
      choices: ['fail', 'back', 'forward'],
      summary: 'when an earlier release was cut off (default: fail)',
    },
    wait,
    yes,
  ],
  examples: [
    { command: 'sfx deploy --stage prod', what: 'everything that changed, at once' },
    {
      command: 'sfx deploy --stage prod --canary 5',
      what: '5 % to the new release; then sfx promote or sfx rollback',
    },
    { command: 'sfx deploy --function checkout', what: 'only this function; the others keep their version' },
  ],
  async run(context) {
    const core = await context.core();
    const options = await deployOptions(context);
    await using session = await context.session();
    return tell(context, await core.deploy(session, options));
  },
};

export function releaseOptionsOf(given: Given): DeployOptions {
  const [canary, named, tag, expand] = [
    given.number('canary'),
    namesOf(given, 'function'),
    given.text('tag'),
    given.text('expand'),
  ];
  return {
    ...(canary === undefined ? {} : { canary }),
    ...(named === undefined ? {} : { functions: named }),
    ...(tag === undefined ? {} : { tag }),
    ...(given.flag('force') ? { force: true } : {}),
    ...(given.flag('refresh-secrets') ? { refreshSecrets: true } : {}),
    ...(expand === undefined ? {} : { expand: expand as 'early' | 'late' }),
  };
}

async function deployOptions(context: Context): Promise<DeployOptions> {
  const { given } = context;
  const interrupted = given.text('on-interrupted');
  const file = given.text('plan');
  return {
    ...releaseOptionsOf(given),
    ...waitOf(given),
    ...(given.flag('supersede') ? { supersede: true } : {}),
    ...(given.flag('adopt') ? { adopt: true } : {}),
    ...(interrupted === undefined ? {} : { onInterrupted: interrupted as 'fail' | 'back' | 'forward' }),
    ...(file === undefined
      ? {}
      : { plan: (await context.core()).readPlan(await readText(context, file), file) }),
  };
}
