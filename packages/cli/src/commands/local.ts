import { fail, isSfxError, messageOf } from '@sfx-deploy/core/errors';
import { engineLines, stoppedLines } from '../render/engine.js';
import type { Command, Context } from './definition.js';

type Local = typeof import('@sfx-deploy/provider-local');

export const local: Command = {
  name: 'local',
  group: 'sfx',
  summary: 'the engine on this machine: start, stop, status',
  scope: 'none',
  positionals: [
    { name: 'action', summary: 'what to do', required: true, choices: ['start', 'stop', 'status'] },
  ],
  examples: [
    {
      command: 'sfx local status',
      what: 'whether it runs, where it keeps what, and which services it serves',
    },
    { command: 'sfx local stop', what: 'says what it leaves; a deploy starts it again' },
  ],
  async run(context) {
    const [action] = context.positionals;
    const engine = await load();
    if (action === 'stop') return stop(context, engine);
    const run = await context.run();
    if (action === 'start') await engine.startEngine(run);
    const status = await engine.engineStatus(run);
    if (context.host.json) context.host.document({ version: 1, ...status });
    else context.host.report(engineLines(status, context.host.look));
    return 0;
  },
};

async function stop({ host, run }: Context, engine: Local): Promise<number> {
  const stopped = await engine.stopEngine(await run());
  if (host.json) host.document({ version: 1, ...stopped });
  else host.report(stoppedLines(stopped, host.look));
  return 0;
}

async function load(): Promise<Local> {
  try {
    return await import('@sfx-deploy/provider-local');
  } catch (error) {
    if (isSfxError(error)) throw error;
    throw fail('SFX1008', `the package of the local engine does not load: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
