export {
  activation,
  activations,
  adopt,
  type DeployOptions,
  deploy,
  invoke,
  invokeLater,
  logs,
  packageConfig,
  planDeploy,
  planRollback,
  promote,
  releases,
  remove,
  resume,
  rollback,
  status,
  test,
  type WaitOptions,
} from './commands.js';
export { type ConfigRequest, type LoadedConfig, loadConfig } from './config/index.js';
export { type DevEnd, type DevEvent, type DevOptions, dev } from './dev/dev.js';
export * from './errors.js';
export type * from './events.js';
export * from './json.js';
export { parseDuration } from './model/duration.js';
export {
  type CronDays,
  type CronSchedule,
  isTimeZone,
  type MonthDay,
  parseSchedule,
  type RateSchedule,
  type Schedule,
  type ScheduleFault,
  type WeekDay,
} from './model/schedule.js';
export type * from './model/service.js';
export type * from './plan/plan.js';
export { readPlan } from './plan/read.js';
export { compileConfig, openSession, type ProjectRequest, type Session } from './project.js';
export type * from './provider/contract.js';
export { listProviders, loadProvider, type ProviderEntry } from './provider/loader.js';
export { compareAndWrite } from './provider/traffic.js';
export type * from './release/outcome.js';
export type * from './release/rollout.js';
export type * from './run.js';
export { createRun, type RunInit } from './run-node.js';
export type * from './state/documents.js';
export { fileStore } from './state/file-store.js';
export type * from './state/store.js';
