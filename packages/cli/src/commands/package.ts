import { resolve } from 'node:path';
import { columns, count, shortDigest, size } from '../render/text.js';
import type { Command } from './definition.js';
import { configOf } from './shared.js';

export const packageCommand: Command = {
  name: 'package',
  group: 'service',
  summary: 'build every artifact, offline; equal input gives equal bytes',
  scope: 'config',
  options: [{ name: 'out', alias: 'o', kind: 'text', value: 'folder', summary: 'put copies there' }],
  examples: [
    { command: 'sfx package --out build', what: 'a zip per unit, named by its digest in the cache' },
  ],
  async run(context) {
    const { given, host, io } = context;
    const core = await context.core();
    const loaded = await configOf(context);
    const out = given.text('out');
    const options = out === undefined ? {} : { outDir: resolve(io.cwd, out) };
    const { provider, units } = await core.packageConfig(
      loaded,
      context.request(),
      await context.run(),
      options,
    );
    if (host.json) {
      host.document({ version: 1, provider, units });
      return 0;
    }
    const rows = units.map((unit) => [
      `  ${unit.name}`,
      size(unit.size),
      shortDigest(unit.digest),
      unit.file ?? '',
    ]);
    host.report([
      ...columns(rows),
      `${count(units.length, 'artifact')} for ${provider}. Nothing was deployed.`,
    ]);
    return 0;
  },
};
