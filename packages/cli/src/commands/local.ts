import type { Scope } from '@sfx-deploy/core';
import { fail, isSfxError, messageOf } from '@sfx-deploy/core/errors';
import { engineLines, resetLines, stoppedLines } from '../render/engine.js';
import { count, harmless } from '../render/text.js';
import type { Command, Context } from './definition.js';
import { yes } from './options.js';

type Local = typeof import('@sfx-deploy/provider-local');

const ACTIONS = ['start', 'stop', 'status', 'reset', 'logs', 'run', 'redrive'] as const;

export const local: Command = {
  name: 'local',
  group: 'sfx',
  summary: 'the engine on this machine: start, stop, status, logs, and more',
  scope: 'none',
  positionals: [
    { name: 'action', summary: 'what to do', required: true, choices: ACTIONS },
    {
      name: 'what',
      summary:
        'reset: a service or stage, as shop/dev (default: all); run: a schedule, as shop/dev/sweep; redrive: a queue',
    },
  ],
  options: [
    { name: 'follow', alias: 'f', kind: 'flag', summary: 'for logs: go on as new lines come' },
    { ...yes, summary: 'for reset: ask nothing' },
  ],
  examples: [
    {
      command: 'sfx local status',
      what: 'whether it runs, where it keeps what, and which services it serves',
    },
    { command: 'sfx local stop', what: 'says what it leaves; a deploy starts it again' },
    { command: 'sfx local reset shop/dev --yes', what: 'versions, queues and state of one stage go' },
    { command: 'sfx local logs --follow', what: "the engine's own log" },
    { command: 'sfx local run shop/dev/sweep', what: 'a schedule runs now, whatever the time' },
    {
      command: 'sfx local redrive shop/dev/orders-dead',
      what: 'dead letters go back to where they came from',
    },
  ],
  async run(context) {
    const [action] = context.positionals;
    refuseStray(context);
    const engine = await load();
    if (action === 'stop') return stop(context, engine);
    if (action === 'reset') return reset(context, engine);
    if (action === 'logs') return logs(context, engine);
    if (action === 'run') return runNow(context, engine);
    if (action === 'redrive') return redrive(context, engine);
    const run = await context.run();
    if (action === 'start') await engine.startEngine(run);
    const status = await engine.engineStatus(run);
    if (context.host.json) context.host.document({ version: 1, ...status });
    else context.host.report(engineLines(status, context.host.look));
    return 0;
  },
};

/** A word or flag that means something for another action only is a mistake, and stop is not reset. */
function refuseStray({ given, positionals }: Context): void {
  const [action, what] = positionals;
  const hint = 'See `sfx local --help`.';
  if (what !== undefined && !['reset', 'run', 'redrive'].includes(action!))
    throw fail('SFX1001', `\`sfx local ${action}\` does not take \`${what}\``, { hint });
  for (const [flag, owner] of [
    ['follow', 'logs'],
    ['yes', 'reset'],
  ] as const) {
    if (given.flag(flag) && action !== owner)
      throw fail('SFX1001', `\`sfx local ${action}\` has no option \`--${flag}\``, { hint });
  }
}

async function stop({ host, run }: Context, engine: Local): Promise<number> {
  const stopped = await engine.stopEngine(await run());
  if (host.json) host.document({ version: 1, ...stopped });
  else host.report(stoppedLines(stopped, host.look));
  return 0;
}

async function reset(context: Context, engine: Local): Promise<number> {
  const { host, positionals } = context;
  const [, what] = positionals;
  const run = await context.run();
  const scopes = await engine.keptScopes(run, what);
  if (scopes.length > 0 && !(await isSure(context, scopes))) {
    host.report(['Nothing was taken away.']);
    return 64;
  }
  const done = await engine.resetEngine(run, what);
  if (host.json) host.document({ version: 1, ...done });
  else host.report(resetLines(done, host.look));
  return 0;
}

async function isSure({ given, host, io }: Context, scopes: readonly Scope[]): Promise<boolean> {
  if (given.flag('yes')) return true;
  const names = scopes.map(({ service, stage }) => `${service} ${stage}`).join(', ');
  const taken = `reset takes away what the engine keeps of ${names}: versions, queues, logs and releases`;
  if (!io.canAsk || host.json) throw fail('SFX1003', taken);
  host.settle();
  const answer = await io.ask(
    `${taken[0]!.toUpperCase()}${taken.slice(1)}. Type ${scopes.length} to go on with ${count(scopes.length, 'stage')}: `,
  );
  return answer.trim() === String(scopes.length);
}

/** `shop/dev/sweep`: what is meant of which stage. Throws SFX1002. */
function placeOf({ positionals }: Context, kind: string): { scope: Scope; name: string } {
  const [action, what] = positionals;
  const [service, stage, name, ...rest] = (what ?? '').split('/');
  if (service && stage && name && rest.length === 0) return { scope: { service, stage }, name };
  throw fail('SFX1002', `\`sfx local ${action}\` needs <service>/<stage>/<${kind}>`, {
    hint: 'See `sfx local --help`.',
  });
}

async function runNow(context: Context, engine: Local): Promise<number> {
  const { scope, name } = placeOf(context, 'schedule');
  const { id, schedule } = await engine.runSchedule(scope, name, await context.run());
  if (context.host.json) context.host.document({ version: 1, schedule, activation: id });
  else
    context.host.report([
      `Schedule ${harmless(name)} runs now.`,
      `  look       sfx activations ${id} --service ${scope.service} --stage ${scope.stage} --provider local`,
    ]);
  return 0;
}

async function redrive(context: Context, engine: Local): Promise<number> {
  const { scope, name } = placeOf(context, 'queue');
  const { sent, left } = await engine.redrive(scope, name, await context.run());
  if (context.host.json) context.host.document({ version: 1, queue: name, sent, left });
  else
    context.host.report([
      `${count(sent, 'message')} of ${harmless(name)} went back${left === 0 ? '' : `, ${left} stay`}.`,
    ]);
  return 0;
}

async function logs(context: Context, engine: Local): Promise<number> {
  const { given, host, io, signal } = context;
  try {
    for await (const line of engine.engineLog(await context.run(), given.flag('follow'))) {
      if (io.stdout.closed) return 0;
      const [, at, text] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (.*)$/s.exec(line) ?? [line, null, line];
      if (host.json) host.line({ at, text });
      else host.report([harmless(line)]);
    }
  } catch (error) {
    if (!(signal.aborted && isSfxError(error) && error.code === 'SFX4120')) throw error;
  }
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
