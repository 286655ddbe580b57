import { join } from 'node:path';
import {
  type Connection,
  fail,
  fileStore,
  type JsonObject,
  type Provider,
  type Run,
  type Scope,
  type Store,
} from '@sfx-deploy/plugin';
import { createClient } from './client.js';
import { capabilities, compile, notes } from './compile.js';
import { identityOf, reachEngine } from './engine.js';
import { isName } from './names.js';
import {
  activationLister,
  activationReader,
  invoker,
  laterInvoker,
  logReader,
  metricsReader,
  urlsOf,
} from './observe.js';
import { schema, settingsOf } from './options.js';
import { previewer } from './preview.js';
import { traffic } from './traffic.js';
import { triggers } from './triggers/index.js';
import { stagePath, versions } from './versions.js';

export {
  type EngineStarted,
  type EngineStatus,
  type EngineStopped,
  engineStatus,
  startEngine,
  stopEngine,
} from './engine.js';
export { engineLog } from './engine-log.js';
export { type Redriven, redrive } from './queues.js';
export { type EngineReset, keptScopes, resetEngine } from './reset.js';
export { runSchedule } from './schedules.js';
export type { EngineService } from './wire.js';

/** The engine on this machine: the default provider, which needs no account. */
export const provider: Provider = {
  name: 'local',
  apiVersion: 0,
  schema,
  documented: capabilities,
  compile: (service) => compile(service),
  notes: (service) => notes(service),
  connect,
  store: async (options, run) => storeIn(settingsOf(options, run.env).home),
};

function storeIn(home: string): Store {
  return fileStore(join(home, 'state'));
}

export default provider;

/**
 * Connects to the engine of `SFX_LOCAL_HOME`, and starts it when none runs. One that dies meanwhile is started again by the
 * next call. Errors: SFX6001, SFX6002, SFX6004, SFX6005, SFX6006, SFX6007.
 */
async function connect(scope: Scope, options: JsonObject, run: Run): Promise<Connection> {
  for (const name of [scope.service, scope.stage]) {
    if (!isName(name)) throw fail('SFX6007', `\`${name}\` is not a name that the local engine can keep`);
  }
  const settings = settingsOf(options, run.env);
  const engine = await reachEngine(run, options);
  const client = createClient(engine, () => reachEngine(run, options), run);
  return {
    capabilities,
    identity: identityOf(engine, settings),
    resources: triggers(scope, client),
    versions: versions(scope, client),
    traffic: traffic(scope, client),
    invoke: invoker(scope, client, run),
    invokeLater: laterInvoker(scope, client),
    activations: activationLister(scope, client),
    activation: activationReader(scope, client),
    preview: previewer(scope, client),
    urls: () => urlsOf(scope, client),
    logs: logReader(scope, client, run),
    metrics: metricsReader(scope, client),
    forget: () => client.ask({ op: 'forget', on: scope.stage, method: 'DELETE', path: stagePath(scope) }),
    store: storeIn(settings.home),
    [Symbol.asyncDispose]: async () => client.close(),
  };
}
