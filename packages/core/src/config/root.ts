import { fail } from '../errors.js';
import { nameFault } from '../model/names.js';
import type { Run } from '../run.js';
import { noSuchFile } from './find.js';
import { type ResolveInit, resolveOne } from './interpolate.js';
import { mapNode, type Node, nodeAt, scalarNode, valueSpan } from './node.js';
import type { Problems } from './problems.js';
import { parseText, readText } from './read.js';
import { builtInSources } from './sources/index.js';

export interface ConfigRequest {
  /** Where the command runs. */
  readonly cwd: string;
  /** Of `--config`. Default: serverless.yml, .yaml or .json in `cwd`. */
  readonly file?: string;
  /** Of `--stage`. Default: `provider.stage`, else `dev`. */
  readonly stage?: string;
  /** Of `--provider`: wins over the file's. */
  readonly provider?: string;
  /** All options of the command line, for `${opt:name}`. */
  readonly options: Readonly<Record<string, string>>;
  /** Of `--param`. */
  readonly params: Readonly<Record<string, string>>;
}

const DEFAULT_STAGE = 'dev';

export function refused(problems: Problems): Error {
  const diagnostics = problems.list();
  const count = diagnostics.filter((one) => one.severity === 'error').length;
  return fail('SFX2200', `${count} ${count === 1 ? 'error' : 'errors'} in the configuration`, {
    diagnostics,
  });
}

export function readRoot(path: string, name: string, problems: Problems): Node | undefined {
  const found = readText(path, name);
  if ('absent' in found) throw noSuchFile(path, name);
  if ('refused' in found) throw fail('SFX2002', found.refused);
  const root = parseText(found.source, problems);
  if (root && !root.map) {
    problems.add({
      code: 'SFX2001',
      message: 'the file must be a mapping: service, provider, functions',
      at: valueSpan(root),
      note: 'not a mapping',
    });
    return undefined;
  }
  return root;
}

export function initOf(
  request: ConfigRequest,
  run: Run,
  parts: Pick<ResolveInit, 'root' | 'dir' | 'problems'>,
): ResolveInit {
  let instanceId: string | undefined;
  return {
    ...parts,
    cwd: request.cwd,
    stage: undefined,
    options: request.options,
    params: request.params,
    env: run.env,
    instanceId: () => (instanceId ??= run.random(8)),
    files: new Map(),
    sources: builtInSources,
  };
}

/** `--stage`, else what the file says, else dev. */
export async function stageOf(init: ResolveInit, request: ConfigRequest): Promise<string> {
  const asked = request.stage ?? (Object.hasOwn(init.options, 'stage') ? init.options['stage'] : undefined);
  if (asked !== undefined) {
    const fault = nameFault('stage', asked);
    if (fault) throw fail('SFX1002', `the stage ${asked} ${fault}`);
    return asked;
  }
  const provider = nodeAt(init.root, '/provider');
  if (!provider || (provider.kind === 'scalar' && !provider.dynamic)) return DEFAULT_STAGE;
  const node = await resolveOne(init, ['provider', 'stage']);
  if (!node || typeof node.scalar !== 'string') return DEFAULT_STAGE;
  const fault = nameFault('stage', node.scalar, node.taint === null);
  if (!fault) return node.scalar;
  init.problems.add({
    code: 'SFX2206',
    message: `the stage ${node.taint ?? node.scalar} ${fault}`,
    at: valueSpan(node),
    note: fault,
  });
  return DEFAULT_STAGE;
}

/** The file as this stage reads it: `provider.stage` is the stage that was chosen, however it was. */
export function withStage(root: Node, stage: string): Node {
  const provider = root.map?.get('provider');
  const written = provider?.map?.get('stage');
  if (!provider?.map || !written) return root;
  const { source, start, end, keyStart, keyEnd } = written;
  const chosen = { ...scalarNode(stage, source, start, end), dynamic: false, keyStart, keyEnd };
  const copy = {
    ...mapNode(new Map(provider.map).set('stage', chosen), provider.dynamic, provider),
    keyStart: provider.keyStart,
    keyEnd: provider.keyEnd,
  };
  return mapNode(new Map(root.map).set('provider', copy), root.dynamic, root);
}
