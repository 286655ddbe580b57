import type { VersionConfig } from '../../../wire.js';
import type { StartInstance } from '../instance.js';
import { startNode } from './node.js';
import { programBackend } from './program.js';
import { pythonBackend } from './python.js';
import { createPythons } from './pythons.js';

/** Instances that are processes of their own. */
export interface Processes {
  /** For one version; undefined when it does not need one. */
  of(config: VersionConfig): StartInstance | undefined;
  /** Throws SFX6130 when this machine has no Python for it. `environment`: what its instances have. */
  check(config: VersionConfig, environment: Readonly<Record<string, string>>): Promise<void>;
}

/** @param python `SFX_PYTHON` of the engine. */
export function createProcesses(python: string | undefined): Processes {
  const pythons = createPythons(python);
  return {
    of(config) {
      if (config.command !== undefined) return programBackend();
      if (isPython(config)) return pythonBackend(pythons);
      return config.isolation === 'process' ? startNode : undefined;
    },
    async check(config, environment) {
      if (isPython(config)) await pythons.find(config.runtime, environment);
    },
  };
}

function isPython({ command, runtime }: VersionConfig): boolean {
  return command === undefined && runtime.startsWith('python');
}
