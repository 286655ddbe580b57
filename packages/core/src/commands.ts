import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildUnits } from './artifact/index.js';
import type { LoadedConfig } from './config/index.js';
import { fail, isSfxError } from './errors.js';
import type { Digest } from './json.js';
import { commitOf, originOf } from './origin.js';
import type { Intent } from './plan/intent.js';
import type { Asked, Plan } from './plan/plan.js';
import {
  cacheDirOf,
  compileConfig,
  needConfig,
  notesOf,
  type ProjectRequest,
  type Session,
} from './project.js';
import type { Activation, ActivationQuery, Artifact, Ir, LogLine } from './provider/contract.js';
import { activationOf, activationsOf } from './release/activations.js';
import { adoptRelease } from './release/adopt.js';
import { type Context, step } from './release/context.js';
import { deployRelease, planRelease } from './release/deploy.js';
import { qualify, unitsOf } from './release/fleet.js';
import { type InvokeRequest, invokeFunction, invokeLater as laterOf } from './release/invoke.js';
import { type LogsRequest, logsOf } from './release/logs.js';
import { onlyFunctions } from './release/only.js';
import type { Outcome, ReleasesReport, Status } from './release/outcome.js';
import { promoteRelease } from './release/promote.js';
import { refreshed } from './release/refs.js';
import { removeStage } from './release/remove.js';
import { resumeRelease } from './release/resume.js';
import { planRollback as planBack, rollbackRelease } from './release/rollback.js';
import type { OnInterrupted } from './release/settle.js';
import { releasesOf, statusOf } from './release/status.js';
import { type Tested, type TestRequest, testStage } from './release/test.js';
import type { Run } from './run.js';
import type { By } from './state/documents.js';
import { counted } from './text.js';

/** Longest that a command waits for another holder unless it is told otherwise. */
const WAIT_MS = 60_000;

export interface WaitOptions {
  /** Default 60,000; 0 fails at once (SFX4101). */
  readonly waitMs?: number;
}

export interface DeployOptions extends WaitOptions {
  /** Percent of calls that the candidate gets; the release then stays open until promote or rollback. */
  readonly canary?: number;
  /** Deploy only these; every other unit keeps its version. */
  readonly functions?: readonly string[];
  readonly tag?: string;
  readonly force?: boolean;
  readonly supersede?: boolean;
  /** Read values that came from outside anew, although nothing says that they changed. */
  readonly refreshSecrets?: boolean;
  readonly adopt?: boolean;
  readonly onInterrupted?: OnInterrupted;
  readonly plan?: Plan;
  readonly expand?: 'early' | 'late';
  /** All of the traffic in one step, without pause or bake, whatever `rollout:` says; checks are made all the same. */
  readonly atOnce?: boolean;
}

/** Builds, observes, plans. Writes nothing to state or provider. */
export async function planDeploy(session: Session, options: DeployOptions = {}): Promise<Plan> {
  const prepared = await prepare(session, options);
  return (await planRelease(prepared.ctx, prepared.intent)).plan;
}

/** The whole of `sfx deploy`. Errors: any coded one before the first write; later ones are in the outcome. */
export async function deploy(session: Session, options: DeployOptions = {}): Promise<Outcome> {
  const prepared = await prepare(session, options);
  const { run } = session;
  if (options.adopt) await adoptIfRefused(prepared, options);
  return deployRelease(prepared.ctx, prepared.intent, {
    waitMs: options.waitMs ?? WAIT_MS,
    supersede: options.supersede,
    onInterrupted: options.onInterrupted,
    saved: options.plan,
    canaryAsked: prepared.intent.asked?.canary !== undefined,
    command: 'deploy',
    planned: (plan) => {
      if (plan.empty) return;
      const git = prepared.intent.by.git;
      const changed = plan.changes
        .filter((change) => change.area === 'function' && change.action !== 'keep')
        .map((change) => change.name);
      const total = plan.changes.filter((change) => change.area === 'function').length;
      run.emit({
        code: 'release',
        number: plan.number,
        after: plan.base,
        ...(git ? { git: { sha: git.sha, subject: git.subject } } : {}),
        changed,
        total,
      });
    },
  });
}

