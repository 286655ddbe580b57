import type { PreviewWrite } from '../../../wire.js';
import { openPreview } from '../../http/preview.js';
import { type AdminCall, type AdminRoute, jsonOf, known, MB, missing, route, STAGE } from './route.js';

/** Versions at an address of their own, open as long as whoever asked stays connected. */
export const previewRoutes: readonly AdminRoute[] = [route('POST', `${STAGE}/preview`, preview, MB)];

async function preview(call: AdminCall): Promise<unknown> {
  const wanted = jsonOf<PreviewWrite>(call.body);
  const stage = known(call) ?? missing('stage');
  const opened = await openPreview(stage, wanted);
  return async function* lines(): AsyncGenerator<{ readonly url: string }> {
    try {
      yield { url: opened.url };
      if (!call.signal.aborted)
        await new Promise((resolve) => call.signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      opened.close();
    }
  };
}
