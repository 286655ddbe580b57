import { fail } from '@sfx-deploy/core/errors';
import { nearest } from '@sfx-deploy/core/nearest';
import { Parser } from 'yargs/helpers';
import type { Command, Given, Option } from './commands/definition.js';
import { everywhere, optionsOf } from './commands/options.js';
import { refuseForeign, translate } from './muscle-memory.js';

export type Invocation =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly command?: Command }
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly given: Given;
      readonly positionals: readonly string[];
    };

type Value = string | number | boolean | readonly string[];

/** What the user asks for. Throws SFX1001, SFX1002 or SFX1005; reads nothing but its arguments. */
export function parse(argv: readonly string[], commands: readonly Command[]): Invocation {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v')) return { kind: 'version' };
  const words = translate(argv);
  const at = commandIndex(words, commands);
  const word = at === -1 ? undefined : words[at]!;
  if (word === undefined) return withoutCommand(words);
  if (word === 'help') return { kind: 'help', ...named(words[at + 1], commands) };
  const command = find(word, commands);
  const rest = [...words.slice(0, at), ...words.slice(at + 1)];
  if (asksHelp(rest)) return { kind: 'help', command };
  refuseForeign(command.name, rest);
  const { values, positionals } = read(command, rest);
  return { kind: 'run', command, given: given(values), positionals: checkPositionals(command, positionals) };
}

function asksHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end === -1 ? words : words.slice(0, end)).some((word) => word === '--help' || word === '-h');
}

function withoutCommand(words: readonly string[]): Invocation {
  if (words.length === 0 || asksHelp(words)) return { kind: 'help' };
  if (words.includes('--version')) return { kind: 'version' };
  const stray = words.find((word) => word.startsWith('-'))!;
  if (everywhere.some((option) => `--${option.name}` === stray)) return { kind: 'help' };
  throw fail('SFX1001', `which command? \`${stray}\` is an option`, { hint: 'See `sfx --help`.' });
}

function named(word: string | undefined, commands: readonly Command[]): { command?: Command } {
  return word === undefined ? {} : { command: find(word, commands) };
}

/** The first word that is neither an option nor the value of one. */
function commandIndex(words: readonly string[], commands: readonly Command[]): number {
  const takesValue = new Set<string>();
  for (const option of [...everywhere, ...commands.flatMap(optionsOf)]) {
    if (option.kind === 'flag') continue;
    takesValue.add(`--${option.name}`);
    // Only the letters that every command understands alike may stand before the command.
    if (['s', 'r', 'c'].includes(option.alias ?? '')) takesValue.add(`-${option.alias}`);
  }
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word === '--') return -1;
    if (!word.startsWith('-')) return index;
    if (takesValue.has(word)) index++;
  }
  return -1;
}

function find(word: string, commands: readonly Command[]): Command {
  const found = commands.find((command) => command.name === word || command.aliases?.includes(word));
  if (found) return found;
  const names = commands.flatMap((command) => [command.name, ...(command.aliases ?? [])]);
  throw fail('SFX1001', `sfx has no command \`${word}\`${meant(word, names)}`);
}

function meant(word: string, names: readonly string[], prefix = ''): string {
  const near = names.find((name) => word.length > 2 && name.startsWith(word)) ?? nearest(word, names);
  return near === undefined ? '' : `; did you mean \`${prefix}${near}\`?`;
}

const configuration = {
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
  'strip-aliased': true,
  'unknown-options-as-args': true,
};

function read(
  command: Command,
  words: readonly string[],
): { values: Map<string, Value>; positionals: string[] } {
  const options = optionsOf(command);
  const names = (kinds: readonly Option['kind'][]): string[] =>
    options.filter((option) => kinds.includes(option.kind)).map((option) => option.name);
  const { argv, error } = Parser.detailed([...words], {
    alias: Object.fromEntries(
      options.filter((option) => option.alias).map((option) => [option.name, [option.alias!]]),
    ),
    boolean: names(['flag']),
    string: names(['text', 'number']),
    array: names(['list']).map((key) => ({ key, string: true })),
    configuration,
  });
  if (error) throw fail('SFX1002', error.message, { hint: seeHelp(command) });
  const stray = argv._.map(String).find((word) => word.startsWith('-') && word !== '-');
  if (stray !== undefined) throw unknownOption(command, options, stray);
  const values = new Map<string, Value>();
  for (const option of options) {
    const value: unknown = argv[option.name];
    if (value !== undefined) values.set(option.name, valueFor(command, option, value));
  }
  return { values, positionals: [...argv._, ...(argv['--'] ?? [])].map(String) };
}

