import type { Command, Option } from './definition.js';

/** Every command has these. */
export const everywhere: readonly Option[] = [
  { name: 'json', kind: 'flag', summary: 'print JSON only' },
  { name: 'verbose', kind: 'flag', summary: 'say more: physical names, digests' },
  { name: 'debug', kind: 'flag', summary: 'with stack traces' },
  { name: 'color', kind: 'flag', summary: 'colours and redrawn lines; --no-color turns them off' },
  { name: 'help', alias: 'h', kind: 'flag', summary: 'this text' },
];

const config: readonly Option[] = [
  {
    name: 'stage',
    alias: 's',
    kind: 'text',
    value: 'name',
    summary: 'which copy of the service (default: dev)',
  },
  { name: 'config', alias: 'c', kind: 'text', value: 'file', summary: 'the serverless.yml to read' },
  { name: 'provider', kind: 'text', value: 'name', summary: "another provider than the file's" },
  { name: 'region', alias: 'r', kind: 'text', value: 'name', summary: 'region, also as ${opt:region}' },
  { name: 'aws-profile', kind: 'text', value: 'name', summary: 'profile of the AWS credentials' },
  { name: 'param', kind: 'list', value: 'key=value', summary: 'a value for ${param:key}; may be repeated' },
];

const stage: readonly Option[] = [
  { name: 'service', kind: 'text', value: 'name', summary: 'the service, where there is no serverless.yml' },
];

export const wait: Option = {
  name: 'wait',
  kind: 'number',
  value: 'seconds',
  min: 0,
  max: 86_400,
  summary: 'how long to wait for another who holds the stage',
};

export const yes: Option = { name: 'yes', alias: 'y', kind: 'flag', summary: 'ask nothing' };

export const functions: Option = {
  name: 'function',
  alias: 'f',
  kind: 'list',
  value: 'name',
  summary: 'only this function; may be repeated',
};

const shared: Readonly<Record<Command['scope'], readonly Option[]>> = {
  none: everywhere,
  config: [...config, ...everywhere],
  stage: [...config, ...stage, ...everywhere],
};

/** A command's own options first; an own one takes the letter of a shared one. */
export function optionsOf(command: Command): readonly Option[] {
  const own = command.options ?? [];
  const taken = new Set(own.flatMap((option) => [option.name, option.alias]));
  const rest = shared[command.scope].filter((option) => !taken.has(option.name));
  return [
    ...own,
    ...rest.map((option) =>
      option.alias && taken.has(option.alias) ? { ...option, alias: undefined } : option,
    ),
  ] as readonly Option[];
}
