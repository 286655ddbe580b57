import type { Activation } from '@sfx-deploy/core';
import { fail, isSfxError } from '@sfx-deploy/core/errors';
import { activationLines, activationRows } from '../render/activations.js';
import type { Command, Context } from './definition.js';
import { sinceOf } from './since.js';

const STATUSES = ['waiting', 'running', 'retrying', 'ok', 'failed'] as const;
/** Between two looks of `--follow`. */
const LOOK_MS = 500;
const DEFAULT_LIMIT = 30;

export const activations: Command = {
  name: 'activations',
  group: 'look',
  summary: 'single calls: what caused them, how they ended',
  scope: 'stage',
  needs: 'nearby',
  positionals: [{ name: 'id', summary: 'one call whole, with its result and logs; its beginning is enough' }],
  options: [
    { name: 'function', kind: 'text', value: 'name', summary: 'only calls of this function' },
    { name: 'status', kind: 'text', value: 'status', choices: STATUSES, summary: 'only those that are so' },
    { name: 'since', kind: 'text', value: 'time', summary: 'from when: 30s, 10m, 2h, 1d, or a date' },
    {
      name: 'limit',
      kind: 'number',
      value: 'count',
      min: 1,
      max: 10_000,
      summary: `how many at most (default: ${DEFAULT_LIMIT})`,
    },
    { name: 'follow', alias: 'f', kind: 'flag', summary: 'go on as new ones end' },
  ],
  examples: [
    { command: 'sfx activations --status failed --since 1h', what: 'what went wrong lately' },
    { command: 'sfx activations 9f3c1ab', what: 'one call: record, result, logs' },
  ],
  async run(context) {
    const { given, host, positionals } = context;
    const [id] = positionals;
    const query = queryOf(context);
    if (id !== undefined) refuseBeside(context);
    const core = await context.core();
    await using session = await context.session();
    if (id !== undefined) {
      const one = await core.activation(session, id);
      if (host.json) host.document({ version: 1, activation: one });
      else host.report(activationLines(one, host.look));
      return 0;
    }
    if (given.flag('follow'))
      return follow(context, (since) => core.activations(session, { ...query, ...since }));
    const all = await core.activations(session, query);
    if (host.json) host.document({ version: 1, activations: all });
    else
      host.report(
        all.length === 0 ? ['No calls are known.'] : activationRows(all, context.io.now(), host.look),
      );
    return 0;
  },
};

function queryOf({ given, io }: Context) {
  const [name, status, since, limit] = [
    given.text('function'),
    given.text('status') as Activation['status'] | undefined,
    given.text('since'),
    given.number('limit'),
  ];
  return {
    ...(name === undefined ? {} : { function: name }),
    ...(status === undefined ? {} : { status }),
    ...(since === undefined ? {} : { since: sinceOf(since, io.now()) }),
    limit: limit ?? DEFAULT_LIMIT,
  };
}

/** What chooses among several means nothing for one. */
function refuseBeside({ given }: Context): void {
  const beside = ['function', 'status', 'since', 'limit', 'follow'].find((name) => name in given.all());
  if (beside !== undefined) throw fail('SFX1002', `\`--${beside}\` and an id cannot both be given`);
}

/** Prints what there is, oldest first, then each one as it ends or changes. Ends with Ctrl-C. */
async function follow(
  context: Context,
  read: (since: { readonly since?: Date }) => Promise<readonly Activation[]>,
): Promise<number> {
  const { host, io, signal } = context;
  const run = await context.run();
  const shown = new Map<string, string>();
  let head = true;
  try {
    for (;;) {
      const all = await read({});
      const fresh = all.filter((one) => shown.get(one.id) !== stateOf(one)).reverse();
      if (host.json) for (const one of fresh) host.line(one);
      else if (fresh.length > 0) host.report(activationRows(fresh, io.now(), host.look, { head }));
      if (fresh.length > 0) head = false;
      // Only those that may be read again: what fell out of the list is never asked for.
      const known = new Set(all.map((one) => one.id));
      for (const id of shown.keys()) if (!known.has(id)) shown.delete(id);
      for (const one of all) shown.set(one.id, stateOf(one));
      if (io.stdout.closed) return 0;
      await run.sleep(LOOK_MS);
    }
  } catch (error) {
    if (!(signal.aborted && isSfxError(error) && error.code === 'SFX4120')) throw error;
    return 0;
  }
}

function stateOf({ status, attempt }: Activation): string {
  return `${status} ${attempt}`;
}
