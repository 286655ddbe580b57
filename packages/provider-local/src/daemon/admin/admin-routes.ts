import { activationRoutes } from './routes/activations.js';
import { engineRoutes } from './routes/engine.js';
import { invokeRoutes } from './routes/invoke.js';
import { previewRoutes } from './routes/preview.js';
import { queueRoutes } from './routes/queues.js';
import { type AdminRoute, valuesOf } from './routes/route.js';
import { scheduleRoutes } from './routes/schedules.js';
import { trafficRoutes } from './routes/traffic.js';
import { versionRoutes } from './routes/versions.js';

const routes: readonly AdminRoute[] = [
  ...engineRoutes,
  ...versionRoutes,
  ...trafficRoutes,
  ...invokeRoutes,
  ...activationRoutes,
  ...queueRoutes,
  ...previewRoutes,
  ...scheduleRoutes,
];

/** The route of a path, with its values. */
export function findRoute(
  method: string,
  pathname: string,
): { route: AdminRoute; path: Record<string, string> } | undefined {
  for (const candidate of routes) {
    const path = candidate.method === method ? valuesOf(candidate.pattern, pathname) : undefined;
    if (path !== undefined) return { route: candidate, path };
  }
  return undefined;
}
