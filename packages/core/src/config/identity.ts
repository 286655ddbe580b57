import { dirname } from 'node:path';
import { fail } from '../errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { nameFault } from '../model/names.js';
import type { Run } from '../run.js';
import { displayPath, findFile } from './find.js';
import { type ResolveInit, resolveOne } from './interpolate.js';
import { nodeAt, toJson } from './node.js';
import { createProblems, type Problems } from './problems.js';
import { type ConfigRequest, initOf, readRoot, refused, stageOf, withStage } from './root.js';

/** What names a service and where it lives: all that most commands need of a file. */
export interface ConfigIdentity {
  readonly file: string;
  readonly dir: string;
  readonly name: string;
  readonly stage: string;
  readonly provider: { readonly name: string; readonly options: JsonObject };
  readonly state?: { readonly path: string };
}

/** Keys of `provider:` that say nothing about where it is. */
const NOT_WHERE = new Set([
  'name',
  'stage',
  'runtime',
  'memorySize',
  'memory',
  'timeout',
  'environment',
  'tags',
]);

/**
 * Reads who a service is, and nothing else: functions, handlers and values from outside may be wrong or missing. So a
 * rollback works beside a file that does not deploy. Errors: SFX1004 (no file), SFX2200 (not readable, or not even that).
 */
export async function loadIdentity(request: ConfigRequest, run: Run): Promise<ConfigIdentity> {
  const file = findFile(request.cwd, request.file);
  const dir = dirname(file);
  const problems = createProblems();
  const root = readRoot(file, displayPath(request.cwd, file), problems);
  if (!root) throw refused(problems);
  const init = initOf(request, run, { root, dir, problems });
  const stage = await stageOf(init, request);
  const staged: ResolveInit = { ...init, root: withStage(root, stage), stage };
  const name = await nameOf(staged, problems);
  const provider = await providerOf(staged, request);
  const state = await resolved(staged, ['state', 'path']);
  if (problems.errors > 0) throw refused(problems);
  return {
    file,
    dir,
    name,
    stage,
    provider,
    ...(typeof state === 'string' ? { state: { path: state } } : {}),
  };
}

async function nameOf(init: ResolveInit, problems: Problems): Promise<string> {
  const value = await resolved(init, ['service']);
  const name = isObject(value) ? value['name'] : value;
  if (typeof name === 'string' && nameFault('service', name) === undefined) return name;
  if (problems.errors > 0) throw refused(problems);
  throw fail('SFX1004', 'the file does not say what the service is called', {
    hint: 'Correct `service:`, or name it with `--service` and `--provider`.',
  });
}

async function providerOf(init: ResolveInit, request: ConfigRequest): Promise<ConfigIdentity['provider']> {
  const node = nodeAt(init.root, '/provider');
  const written = node?.map ? await resolved(init, ['provider', 'name']) : await resolved(init, ['provider']);
  const name = request.provider ?? (typeof written === 'string' ? written : 'local');
  if (name !== written && written !== undefined) return { name, options: {} };
  const options: Record<string, Json> = {};
  for (const key of node?.map?.keys() ?? []) {
    if (NOT_WHERE.has(key)) continue;
    const value = await resolved(init, ['provider', key]);
    if (value !== undefined) options[key] = value;
  }
  return { name, options };
}

async function resolved(init: ResolveInit, path: readonly string[]): Promise<Json | undefined> {
  const node = await resolveOne(init, path);
  return node === undefined ? undefined : toJson(node);
}
