import type { Json } from '@sfx-deploy/core';
import { fail } from '@sfx-deploy/core/errors';
import { takenLines } from '../render/activations.js';
import { harmless } from '../render/text.js';
import type { Command, Context } from './definition.js';
import { flagsOf, readText } from './shared.js';

export const invoke: Command = {
  name: 'invoke',
  group: 'look',
  summary: 'call one function, also a candidate that has no traffic yet',
  scope: 'stage',
  positionals: [{ name: 'function', summary: 'as named in serverless.yml' }],
  options: [
    { name: 'function', alias: 'f', kind: 'text', value: 'name', summary: 'the same as the word itself' },
    {
      name: 'data',
      alias: 'd',
      kind: 'text',
      value: 'json',
      summary: 'what it is called with; @file reads a file',
    },
    {
      name: 'path',
      alias: 'p',
      kind: 'text',
      value: 'file',
      summary: 'a file with what it is called with; - is standard input',
    },
    { name: 'candidate', kind: 'flag', summary: 'the open release instead of stable' },
    { name: 'version', kind: 'text', value: 'id', summary: 'this version' },
    { name: 'async', kind: 'flag', summary: 'do not wait: answer the id of the activation' },
    { name: 'raw', kind: 'flag', summary: 'data is text, not JSON; the answer is printed as it is' },
  ],
  examples: [
    { command: 'sfx invoke checkout --data \'{"id":1}\'', what: 'stable, as callers get it' },
    { command: 'sfx invoke checkout --stage prod --candidate', what: 'the canary, whatever its share' },
    { command: 'sfx invoke worker --async', what: 'taken at once, made later; then sfx activations <id>' },
  ],
  async run(context) {
    const { given, host } = context;
    const name = functionOf(context);
    const payload = await payloadOf(context);
    const version = given.text('version');
    const core = await context.core();
    await using session = await context.session();
    const request = {
      function: name,
      payload,
      ...(given.flag('candidate') ? { candidate: true } : {}),
      ...(version === undefined ? {} : { version }),
    };
    if (given.flag('async')) {
      const { activation } = await core.invokeLater(session, request);
      if (host.json) host.document({ version: 1, function: name, activation });
      else host.report(takenLines(activation, flagsOf(given)));
      return 0;
    }
    const answer = await core.invoke(session, request);
    if (host.json)
      host.document({
        version: 1,
        function: name,
        served: { version: answer.version, release: answer.release },
        result: answer.result,
      });
    else
      host.report([
        given.flag('raw') && typeof answer.result === 'string'
          ? harmless(answer.result)
          : JSON.stringify(answer.result, null, 2),
      ]);
    return 0;
  },
};

function functionOf({ given, positionals }: Context): string {
  const [word] = positionals;
  const option = given.text('function');
  if (word !== undefined && option !== undefined && word !== option) {
    throw fail('SFX1002', `two functions were named: ${word} and ${option}`);
  }
  const name = word ?? option;
  if (name === undefined)
    throw fail('SFX1002', '`sfx invoke` needs <function>', { hint: 'See `sfx invoke --help`.' });
  return name;
}

async function payloadOf(context: Context): Promise<Json> {
  const { given } = context;
  const [data, path] = [given.text('data'), given.text('path')];
  if (data !== undefined && path !== undefined)
    throw fail('SFX1002', '`--data` and `--path` cannot both be given');
  const file = path ?? (data?.startsWith('@') ? data.slice(1) : undefined);
  const text = file === undefined ? data : await readText(context, file);
  if (text === undefined) return {};
  if (given.flag('raw')) return text;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const from = file ?? '--data';
    throw fail('SFX1002', `${from} is not JSON`, {
      hint: 'Correct it, or pass `--raw` to send it as text.',
      cause: error,
    });
  }
}
