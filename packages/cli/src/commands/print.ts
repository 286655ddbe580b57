import type { Json } from '@sfx-deploy/core';
import { fail } from '@sfx-deploy/core/errors';
import { nearest } from '@sfx-deploy/core/nearest';
import { toYaml } from '../render/yaml.js';
import type { Command } from './definition.js';
import { configOf } from './shared.js';

export const print: Command = {
  name: 'print',
  group: 'service',
  summary: 'serverless.yml with variables filled; secrets stay as written',
  scope: 'config',
  options: [
    {
      name: 'format',
      kind: 'text',
      value: 'form',
      choices: ['yaml', 'json'],
      summary: 'how (default: yaml)',
    },
    { name: 'path', kind: 'text', value: 'a.b', summary: 'only this part' },
    { name: 'reveal', kind: 'flag', summary: 'with values from the environment and of secrets' },
  ],
  examples: [
    { command: 'sfx print --stage prod', what: 'what sfx understood' },
    { command: 'sfx print --path functions.checkout --format json', what: 'one part of it' },
  ],
  async run(context) {
    const { given, host } = context;
    const loaded = await configOf(context);
    const whole = given.flag('reveal') ? loaded.revealed() : loaded.document;
    const path = given.text('path');
    const value = path === undefined ? whole : partOf(whole, path);
    const json = host.json || given.text('format') === 'json';
    if (json) host.report([JSON.stringify(value, null, 2)]);
    else host.report([toYaml(value).trimEnd()]);
    return 0;
  },
};

function partOf(whole: Json, path: string): Json {
  let value: Json = whole;
  for (const [index, key] of path.split('.').entries()) {
    const inside =
      typeof value === 'object' && value !== null ? (value as Readonly<Record<string, Json>>) : {};
    if (!Object.hasOwn(inside, key)) {
      const before = path.split('.').slice(0, index).join('.');
      const near = nearest(key, Object.keys(inside));
      throw fail(
        'SFX1002',
        `there is no \`${key}\` in ${before === '' ? 'the file' : before}${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
    }
    value = inside[key]!;
  }
  return value;
}
