import { dirname } from 'node:path';
import { type Diagnostic, fail } from '../errors.js';
import type { Json } from '../json.js';
import { nameFault } from '../model/names.js';
import { normalize } from '../model/normalize.js';
import type { SecretValues, Service } from '../model/service.js';
import type { Run } from '../run.js';
import { displayPath, findFile, noSuchFile } from './find.js';
import { names as localNames, validate as validateLocal } from './generated/local.validate.gen.js';
import {
  names as serverlessNames,
  validate as validateServerless,
} from './generated/serverless.validate.gen.js';
import { checkHandlers } from './handlers.js';
import { type Resolved, type ResolveInit, resolveAll, resolveOne } from './interpolate.js';
import {
  keySpan,
  mapNode,
  maskScalar,
  type Node,
  nodeAt,
  scalarNode,
  TOO_LARGE,
  toJson,
  valueSpan,
} from './node.js';
import { warnUnused } from './notes.js';
import { createProblems, type Problems } from './problems.js';
import { parseText, readText } from './read.js';
import { createSecretCollector } from './refs.js';
import { builtInSources } from './sources/index.js';
import { checkSchema } from './validate.js';

export { renderFrame } from './frame.js';
export type { Variable, VariableFault } from './variables.js';

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

export interface LoadedConfig {
  /** Absolute. */
  readonly file: string;
  readonly dir: string;
  readonly service: Service;
  /** All variables filled; values from env, options, `--param` and secret sources shown as the text they came from. */
  readonly document: Json;
  /** The same with those values. */
  revealed(): Json;
  /** Warnings. */
  readonly diagnostics: readonly Diagnostic[];
  readonly secrets: SecretValues;
}

const DEFAULT_STAGE = 'dev';

/**
 * Reads a configuration, fills its variables, checks it, and brings it into its normal form.
 * Throws SFX2200 with everything that is wrong, or SFX1004 when there is no file.
 */
export async function loadConfig(request: ConfigRequest, run: Run): Promise<LoadedConfig> {
  const path = findFile(request.cwd, request.file);
  const dir = dirname(path);
  const problems = createProblems();
  const root = readRoot(path, displayPath(request.cwd, path), problems);
  if (!root) throw refused(problems);
  const init = initOf(request, run, { root, dir, problems });
  const stage = await stageOf(init, request);
  const staged = { ...init, root: withStage(root, stage), stage };
  const resolved = withFunctions(await resolveAll(staged), problems);
  const value = plain(resolved.root, problems);
  validate(value, resolved, request, problems);
  const secrets = createSecretCollector();
  const { service, handlers } = normalize({
    ...resolved,
    dir,
    stage,
    provider: request.provider,
    problems,
    secrets,
  });
  checkHandlers(handlers, service.provider.name, dir, problems);
  if (problems.errors > 0) throw refused(problems);
  warnUnused(resolved.root, problems);
  let document: Json | undefined;
  return {
    file: path,
    dir,
    service,
    get document() {
      document ??= toJson(resolved.root, maskScalar);
      return document;
    },
    revealed: () => value,
    diagnostics: problems.list(),
    secrets: secrets.values,
  };
}

function refused(problems: Problems): Error {
  const diagnostics = problems.list();
  const count = diagnostics.filter((one) => one.severity === 'error').length;
  return fail('SFX2200', `${count} ${count === 1 ? 'error' : 'errors'} in the configuration`, {
    diagnostics,
  });
}

function readRoot(path: string, name: string, problems: Problems): Node | undefined {
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

function initOf(
  request: ConfigRequest,
  run: Run,
  parts: Pick<ResolveInit, 'root' | 'dir' | 'problems'>,
): ResolveInit {
  return {
    ...parts,
    cwd: request.cwd,
    stage: undefined,
    options: request.options,
    params: request.params,
    env: run.env,
    instanceId: run.random(8),
    files: new Map(),
    sources: builtInSources,
  };
}

/** `--stage`, else what the file says, else dev. */
async function stageOf(init: ResolveInit, request: ConfigRequest): Promise<string> {
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
function withStage(root: Node, stage: string): Node {
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

/** `functions:` may be a list of mappings, as from several files: from here on it is one mapping. */
function withFunctions(resolved: Resolved, problems: Problems): Resolved {
  const { root } = resolved;
  const functions = root.map?.get('functions');
  if (!root.map || !functions?.list || functions.list.some((item) => !item.map && item.scalar !== null))
    return resolved;
  const merged = new Map<string, Node>();
  for (const item of functions.list) {
    for (const [name, fn] of item.map ?? []) {
      if (merged.has(name))
        problems.add({
          code: 'SFX2206',
          message: `the function ${name} is there twice`,
          at: keySpan(fn),
          note: 'a second one',
        });
      else merged.set(name, fn);
    }
  }
  const map = new Map(root.map).set('functions', { ...functions, kind: 'map', list: null, map: merged });
  return { ...resolved, root: { ...root, map } };
}

function plain(root: Node, problems: Problems): Json {
  try {
    return toJson(root);
  } catch (thrown) {
    if (thrown !== TOO_LARGE) throw thrown;
    problems.add({
      code: 'SFX2109',
      message: 'filled with its variables, this file holds more than 500000 values',
      at: keySpan(root),
    });
    throw refused(problems);
  }
}

function validate(value: Json, { root, failed }: Resolved, request: ConfigRequest, problems: Problems): void {
  checkSchema(value, root, failed, { validate: validateServerless, names: serverlessNames }, problems);
  const provider = nodeAt(root, '/provider');
  // Only keys that are meant for this engine: with --provider the file's are another provider's.
  if (provider?.map?.get('name')?.scalar !== 'local' || (request.provider ?? 'local') !== 'local') return;
  const check = { validate: validateLocal, names: localNames, below: '/provider' };
  checkSchema((value as { provider: Json }).provider, root, failed, check, problems);
}
