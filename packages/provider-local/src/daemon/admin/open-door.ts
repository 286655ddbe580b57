import type { IncomingMessage, ServerResponse } from 'node:http';
import { refusal, textOf } from '../refusal.js';
import { familiesOf } from '../telemetry/engine-metrics.js';
import { snapshotOf } from '../telemetry/live.js';
import { createLiveFeed } from '../telemetry/live-feed.js';
import { CONTENT_TYPE, prometheusText } from '../telemetry/prometheus.js';
import { sendPage } from './page/page.js';
import type { Engine } from './routes/route.js';

/**
 * What needs no token: the page, its feed, and metrics. They tell names, counts and times, and change nothing. Another web
 * page cannot read them: whoever asks must name this machine as Host, and a browser says which page asks.
 */
export interface OpenDoor {
  /** False when the path is not one of these. Throws SFX6003. */
  serve(req: IncomingMessage, res: ServerResponse): boolean;
  close(): void;
}

export function createOpenDoor(engine: Engine): OpenDoor {
  const feed = createLiveFeed(
    () => snapshotOf(engine.stages.all(), engine.info(), Date.now()),
    (error) => process.stderr.write(`live: ${textOf(error)}\n`),
  );
  const metrics = (res: ServerResponse) => {
    const started = Date.parse(engine.info().started);
    const body = Buffer.from(prometheusText(familiesOf(engine.stages.all(), started)));
    res.writeHead(200, { 'content-type': CONTENT_TYPE, 'content-length': body.length });
    res.end(body);
  };
  const paths: Readonly<Record<string, (res: ServerResponse) => void>> = {
    '/': sendPage,
    '/metrics': metrics,
    '/live': (res) => {
      // What is not there yet is refused before the answer begins.
      engine.info();
      if (!feed.watch(res)) throw refusal(503, 'SFX6003', 'too many watch already');
    },
  };
  return {
    serve(req, res) {
      const path = (req.url ?? '').split('?')[0]!;
      const send = Object.hasOwn(paths, path) ? paths[path] : undefined;
      if (send === undefined || req.method !== 'GET') return false;
      const site = req.headers['sec-fetch-site'];
      // A link on another page may open the page itself; what it shows, that other page does not see.
      const opens = path === '/' && req.headers['sec-fetch-mode'] === 'navigate';
      if (site !== undefined && site !== 'same-origin' && site !== 'none' && !opens)
        throw refusal(403, 'SFX6003', 'requests of other web pages are refused');
      send(res);
      return true;
    },
    close: () => feed.close(),
  };
}
