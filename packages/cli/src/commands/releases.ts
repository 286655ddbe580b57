import { releasesLines } from '../render/releases.js';
import type { Command } from './definition.js';

export const releases: Command = {
  name: 'releases',
  group: 'look',
  summary: 'the releases of a stage, newest first',
  scope: 'stage',
  needs: 'nearby',
  examples: [
    {
      command: 'sfx releases --stage prod',
      what: 'numbers, digests, commits, tags, and which can be gone back to',
    },
  ],
  async run(context) {
    const { host, io } = context;
    const core = await context.core();
    await using session = await context.session();
    const value = await core.releases(session);
    if (host.json) host.document(value);
    else host.report(releasesLines(value, io.now(), host.look));
    return 0;
  },
};
