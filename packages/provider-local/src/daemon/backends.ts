import type { VersionConfig } from '../wire.js';
import type { StartInstance } from './instance.js';
import { startThread } from './thread.js';

/** What instances of all versions of an engine are made with. */
export interface Backends {
  /** For one version; `folder` holds its files. */
  of(config: VersionConfig, folder: string): StartInstance;
  /** Ends what is kept ready. */
  close(): void;
}

export function createBackends(): Backends {
  return {
    of: () => startThread,
    close: () => undefined,
  };
}
