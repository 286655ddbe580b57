import type { Command, Option } from '../commands/definition.js';
import { everywhere, optionsOf } from '../commands/options.js';
import { type Look, paint } from './look.js';
import { labelled, pad, wrap } from './text.js';

const COMMAND = 14;
const OPTION = 30;

const groups: readonly (readonly [Command['group'], string])[] = [
  ['service', 'Service'],
  ['releases', 'Releases'],
  ['look', 'Look'],
  ['sfx', 'sfx'],
];

export function helpLines(commands: readonly Command[], version: string, look: Look): string[] {
  return [
    `${paint(look, 'bold', 'sfx')} ${version}: one serverless.yml, released as one thing, on any functions provider`,
    '',
    'sfx <command> [options]',
    ...groups.flatMap(([group, title]) => [
      '',
      paint(look, 'bold', title),
      ...commands
        .filter((one) => one.group === group)
        .map((one) => `  ${pad(one.name, COMMAND)}${one.summary}`),
    ]),
    '',
    paint(look, 'bold', 'With every command'),
    ...everywhere.flatMap(optionLines),
    '',
    'Exit: 0 done, 1 failed and no traffic moved, 3 rolled back, 4 partial or',
    'interrupted, 5 paused, 64 user mistake, 70 defect in sfx, 75 held by another.',
  ];
}

export function commandHelpLines(command: Command, look: Look): string[] {
  const positionals = command.positionals ?? [];
  const own = command.options ?? [];
  const shared = optionsOf(command).filter((option) => !own.includes(option));
  const usage = [
    'sfx',
    command.name,
    ...positionals.map((one) => shape(one.name, one.required, one.many)),
    '[options]',
  ];
  return [
    `${paint(look, 'bold', usage.join(' '))}`,
    '',
    `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`,
    ...(command.aliases?.length
      ? [`Also: ${command.aliases.map((alias) => `sfx ${alias}`).join(', ')}`]
      : []),
    ...(positionals.length === 0 ? [] : ['']),
    ...positionals.flatMap((one) => labelled(`<${one.name}>`, describe(one.summary, one.choices), OPTION, 2)),
    ...(own.length === 0 ? [] : ['', ...own.flatMap(optionLines)]),
    '',
    paint(look, 'bold', 'Shared'),
    ...shared.flatMap(optionLines),
    '',
    paint(look, 'bold', 'Examples'),
    ...command.examples.flatMap(({ command: line, what }) => [
      `  ${line}`,
      ...wrap(what, 74).map((text) => `      ${text}`),
    ]),
  ];
}

function shape(name: string, required?: boolean, many?: boolean): string {
  const text = `<${name}>${many ? '...' : ''}`;
  return required ? text : `[${text}]`;
}

function describe(summary: string, choices: readonly string[] | undefined): string {
  return choices ? `${summary}: ${choices.join(', ')}` : summary;
}

function optionLines(option: Option): string[] {
  const letter = option.alias ? `-${option.alias}, ` : '    ';
  const value = option.kind === 'flag' ? '' : ` <${option.value ?? 'value'}>`;
  return labelled(`${letter}--${option.name}${value} `, describe(option.summary, option.choices), OPTION, 2);
}
