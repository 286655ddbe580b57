export type { Command, Context, Given, Option, Positional } from './commands/definition.js';
export { commands } from './commands/index.js';
export type { Io, Out } from './host/io.js';
export { main } from './main.js';
export { start } from './start.js';
