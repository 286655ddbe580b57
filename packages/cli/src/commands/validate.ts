import { basename } from 'node:path';
import { tally, warningLines } from '../render/diagnostics.js';
import { count } from '../render/text.js';
import type { Command } from './definition.js';
import { configOf } from './shared.js';

export const validate: Command = {
  name: 'validate',
  group: 'service',
  summary: 'read serverless.yml and name everything that is wrong',
  scope: 'config',
  examples: [
    { command: 'sfx validate --stage prod', what: 'all problems at once, each with its place' },
    { command: 'sfx validate --json', what: 'for editors and CI' },
  ],
  async run(context) {
    const { host } = context;
    const core = await context.core();
    const loaded = await configOf(context);
    const { ir, provider, notes } = await core.compileConfig(loaded, context.request());
    const { service } = loaded;
    const diagnostics = [...loaded.diagnostics, ...notes];
    const all = notes.length === 0 ? 'All of it' : 'What is not named here';
    const found = { functions: service.functions.length, triggers: ir.triggers.length };
    if (host.json) {
      const file = loaded.file;
      host.document({
        version: 1,
        file,
        service: service.name,
        stage: service.stage,
        provider,
        ...found,
        diagnostics,
      });
      return 0;
    }
    host.report([
      `${basename(loaded.file)}  ${service.name} · ${service.stage} · ${provider}: ${count(found.functions, 'function')}, ${count(found.triggers, 'trigger')}`,
      ...warningLines(diagnostics, host.look),
      `${tally(diagnostics)}. ${all} can be deployed.`.replace(/^no/, 'No'),
    ]);
    return 0;
  },
};
