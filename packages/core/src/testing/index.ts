/** What tests of sfx, of its providers and of plugins stand on. */
export * from './conformance.js';
export * from './faults.js';
export * from './memory/hands.js';
export * from './memory/ir.js';
export { grade } from './memory/resources.js';
export * from './memory/shapes.js';
export * from './memory/store.js';
export * from './memory/world.js';
export * from './memory-provider.js';
export * from './random.js';
export * from './simulated-run.js';