function seeHelp(command: Command): string {
  return `See \`sfx ${command.name} --help\`.`;
}

function unknownOption(command: Command, options: readonly Option[], token: string): Error {
  const shown = token.replace(/=.*$/s, '');
  const name = shown.replace(/^--?(no-)?/, '');
  const near = shown.startsWith('--')
    ? meant(
        name,
        options.map((option) => option.name),
        '--',
      )
    : '';
  return fail('SFX1001', `\`sfx ${command.name}\` has no option \`${shown}\`${near}`, {
    hint: seeHelp(command),
  });
}

function valueFor(command: Command, option: Option, value: unknown): Value {
  const wrong = (what: string): Error =>
    fail('SFX1002', `--${option.name} ${what}`, { hint: seeHelp(command) });
  if (option.kind === 'flag') {
    if (typeof value !== 'boolean') throw wrong('was given more than once');
    return value;
  }
  if (option.kind === 'list') {
    const all = (value as unknown[]).map(String);
    if (all.length === 0 || all.includes(''))
      throw wrong(`needs a value: --${option.name} <${option.value}>`);
    return all;
  }
  if (Array.isArray(value)) throw wrong('was given more than once');
  const text = String(value);
  if (text === '') throw wrong(`needs a value: --${option.name} <${option.value ?? 'value'}>`);
  if (option.choices && !option.choices.includes(text)) {
    throw wrong(`is one of ${option.choices.join(', ')}${meant(text, option.choices)}`);
  }
  return option.kind === 'number' ? numberOf(option, text, wrong) : text;
}

function numberOf(
  { min = 0, max = Number.MAX_SAFE_INTEGER }: Option,
  text: string,
  wrong: (what: string) => Error,
): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw wrong(
      max === Number.MAX_SAFE_INTEGER
        ? `is a whole number from ${min}`
        : `is a whole number from ${min} to ${max}`,
    );
  }
  return number;
}

function checkPositionals(command: Command, words: readonly string[]): readonly string[] {
  const wanted = command.positionals ?? [];
  const last = wanted.at(-1);
  const extra = last?.many ? undefined : words[wanted.length];
  const hint = seeHelp(command);
  if (extra !== undefined)
    throw fail('SFX1001', `\`sfx ${command.name}\` does not take \`${extra}\``, { hint });
  wanted.forEach((positional, index) => {
    const word = words[index];
    const { choices } = positional;
    if (word === undefined) {
      if (!positional.required) return;
      const among = choices ? `: ${choices.join(', ')}` : '';
      throw fail('SFX1002', `\`sfx ${command.name}\` needs <${positional.name}>${among}`, { hint });
    }
    if (choices && !choices.includes(word)) {
      throw fail('SFX1001', `\`sfx ${command.name}\` does not take \`${word}\`${meant(word, choices)}`, {
        hint,
      });
    }
  });
  return words;
}

function given(values: ReadonlyMap<string, Value>): Given {
  const get = (name: string): Value | undefined => values.get(name);
  return {
    text: (name) => {
      const value = get(name);
      return typeof value === 'string' ? value : undefined;
    },
    number: (name) => {
      const value = get(name);
      return typeof value === 'number' ? value : undefined;
    },
    flag: (name) => get(name) === true,
    list: (name) => {
      const value = get(name);
      return Array.isArray(value) ? (value as readonly string[]) : [];
    },
    all: () =>
      Object.fromEntries(
        [...values].map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : String(value)]),
      ),
  };
}
