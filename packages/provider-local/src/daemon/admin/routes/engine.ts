import type { EngineInfo, EngineService } from '../../../wire.js';
import { type AdminRoute, known, missing, route, STAGE, scopeOf } from './route.js';

/** The engine itself, and its services and stages as a whole. */
export const engineRoutes: readonly AdminRoute[] = [
  route('GET', '/v1/health', async ({ engine }) => engine.info()),
  route(
    'GET',
    '/v1/status',
    async ({ engine }): Promise<{ info: EngineInfo; services: EngineService[] }> => ({
      info: engine.info(),
      services: engine.stages.all().map((stage) => stage.report()),
    }),
  ),
  route('POST', '/v1/stop', async ({ engine }) => engine.stop()),
  route('GET', STAGE, async (call) => (known(call) ?? missing('stage')).report()),
  route('DELETE', STAGE, (call) => call.engine.stages.forget(scopeOf(call))),
];
