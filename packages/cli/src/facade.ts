import type {
  Capabilities,
  Connection,
  Diagnostic,
  Event,
  Ir,
  Json,
  LogLine,
  Outcome,
  Plan,
  ReleasesReport,
  Run,
  Scope,
  SecretValues,
  Service,
  Status,
} from '@sfx-deploy/core';

export interface ProjectRequest {
  readonly cwd: string;
  readonly file?: string;
  readonly stage?: string;
  readonly provider?: string;
  readonly service?: string;
  readonly options: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
}

export interface LoadedConfig {
  readonly file: string;
  readonly dir: string;
  readonly service: Service;
  readonly document: Json;
  revealed(): Json;
  readonly diagnostics: readonly Diagnostic[];
  readonly secrets: SecretValues;
}

export interface Session extends AsyncDisposable {
  readonly scope: Scope;
  readonly loaded?: LoadedConfig;
  readonly connections: Readonly<Record<string, Connection>>;
  readonly run: Run;
}

export interface DeployOptions {
  readonly canary?: number;
  readonly functions?: readonly string[];
  readonly tag?: string;
  readonly force?: boolean;
  readonly supersede?: boolean;
  readonly refreshSecrets?: boolean;
  readonly adopt?: boolean;
  readonly onInterrupted?: 'fail' | 'back' | 'forward';
  readonly waitMs?: number;
  readonly plan?: Plan;
  readonly expand?: 'early' | 'late';
}

export interface PackagedUnit {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  readonly file?: string;
}

export interface ProviderListing {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly apiVersion: number | null;
  readonly capabilities: Capabilities | null;
  readonly problem?: string;
}

export interface Core {
  createRun(init: {
    signal: AbortSignal;
    emit(event: Event): void;
    env?: Readonly<Record<string, string | undefined>>;
    who?: string;
  }): Run;
  loadConfig(request: ProjectRequest, run: Run): Promise<LoadedConfig>;
  compileConfig(
    loaded: LoadedConfig,
    request: ProjectRequest,
  ): Promise<{ provider: string; ir: Ir; capabilities: Capabilities }>;
  packageConfig(
    loaded: LoadedConfig,
    request: ProjectRequest,
    run: Run,
    options: { outDir?: string },
  ): Promise<{ provider: string; units: readonly PackagedUnit[] }>;
  openSession(request: ProjectRequest, run: Run): Promise<Session>;
  planDeploy(session: Session, options: DeployOptions): Promise<Plan>;
  deploy(session: Session, options: DeployOptions): Promise<Outcome>;
  promote(session: Session, options: { waitMs?: number; full?: boolean }): Promise<Outcome>;
  planRollback(session: Session, options: { to?: string }): Promise<Plan>;
  rollback(session: Session, options: { to?: string; waitMs?: number; force?: boolean }): Promise<Outcome>;
  resume(session: Session, options: { waitMs?: number }): Promise<Outcome>;
  adopt(session: Session, options: { waitMs?: number }): Promise<Outcome>;
  remove(session: Session, options: { waitMs?: number }): Promise<Outcome>;
  status(session: Session): Promise<Status>;
  releases(session: Session): Promise<ReleasesReport>;
  invoke(
    session: Session,
    call: { function: string; payload: Json; candidate?: boolean; version?: string },
  ): Promise<{ result: Json; version: string; release: number | null }>;
  logs(
    session: Session,
    filter: {
      functions?: readonly string[];
      release?: string;
      since: Date;
      follow: boolean;
      errors?: boolean;
    },
  ): AsyncIterable<LogLine & { release: number | null }>;
  listProviders(projectDir: string, sfxDir: string): Promise<readonly ProviderListing[]>;
}
