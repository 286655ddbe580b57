import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * Where the daemon's program is: beside this file, in the sources as in what is built from them. It runs as a process of
 * its own, so it must be a file of its own; a bundle keeps `daemon/main.js` and `daemon/worker.js` beside its index.
 */
export interface Entry {
  readonly file: URL;
  /** Flags that Node needs to run it. */
  readonly flags: readonly string[];
}

export function daemonEntry(): Entry {
  if (!import.meta.url.endsWith('.ts'))
    return { file: new URL('./daemon/main.js', import.meta.url), flags: [] };
  return {
    file: new URL('./daemon/main.ts', import.meta.url),
    flags: [
      '--conditions=sfx-source',
      '--import',
      pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href,
    ],
  };
}
