import type { DevEvent } from '@sfx-deploy/core';
import { fail } from '@sfx-deploy/core/errors';
import { devEndLines, devErrorLines, devEventDocument, devLines } from '../render/dev.js';
import { errorLines } from '../render/error.js';
import type { Command, Context } from './definition.js';

/** How long a release that is under way may still take when development ends. */
const GRACE_MS = 3_000;

export const dev: Command = {
  name: 'dev',
  group: 'service',
  summary: 'release each save to the local engine, follow the logs',
  scope: 'config',
  json: 'lines',
  stoppable: true,
  options: [
    { name: 'logs', kind: 'flag', summary: 'what functions write (default); --no-logs for changes only' },
  ],
  examples: [
    { command: 'sfx dev', what: 'watches the project; Ctrl-C ends it, the engine goes on' },
    {
      command: 'sfx dev --stage prod',
      what: 'the file as for prod, on the engine, apart from any stage that was deployed',
    },
  ],
  async run(context) {
    const { given, host, signal } = context;
    const provider = given.text('provider');
    if (provider !== undefined && provider !== 'local')
      throw fail('SFX1002', `\`sfx dev\` runs on the local engine, not on ${provider}`, {
        hint: 'Leave `--provider` out; a file for another provider runs as it is.',
      });
    const core = await context.core();
    const { stop, release } = graceful(signal);
    const tell = teller(context);
    // The default one is a folder that is never watched.
    const home = context.io.env['SFX_LOCAL_HOME'];
    try {
      const run = core.createRun({ signal: stop, emit: () => undefined, env: context.io.env });
      const end = await core.dev(context.request(), run, {
        stop: signal,
        tell,
        ...(home === undefined ? {} : { ignore: [home] }),
      });
      if (host.json) host.document({ code: 'dev.end', ...end });
      else host.report(devEndLines(end, host.look));
      return 0;
    } finally {
      release();
    }
  },
};

/** Aborts some time after `signal`: what is being written is written first. */
function graceful(signal: AbortSignal): { readonly stop: AbortSignal; release(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => controller.abort(), GRACE_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    stop: controller.signal,
    release() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** Shows what happens; notices that every release repeats are said once. */
function teller({ given, host, io }: Context): (event: DevEvent) => void {
  const said = new Set<string>();
  const logs = given.all()['logs'] !== 'false';
  return (event) => {
    if (event.kind === 'event') {
      const { code } = event.event;
      if (code !== 'identity' && code !== 'warning' && code !== 'note') return;
      // Who it is never changes; that the engine was started stands in the first line alone.
      const key = code === 'identity' ? code : JSON.stringify(event.event);
      if (!said.has(key)) host.emit(event.event);
      said.add(key);
      return;
    }
    if (event.kind === 'log' && !logs) return;
    if (host.json) {
      host.line({ time: new Date(io.now()).toISOString(), ...devEventDocument(event) });
      return;
    }
    if (event.kind === 'failed') {
      const lines = event.again
        ? []
        : errorLines(event.error, { terminal: false, debug: host.debug }, host.errorLook);
      host.problem(devErrorLines(event, lines, io.now(), host.errorLook));
    } else host.report(devLines(event, io.now(), host.look, host.verbose));
  };
}
