import { child, type Node } from '../node.js';
import { type Answer, needsAddress, type SourceContext, type VariableSource, virtual } from './source.js';

function places(stage: string): readonly (readonly string[])[] {
  return [
    ['stages', stage, 'params'],
    ['params', stage],
    ['stages', 'default', 'params'],
    ['params', 'default'],
  ];
}

function isThere(answer: Answer): answer is { node: Node } {
  return 'node' in answer && !(answer.node.kind === 'scalar' && answer.node.scalar === null);
}

/** `${param:name}`: `--param`, then the stage's own under `stages` or `params`, then those of `default`. */
export const paramSource: VariableSource = {
  name: 'param',
  read(request, context: SourceContext) {
    const name = request.address;
    if (!name) return needsAddress(request, '${param:name}');
    if (Object.hasOwn(context.params, name)) {
      return virtual(context.params[name]!, request.at, `\${${request.shown}}`);
    }
    for (const place of places(context.stage ?? 'default')) {
      if (!child(context.root, place[0]!)) continue;
      const answer = context.walk(context.root, [...place, name], '');
      if (isThere(answer) || !('missing' in answer || 'node' in answer)) return answer;
    }
    return { missing: `no --param sets it, nor does stages.${context.stage ?? 'default'}.params` };
  },
};
