export type * from './provider/contract.js';
export type * from './state/documents.js';
export type * from './state/store.js';
export type * from './model/service.js';
export type * from './release/rollout.js';
export type * from './run.js';
export type * from './events.js';
export * from './json.js';
export * from './errors.js';
