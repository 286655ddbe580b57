import { keySpan, type Node, nodeAt, valueSpan } from './node.js';
import type { Problems } from './problems.js';

/** Keys that are read and then left alone; each is named, so that nothing is dropped in silence. */
const UNUSED: readonly string[] = ['layers', 'outputs', 'build'];

/** Warns of what the file asks for and this sfx does not do. */
export function warnUnused(root: Node, problems: Problems): void {
  for (const plugin of pluginsOf(root)) {
    if (typeof plugin.scalar !== 'string') continue;
    const name = plugin.taint ?? plugin.scalar;
    problems.add({
      code: 'SFX2107',
      severity: 'warning',
      message: `the plugin ${name} is not loaded`,
      at: valueSpan(plugin),
      note: 'not loaded',
    });
  }
  for (const key of UNUSED) {
    const node = root.map?.get(key);
    if (!node) continue;
    problems.add({
      code: 'SFX2209',
      severity: 'warning',
      message: `${key} is not used`,
      at: keySpan(node),
      note: 'not used',
    });
  }
}

function pluginsOf(root: Node): readonly Node[] {
  const plugins = nodeAt(root, '/plugins');
  return plugins?.list ?? nodeAt(root, '/plugins/modules')?.list ?? [];
}
