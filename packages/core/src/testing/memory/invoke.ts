import { fail } from '../../errors.js';
import type { Json } from '../../json.js';
import type { InvokeTarget, LogLine, Metrics, Version } from '../../provider/contract.js';
import { type Context, findVersion, remote } from './context.js';
import { type Answer, answerOf, callAlias } from './serving.js';

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
