import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { providersLines } from '../render/providers.js';
import type { Command } from './definition.js';

export const providers: Command = {
  name: 'providers',
  group: 'sfx',
  summary: 'the providers that are installed, and what each can do',
  scope: 'none',
  examples: [{ command: 'sfx providers', what: 'found in this folder and beside sfx' }],
  async run({ core, host, io }) {
    const { listProviders } = await core();
    const found = await listProviders(io.cwd, dirname(fileURLToPath(import.meta.url)));
    if (host.json) host.document({ version: 1, providers: found });
    else host.report(providersLines(found, host.look));
    return 0;
  },
};
