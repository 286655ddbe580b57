import type { VersionConfig } from '../../wire.js';
import { BLANKS, createBlanks } from './blanks.js';
import type { StartInstance } from './instance.js';
import { createProcesses, type Processes } from './process/kinds.js';
import { threads } from './thread.js';
import { createWatch } from './watch.js';

/** What instances of all versions of an engine are made with. */
export interface Backends {
  /** For one version; `folder` holds its files. */
  of(config: VersionConfig, folder: string): StartInstance;
  readonly check: Processes['check'];
  /** Ends what is kept ready. */
  close(): void;
}

export interface BackendsOptions {
  /** Threads that are kept ready for a version to be loaded; default `BLANKS`. */
  readonly blanks?: number | undefined;
}

export function createBackends(options: BackendsOptions = {}): Backends {
  const blanks = createBlanks(options.blanks ?? BLANKS);
  const startThread = threads(blanks, createWatch());
  const processes = createProcesses(process.env['SFX_PYTHON']);
  return {
    of: (config) => processes.of(config) ?? startThread,
    check: processes.check,
    close: () => blanks.close(),
  };
}