const ADOPTABLE: readonly string[] = ['SFX4105', 'SFX4106', 'SFX4107', 'SFX4114'];

/** `deploy --adopt`: only what would be refused without it is adopted. */
async function adoptIfRefused({ ctx, intent }: Prepared, options: DeployOptions): Promise<void> {
  try {
    await planRelease(ctx, intent);
  } catch (error) {
    if (!isSfxError(error) || !ADOPTABLE.includes(error.code)) throw error;
    await adoptRelease(ctx, intent, { waitMs: options.waitMs ?? WAIT_MS });
  }
}

interface Prepared {
  readonly ctx: Context;
  readonly intent: Intent;
}

/** A saved plan says itself how it was asked for; what is said again must not differ, which `bound` and `steps` show. */
function withAsked(options: DeployOptions): DeployOptions {
  return options.plan === undefined ? options : { ...options.plan.asked, ...options };
}

function askedOf({ canary, functions, expand, tag }: DeployOptions): Asked {
  return {
    ...(canary === undefined ? {} : { canary }),
    ...(functions === undefined ? {} : { functions }),
    ...(expand === undefined ? {} : { expand }),
    ...(tag === undefined ? {} : { tag }),
  };
}

async function prepare(session: Session, given: DeployOptions): Promise<Prepared> {
  const options = withAsked(given);
  const loaded = needConfig(session);
  const { service } = loaded;
  const { run, provider } = session;
  const ctx = session.context();
  const name = provider.name;
  const can = session.connections[name]!.capabilities;
  let ir = provider.compile(service, service.provider.options, can);
  for (const { code, message, at } of notesOf(loaded, provider, can)) {
    const place = at === undefined ? {} : { at: `${at.file}:${at.line}:${at.column}` };
    run.emit({ code: 'warning', error: code, message, ...place });
  }
  if (options.refreshSecrets) ir = withFreshSecrets(ir, run.random(6));
  const known =
    options.functions === undefined ? undefined : await onlyFunctions(ctx, name, ir, options.functions, can);
  const { artifacts, digests } = await build(loaded, name, known?.build ?? ir.units, run);
  return {
    ctx: { ...ctx, artifact: async (unit, digest) => artifacts[unit] ?? ctx.artifact?.(unit, digest) },
    intent: {
      irs: { [name]: known?.ir ?? ir },
      artifacts: { ...known?.artifacts, ...digests },
      rollout: {
        ...service.rollout,
        ...(options.canary === undefined ? {} : { steps: canarySteps(options.canary) }),
        ...(options.atOnce ? { steps: [{ weight: 100 }], bakeMs: 0 } : {}),
        ...(options.expand === undefined ? {} : { expand: options.expand }),
      },
      checks: service.checks,
      keep: service.keep,
      origin: await originOf(loaded.dir),
      by: await by(run, loaded.dir),
      ...(options.tag === undefined ? {} : { tag: options.tag }),
      ...(options.force === undefined ? {} : { force: options.force }),
      asked: askedOf(options),
    },
  };
}

function canarySteps(percent: number): Intent['rollout']['steps'] {
  if (!Number.isInteger(percent) || percent < 1 || percent > 99) {
    throw fail('SFX1002', `\`--canary\` takes a whole percent from 1 to 99, not ${percent}`);
  }
  return [{ weight: percent }, { pause: null }, { weight: 100 }];
}

function withFreshSecrets(ir: Ir, version: string): Ir {
  return { ...ir, units: ir.units.map((unit) => ({ ...unit, config: refreshed(unit.config, version) })) };
}

async function build(loaded: LoadedConfig, provider: string, units: Ir['units'], run: Run) {
  const artifacts: Record<string, Artifact> = {};
  const digests: Record<string, Digest> = {};
  await step(
    run,
    'build',
    async () => {
      const requests = units.map((unit) => ({ key: qualify(provider, unit.id), unit, dir: loaded.dir }));
      const built = await buildUnits(
        requests,
        { cacheDir: cacheDirOf(loaded.dir), at: handlerAt(loaded) },
        run,
      );
      for (const [key, artifact] of Object.entries(built)) {
        artifacts[key] = artifact;
        digests[key] = artifact.digest;
      }
      return counted(units.length, 'function');
    },
    units.length,
  );
  return { artifacts, digests };
}

