import { statusLines } from '../render/status.js';
import type { Command } from './definition.js';

export const status: Command = {
  name: 'status',
  aliases: ['info'],
  group: 'look',
  summary: 'who gets traffic now, by version; drift, lease, addresses',
  scope: 'stage',
  needs: 'nearby',
  examples: [
    { command: 'sfx status --stage prod', what: 'the stage as it is, read just now' },
    { command: 'sfx status --stage prod --json | jq .urls.http', what: 'the same as one document' },
    { command: 'sfx status --service shop --provider local', what: 'from any folder' },
  ],
  async run(context) {
    const { host } = context;
    const core = await context.core();
    await using session = await context.session();
    const value = await core.status(session);
    if (host.json) host.document(value);
    else host.report(statusLines(value, host.look));
    return 0;
  },
};
