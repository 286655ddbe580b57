/** What somebody else's package would hold: it knows only the plugin door. Its cloud is a folder, named by X_WORLD. */
import { fileWorld, memoryProvider, worldStore } from '@sfx-deploy/plugin/testing';

export const provider = memoryProvider({
  name: 'x',
  shape: 'openfaas',
  world: fileWorld(process.env['X_WORLD'] ?? ''),
  probed: { writesPerSecond: 1_000 },
  store: worldStore,
});
