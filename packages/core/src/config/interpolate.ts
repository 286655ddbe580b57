import type { Node } from './node.js';
import { resolve, type State, walk } from './resolver.js';
import type { Answer, SourceContext, VariableSource } from './sources/source.js';
import type { Parsed } from './variables.js';

export interface ResolveInit extends Omit<SourceContext, 'walk'> {
  readonly sources: readonly VariableSource[];
}

export interface Resolved {
  readonly root: Node;
  /** Scalars whose variables could not be filled: they stand as written, and what follows from them is not reported. */
  readonly failed: ReadonlySet<Node>;
}

/**
 * Fills all variables below `init.root`. Problems go to `init.problems`. Sources that take time are asked in rounds:
 * all that one round meets are awaited together, then their answers are at hand in the next.
 */
export async function resolveAll(init: ResolveInit): Promise<Resolved> {
  return inRounds(init, (state) => ({ root: resolve(state, init.root, ''), failed: state.failed }));
}

/** One place of the root, or undefined when nothing is there or it could not be filled. */
export async function resolveOne(init: ResolveInit, path: readonly string[]): Promise<Node | undefined> {
  return inRounds(init, (state) => {
    const answer = walk(state, init.root, path, '');
    return 'node' in answer && !state.failed.has(answer.node) ? answer.node : undefined;
  });
}

async function inRounds<T>(init: ResolveInit, round: (state: State) => T): Promise<T> {
  const answers = new Map<string, Answer>();
  const parsed = new Map<string, Parsed>();
  const sources = new Map(init.sources.map((source) => [source.name, source]));
  for (;;) {
    const state: State = {
      problems: init.problems,
      sources,
      context: { ...init, walk: (from, path, label) => walk(state, from, path, label) },
      parsed,
      answers,
      waiting: new Map(),
      memo: new Map(),
      found: new Map(),
      failed: new Set(),
      active: new Map(),
    };
    const result = round(state);
    if (state.waiting.size === 0) return result;
    await Promise.all([...state.waiting].map(async ([key, promise]) => answers.set(key, await promise)));
  }
}