function handlerAt(loaded: LoadedConfig) {
  return (name: string) => {
    const one = loaded.service.functions.find((fn) => fn.name === name);
    return one === undefined ? undefined : loaded.service.at(`${one.pointer}/handler`);
  };
}

async function by(run: Run, dir?: string): Promise<By> {
  const git = dir === undefined ? undefined : await commitOf(dir);
  return {
    who: run.holder.name,
    at: new Date(run.now()).toISOString(),
    ...(git === undefined ? {} : { git }),
  };
}

/** Builds every unit, without a connection; copies the artifacts to `outDir` if one is given. */
export async function packageConfig(
  loaded: LoadedConfig,
  request: ProjectRequest,
  run: Run,
  options: { readonly outDir?: string } = {},
): Promise<{
  readonly provider: string;
  readonly units: readonly { name: string; digest: string; size: number; file?: string }[];
}> {
  const { provider, ir } = await compileConfig(loaded, request);
  const { artifacts } = await build(loaded, provider, ir.units, run);
  const units = [];
  for (const of of unitsOf({ [provider]: ir })) {
    const artifact = artifacts[of.key]!;
    const file = options.outDir === undefined ? undefined : join(options.outDir, `${of.part.id}.zip`);
    if (file !== undefined) await copyOut(artifact, options.outDir!, file);
    units.push({
      name: of.part.id,
      digest: artifact.digest,
      size: artifact.size,
      ...(file === undefined ? {} : { file }),
    });
  }
  return { provider, units };
}

async function copyOut(artifact: Artifact, dir: string, file: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const parts: Uint8Array[] = [];
  for await (const part of artifact.bytes()) parts.push(part);
  await writeFile(file, Buffer.concat(parts));
}

export const promote = (
  session: Session,
  options: WaitOptions & { readonly full?: boolean } = {},
): Promise<Outcome> =>
  promoteRelease(session.context(), { waitMs: options.waitMs ?? WAIT_MS, full: options.full });

export const planRollback = async (session: Session, options: { readonly to?: string } = {}): Promise<Plan> =>
  (await planBack(session.context(), options.to)).plan;

export const rollback = async (
  session: Session,
  options: WaitOptions & { readonly to?: string } = {},
): Promise<Outcome> =>
  rollbackRelease(session.context(), {
    waitMs: options.waitMs ?? WAIT_MS,
    to: options.to,
    by: await by(session.run),
  });

export const resume = (session: Session, options: WaitOptions = {}): Promise<Outcome> =>
  resumeRelease(session.context(), { waitMs: options.waitMs ?? WAIT_MS });

/** Takes what is live as it is. Needs the file, for what the service should consist of. */
export async function adopt(session: Session, options: WaitOptions = {}): Promise<Outcome> {
  const { ctx, intent } = await prepare(session, {});
  return adoptRelease(ctx, intent, { waitMs: options.waitMs ?? WAIT_MS });
}

export const remove = (session: Session, options: WaitOptions = {}): Promise<Outcome> =>
  removeStage(session.context(), { waitMs: options.waitMs ?? WAIT_MS });

export const status = (session: Session): Promise<Status> => statusOf(session.context());

export const releases = (session: Session): Promise<ReleasesReport> => releasesOf(session.context());

export const invoke = (session: Session, request: InvokeRequest) =>
  invokeFunction(session.context(), request);

export const test = (session: Session, request: TestRequest): Promise<Tested> =>
  testStage(session.context(), request);

export const invokeLater = (session: Session, request: InvokeRequest) => laterOf(session.context(), request);

export const activations = (session: Session, query: ActivationQuery = {}): Promise<readonly Activation[]> =>
  activationsOf(session.context(), query);

export const activation = (session: Session, id: string): Promise<Activation> =>
  activationOf(session.context(), id);

export const logs = (
  session: Session,
  request: LogsRequest,
): AsyncIterable<LogLine & { readonly release: number | null }> => logsOf(session.context(), request);
