import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findArtifact } from './artifact/index.js';
import {
  type ConfigIdentity,
  type ConfigRequest,
  type LoadedConfig,
  loadConfig,
  loadIdentity,
} from './config/index.js';
import { type Diagnostic, fail, isSfxError } from './errors.js';
import { serviceNearby } from './nearby.js';
import type { Capabilities, Connection, Ir, Provider, Scope } from './provider/contract.js';
import { loadProvider } from './provider/loader.js';
import type { Context } from './release/context.js';
import { fleet } from './release/fleet.js';
import type { Run } from './run.js';
import { fileStore } from './state/file-store.js';
import { stageState } from './state/stage-state.js';
import type { Store } from './state/store.js';

export interface ProjectRequest extends ConfigRequest {
  /** Names the service where there is no file. */
  readonly service?: string;
  /**
   * How much of the file the command needs. `whole`: all of it must be right. `identity`: who the service is and where.
   * `at hand`: all of it if it is right, else who it is. `nearby`: who it is, or without a file the one service that was
   * deployed from this folder. Default `whole`.
   */
  readonly needs?: 'whole' | 'identity' | 'at hand' | 'nearby';
  /**
   * The provider keeps it under this stage, whatever stage the file is read for, and keeps its state too: what the file says
   * under `state:` is of the stage that it means.
   */
  readonly apart?: { readonly stage: string };
  /** Folder of this copy of sfx: providers beside it are found too. */
  readonly sfxDir?: string;
}

/** One service and stage, connected. */
export interface Session extends AsyncDisposable {
  readonly scope: Scope;
  readonly loaded?: LoadedConfig;
  readonly provider: Provider;
  readonly connections: Readonly<Record<string, Connection>>;
  readonly run: Run;
  /** Folder of the configuration, where there is one. */
  readonly dir?: string;
  /** A fresh context, with a write counter of its own, for one command. */
  context(): Context;
}

function sfxDirOf(request: ProjectRequest): string {
  return request.sfxDir ?? dirname(fileURLToPath(import.meta.url));
}

export function providerOf(loaded: LoadedConfig, request: ProjectRequest): Promise<Provider> {
  return loadProvider(loaded.service.provider.name, loaded.dir, sfxDirOf(request));
}

/** The IR by the provider's documented capabilities: needs no connection. */
export async function compileConfig(
  loaded: LoadedConfig,
  request: ProjectRequest,
): Promise<{
  readonly provider: string;
  readonly ir: Ir;
  readonly capabilities: Capabilities;
  /** What the provider leaves out of a file that is written for another one. */
  readonly notes: readonly Diagnostic[];
}> {
  const provider = await providerOf(loaded, request);
  const { service } = loaded;
  return {
    provider: provider.name,
    ir: provider.compile(service, service.provider.options, provider.documented),
    capabilities: provider.documented,
    notes: notesOf(loaded, provider, provider.documented),
  };
}

/** What a provider leaves out, with its places as the other diagnostics have them. */
export function notesOf(
  { service }: LoadedConfig,
  provider: Provider,
  can: Capabilities,
): readonly Diagnostic[] {
  return provider.notes?.(service, service.provider.options, can) ?? [];
}

/** The folder of caches beside the configuration; deletable. */
export function cacheDirOf(dir: string): string {
  return join(dir, '.sfx');
}

/**
 * Connects to where a service lives. With a file: its name, stage and provider. Without one: `service` and `provider` must
 * be given, and only commands that need no file work.
 * Errors: SFX1004, SFX2200, SFX3001 to SFX3004, SFX4124, and the provider's own.
 */
export async function openSession(request: ProjectRequest, run: Run): Promise<Session> {
  const { loaded, identity } = await whoIs(request, run);
  const provider = await loadProvider(identity.provider.name, identity.dir, sfxDirOf(request));
  const scope: Scope = { service: identity.name, stage: request.apart?.stage ?? identity.stage };
  const connection = await provider.connect(scope, identity.provider.options, run);
  const { where, as, note } = connection.identity;
  run.emit({
    code: 'identity',
    ...scope,
    provider: provider.name,
    where,
    ...(as === undefined ? {} : { as }),
    ...(note === undefined ? {} : { note }),
  });
  const connections = { [provider.name]: connection };
  const dir = loaded?.dir ?? ('file' in identity ? identity.dir : undefined);
  const place =
    identity.state === undefined || request.apart ? undefined : join(identity.dir, identity.state.path);
  const store = storeOf(place, connection, provider.name);
  return {
    scope,
    ...(loaded === undefined ? {} : { loaded }),
    provider,
    connections,
    run,
    ...(dir === undefined ? {} : { dir }),
    context: () => ({
      run,
      scope,
      state: stageState(store, scope, run),
      fleet: fleet(connections, run),
      ...(dir === undefined ? {} : { dir }),
      ...(loaded === undefined ? {} : { secrets: loaded.secrets, artifact: cachedArtifact(loaded) }),
    }),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

type Who = Omit<ConfigIdentity, 'file'> & Partial<Pick<ConfigIdentity, 'file'>>;

/** In an empty folder the service is named; else the file says who it is, as far as the command needs it. */
async function whoIs(
  request: ProjectRequest,
  run: Run,
): Promise<{ readonly identity: Who; readonly loaded?: LoadedConfig }> {
  const { service, provider, stage = 'dev', needs = 'whole' } = request;
  if (service !== undefined && request.file === undefined) {
    if (provider === undefined) {
      throw fail('SFX1004', '`--service` needs `--provider` beside it: there is no file that names one');
    }
    return {
      identity: { dir: request.cwd, name: service, stage, provider: { name: provider, options: {} } },
    };
  }
  if (needs === 'identity') return { identity: await loadIdentity(request, run) };
  if (needs === 'nearby') return { identity: await identityOrNearby(request, run) };
  try {
    const loaded = await loadConfig(request, run);
    return { identity: { ...loaded.service, dir: loaded.dir }, loaded };
  } catch (error) {
    if (needs === 'whole' || !isSfxError(error) || error.code !== 'SFX2200') throw error;
    return { identity: await loadIdentity(request, run) };
  }
}

async function identityOrNearby(request: ProjectRequest, run: Run): Promise<Who> {
  try {
    return await loadIdentity(request, run);
  } catch (error) {
    if (!isSfxError(error) || error.code !== 'SFX1004' || request.file !== undefined) throw error;
    const { cwd, stage = 'dev', provider: name = 'local' } = request;
    const provider = await loadProvider(name, cwd, sfxDirOf(request));
    const service = await serviceNearby(provider, cwd, stage, run);
    if (service === undefined) throw error;
    return { dir: cwd, name: service, stage, provider: { name, options: {} } };
  }
}

function storeOf(place: string | undefined, connection: Connection, provider: string): Store {
  if (place !== undefined) return fileStore(place);
  if (connection.store !== undefined) return connection.store;
  throw fail('SFX4124', `${provider} keeps no state, and the file names no place for it under \`state:\``);
}

function cachedArtifact(loaded: LoadedConfig): NonNullable<Context['artifact']> {
  return async (_unit, digest) => findArtifact(cacheDirOf(loaded.dir), digest as never);
}

export function needConfig(session: Session): LoadedConfig {
  if (session.loaded !== undefined) return session.loaded;
  throw fail('SFX1004', 'this command needs the configuration file');
}
