// Builds the project in the folder that is named, once bundled and once as files, and prints both digests.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildUnits } from '../../src/artifact/index.js';
import { realRun, unit } from './samples.js';

const dir = process.argv[2]!;
const cacheDir = await mkdtemp(join(tmpdir(), 'sfx-artifact-'));
await writeFile(join(dir, 'plain.js'), 'export const run = () => 1;');
const units = {
  bundled: unit({ a: 'src/a.run' }, { include: ['data/**'] }),
  plain: unit({ p: 'plain.run' }, { bundle: false, include: ['data/**'] }),
};
try {
  const requests = Object.entries(units).map(([key, one]) => ({ key, unit: one, dir }));
  const built = await buildUnits(requests, { cacheDir, cwd: '/' }, realRun());
  process.stdout.write(`${built['bundled']!.digest} ${built['plain']!.digest}`);
} finally {
  await rm(cacheDir, { recursive: true });
}
