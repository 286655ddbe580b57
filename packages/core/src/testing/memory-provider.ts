import type { Capabilities, Connection, Provider } from '../provider/contract.js';
import type { Run } from '../run.js';
import type { Store } from '../state/store.js';
import { compileFor } from './memory/compile.js';
import type { Context, Timing } from './memory/context.js';
import { activation, activations, invoke, invokeLater, logs, metrics } from './memory/invoke.js';
import { resourceHandlers } from './memory/resources.js';
import { type ShapeName, shapes } from './memory/shapes.js';
import { traffic } from './memory/traffic.js';
import { versions } from './memory/versions.js';
import type { World } from './memory/world.js';

export interface MemoryProviderOptions {
  readonly shape: ShapeName;
  /** What the provider's side keeps. One world is one account: two providers have two. */
  readonly world: World;
  /** Default `memory`. */
  readonly name?: string;
  /** Differences from the shape's own capabilities, as probing may find them. */
  readonly probed?: Partial<Capabilities>;
  /** Default 20, 20 and 10 ms. */
  readonly timing?: Partial<Timing>;
  /** A store that the connection brings along; default none. */
  readonly store?: (world: World, run: Run) => Store;
}

/** A provider whose cloud is a JSON document, with the manners of one of seven real ones. */
export function memoryProvider(options: MemoryProviderOptions): Provider {
  const { shape, world } = options;
  const can: Capabilities = { ...shapes[shape], ...options.probed };
  return {
    name: options.name ?? 'memory',
    apiVersion: 0,
    schema: { type: 'object', additionalProperties: false, properties: {} },
    documented: shapes[shape],
    compile: (service) => compileFor(shape, service),
    async connect(scope, _options, run) {
      const timing = { readyMs: 20, busyMs: 20, pollMs: 10, ...options.timing };
      const context: Context = { shape, can, scope, run, world, timing };
      return connectionOf(context, options.store?.(world, run));
    },
  };
}

function connectionOf(context: Context, store: Store | undefined): Connection {
  const { can, scope, shape } = context;
  return {
    capabilities: can,
    identity: { where: `memory, in the shape of ${shape}`, note: `${scope.service} ${scope.stage}` },
    resources: resourceHandlers(context),
    versions: versions(context),
    traffic: traffic(context),
    invoke: (target, payload) => invoke(context, target, payload),
    invokeLater: (target, payload) => invokeLater(context, target, payload),
    activations: (query) => activations(context, query),
    activation: (id) => activation(context, id),
    preview: async () => ({
      urls: { http: `http://candidates.${scope.service}-${scope.stage}.memory.invalid` },
      [Symbol.asyncDispose]: async () => {},
    }),
    urls: async () => ({ http: `http://${scope.service}-${scope.stage}.memory.invalid` }),
    logs: (version) => logs(context, version),
    ...(can.metricsByVersion ? { metrics: (version) => metrics(context, version) } : {}),
    ...(store === undefined ? {} : { store }),
    [Symbol.asyncDispose]: async () => {},
  };
}
