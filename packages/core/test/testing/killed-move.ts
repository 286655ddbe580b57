/** Run as a process of its own: stages and moves an alias in a world of files, and dies where the plan says. */

import type { Run } from '@sfx-deploy/core';
import {
  type Fault,
  fileWorld,
  irOf,
  memoryProvider,
  type ShapeName,
  withFaults,
} from '@sfx-deploy/core/testing';
import { scope, stageAll } from './helpers.js';

const [folder = '', shape = '', plan = '[]'] = process.argv.slice(2);
const run: Run = {
  signal: new AbortController().signal,
  env: {},
  holder: { name: 'child', process: String(process.pid) },
  now: Date.now,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: (bytes) => '0'.repeat(bytes * 2),
  emit: () => {},
  call: (_call, act) => act(),
  exec: () => Promise.reject(new Error('nothing is run here')),
  isGone: () => 'unknown',
};
const provider = memoryProvider({ shape: shape as ShapeName, world: fileWorld(folder) });
const connection = await provider.connect(scope, {}, withFaults(run, JSON.parse(plan) as Fault[]));
const ir = irOf(shape as ShapeName, { functions: { list: { code: 'one', routes: ['GET /list'] } } });
const [version] = Object.values(await stageAll(connection, ir));
await connection.versions.warm(version!);
const to = { [version!.unit]: { stable: version!.id } };
await connection.traffic.set(ir.aliases[0]!, { from: {}, to, stamp: { release: 1, fence: 1 } });
process.stdout.write('done');
