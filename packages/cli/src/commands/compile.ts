import { count } from '../render/text.js';
import type { Command } from './definition.js';
import { configOf, writeText } from './shared.js';

export const compile: Command = {
  name: 'compile',
  group: 'service',
  summary: 'print what a provider would be told (IR), offline',
  scope: 'config',
  options: [{ name: 'out', alias: 'o', kind: 'text', value: 'file', summary: 'write it there instead' }],
  examples: [
    { command: 'sfx compile --stage prod --out ir.json', what: 'the same file and sfx give the same bytes' },
  ],
  async run(context) {
    const { given, host } = context;
    const core = await context.core();
    const loaded = await configOf(context);
    const { ir, provider } = await core.compileConfig(loaded, context.request());
    const file = given.text('out');
    const text = JSON.stringify(ir, null, 2);
    if (file === undefined) {
      host.report([text]);
      return 0;
    }
    await writeText(context, file, `${text}\n`);
    if (host.json)
      host.document({ version: 1, provider, file, units: ir.units.length, triggers: ir.triggers.length });
    else
      host.report([
        `${file}: ${count(ir.units.length, 'unit')}, ${count(ir.triggers.length, 'trigger')} for ${provider}`,
      ]);
    return 0;
  },
};
