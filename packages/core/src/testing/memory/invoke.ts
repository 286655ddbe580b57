import { asSfxError, fail } from '../../errors.js';
import type { Json } from '../../json.js';
import type {
  Activation,
  ActivationQuery,
  InvokeTarget,
  LogLine,
  Metrics,
  Version,
} from '../../provider/contract.js';
import { type Context, findVersion, remote } from './context.js';
import { type Answer, answerOf, callAlias } from './serving.js';
import type { WorldDocument } from './world.js';

/** Answers `{ version, function, payload }`. A version without an address of its own is refused (SFX3005). */
export async function invoke(context: Context, target: InvokeTarget, payload: Json): Promise<Json> {
  const { can, run, scope, shape } = context;
  const on = 'alias' in target ? target.alias : target.version.unit;
  if ('version' in target && !can.candidateAddress) {
    throw fail('SFX3005', `a version of ${target.version.unit} cannot be called before it has traffic`, {
      unit: on,
    });
  }
  const random = Number.parseInt(run.random(4), 16) / 2 ** 32;
  const answer = await remote(context, 'invoke', on, false, (document, now): Answer => {
    const asked = { document, shape, scope, now };
    return 'alias' in target
      ? callAlias(asked, target.alias, target.function, random)
      : answerOf(asked, target.version.unit, target.version.id, target.function);
  });
  if ('failed' in answer)
    throw fail('SFX3101', `${target.function}: ${answer.failed}`, { unit: on, action: 'invoke' });
  return { version: answer.version.id, function: target.function, payload };
}

export function metrics(context: Context, version: Version): Promise<Metrics | undefined> {
  return remote(context, 'metrics', version.unit, false, (document) => {
    const stored = findVersion(document, context.scope, version.unit, version.id);
    return document.metrics[version.digest] ?? (stored && document.metrics[stored.artifact]);
  });
}

/** One line: that the version was made. */
export async function* logs(context: Context, version: Version): AsyncIterable<LogLine> {
  const stored = await remote(context, 'logs', version.unit, false, (document) =>
    findVersion(document, context.scope, version.unit, version.id),
  );
  for (const name of stored?.functions ?? []) {
    yield {
      at: new Date(context.run.now()).toISOString(),
      function: name,
      version: version.id,
      stream: 'engine',
      text: `made by release ${stored?.release}`,
    };
  }
}

/** The call is made at once, and its record kept. */
export async function invokeLater(context: Context, target: InvokeTarget, payload: Json): Promise<string> {
  const id = context.run.random(8);
  const asked = new Date(context.run.now()).toISOString();
  const ended = await invoke(context, target, payload).then(
    (result): Pick<Activation, 'status' | 'result'> => ({ status: 'ok', result }),
    (thrown: unknown): Pick<Activation, 'status' | 'error'> => {
      const { code, message } = asSfxError(thrown);
      return { status: 'failed', error: { code, message } };
    },
  );
  const { version } = ('result' in ended ? ended.result : {}) as { readonly version?: string };
  const call: Activation = {
    id,
    function: target.function,
    version: version ?? null,
    release: null,
    cause: 'async',
    asked,
    started: asked,
    durationMs: 0,
    cold: false,
    attempt: 1,
    ...ended,
  };
  await remote(context, 'invoke.later', target.function, true, (document) =>
    document.activations.push({ scope: context.scope, call }),
  );
  return id;
}

/** Newest first. */
export function activations(context: Context, query: ActivationQuery): Promise<readonly Activation[]> {
  return remote(context, 'activations', context.scope.stage, false, (document) =>
    ownActivations(context, document)
      .filter((one) => query.function === undefined || one.function === query.function)
      .filter((one) => query.status === undefined || one.status === query.status)
      .filter((one) => query.since === undefined || Date.parse(one.asked) >= query.since.getTime())
      .reverse()
      .slice(0, query.limit ?? 30),
  );
}

export function activation(context: Context, id: string): Promise<Activation | undefined> {
  return remote(context, 'activation', id, false, (document) => {
    const found = ownActivations(context, document).find((one) => one.id === id);
    return found && { ...found, logs: [] };
  });
}

function ownActivations({ scope }: Context, document: WorldDocument): Activation[] {
  return document.activations
    .filter((one) => one.scope.service === scope.service && one.scope.stage === scope.stage)
    .map((one) => one.call);
}
