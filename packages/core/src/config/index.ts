import { dirname } from 'node:path';
import type { Diagnostic } from '../errors.js';
import type { Json } from '../json.js';
import { normalize } from '../model/normalize.js';
import type { SecretValues, Service } from '../model/service.js';
import type { Run } from '../run.js';
import { displayPath, findFile } from './find.js';
import { names as localNames, validate as validateLocal } from './generated/local.validate.gen.js';
import {
  names as serverlessNames,
  validate as validateServerless,
} from './generated/serverless.validate.gen.js';
import { checkHandlers } from './handlers.js';
import { type Resolved, resolveAll } from './interpolate.js';
import { keySpan, maskScalar, type Node, nodeAt, TOO_LARGE, toJson } from './node.js';
import { warnUnused } from './notes.js';
import { createProblems, type Problems } from './problems.js';
import { createSecretCollector } from './refs.js';
import { type ConfigRequest, initOf, readRoot, refused, stageOf, withStage } from './root.js';
import { checkSchema } from './validate.js';

export { renderFrame } from './frame.js';
export { type ConfigIdentity, loadIdentity } from './identity.js';
export type { ConfigRequest } from './root.js';
export type { Variable, VariableFault } from './variables.js';

export interface LoadedConfig {
  /** Absolute. */
  readonly file: string;
  readonly dir: string;
  /** All files that it was read from: itself, and those that it includes. Absolute. */
  readonly files: readonly string[];
  readonly service: Service;
  /** All variables filled; values from env, options, `--param` and secret sources shown as the text they came from. */
  readonly document: Json;
  /** The same with those values. */
  revealed(): Json;
  /** Warnings. */
  readonly diagnostics: readonly Diagnostic[];
  readonly secrets: SecretValues;
}

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
    files: [path, ...init.files.keys()],
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
