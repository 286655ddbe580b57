import type { Position } from '../model/service.js';
import type { Unit } from '../provider/contract.js';

export interface BuildRequest {
  /** Names the artifact in the result. */
  readonly key: string;
  readonly unit: Unit;
  /** Absolute folder of the project: handlers and `include` are relative to it. */
  readonly dir: string;
}

export interface BuildOptions {
  /** Where built code is kept; made when needed, with a `.gitignore` of its own. May be deleted at any time. */
  readonly cacheDir: string;
  /** Where the handler of a function is written. Default: unknown. */
  readonly at?: (functionName: string) => Position | undefined;
  /** Files are named relative to this folder, and `at` counts from it. Default: the working folder of the process. */
  readonly cwd?: string;
  /**
   * Entry file of the runtime that goes beside handlers. Default: `runtime.mjs` beside the file that this code runs from, if
   * there is one (a bundled CLI ships it so), else the installed `@sfx-deploy/runtime`.
   */
  readonly runtimePath?: string;
}
