import type { Entry } from './handler.js';
import type { NodeRecipe } from './recipe.js';

/** What the entry of each host imports from the runtime and applies to the handler. */
const adapters: Readonly<Record<NodeRecipe['host'], string>> = { local: 'adapt' };

export const runtimeSpecifier = 'sfx:runtime';

/**
 * Source of the module that a host loads: its default export is the adapted handler.
 *
 * @param inline Whether the handler's file is bundled into it. Where it stays a file of its own, Node may not see the
 *   single exports of a CommonJS module, so that they are looked up in `module.exports` too.
 */
export function entrySource(entry: Entry, host: NodeRecipe['host'], inline: boolean): string {
  const name = JSON.stringify(entry.exportName);
  const adapter = adapters[host];
  return [
    `import { ${adapter} } from ${JSON.stringify(runtimeSpecifier)};`,
    `import * as handlers from ${JSON.stringify(`./${entry.file}`)};`,
    `export default ${adapter}(${inline ? access(entry.exportName) : lookup(entry.exportName)}, ${name});`,
    '',
  ].join('\n');
}

/** With a dot where possible: this is what the bundler sees through, to drop what is not used and to find what is missing. */
function access(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `handlers.${name}` : `handlers[${JSON.stringify(name)}]`;
}

function lookup(name: string): string {
  if (name === 'default') return 'handlers.default?.__esModule ? handlers.default.default : handlers.default';
  const key = JSON.stringify(name);
  return `handlers[${key}] ?? handlers.default?.[${key}]`;
}
