import type { AddressInfo } from 'node:net';
import type { PreviewWrite } from '../../wire.js';
import type { Call, Caller } from '../calls/caller.js';
import { LOOPBACK, listen } from '../ports.js';
import { refusal } from '../refusal.js';
import type { Stage } from '../stage/stage.js';
import { createGateway } from './gateway.js';
import { createRouter } from './router.js';

export interface PreviewServer {
  readonly url: string;
  close(): void;
}

/**
 * A gateway of its own, at which these routes lead to these versions, whatever the aliases say. Calls by a version's own id
 * are no traffic: no rollout is judged by them.
 */
export async function openPreview(
  { scope, caller }: Pick<Stage, 'scope' | 'caller'>,
  { routes, versions }: PreviewWrite,
): Promise<PreviewServer> {
  const router = createRouter(routes.map((route) => ({ ...route, alias: '' })));
  const fixed = (call: Call): Call => {
    const { alias: _, candidate: __, ...rest } = call;
    return { ...rest, version: versions[call.function] ?? '' };
  };
  const own: Pick<Caller, 'begin' | 'end'> = {
    begin: (call) => caller.begin(fixed(call)),
    end: (...ended) => caller.end(...ended),
  };
  const server = createGateway({ scope, caller: own, router: () => router, token: () => 'preview' });
  if (!(await listen(server, 0))) throw refusal(503, 'SFX6002', 'no free port is left');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${LOOPBACK}:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
