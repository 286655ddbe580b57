import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { refusal } from '../../refusal.js';

/** A Python that was found. */
export interface Python {
  /** The program itself, behind whatever stands for it in the path. */
  readonly file: string;
  /** `3.11` */
  readonly version: string;
}

export interface Pythons {
  /**
   * For `runtime`, as written: the first that runs and is 3.9 or newer of `SFX_PYTHON`, else the one of exactly that
   * version, `python3`, `python`, as the path in `env` has them. Throws SFX6130 when there is none.
   */
  find(runtime: string, env: Readonly<Record<string, string>>): Promise<Python>;
}

const PROBE = 'import sys; print(sys.executable); print("%d.%d" % sys.version_info[:2])';
const PROBE_MS = 10_000;
const OLDEST = 9;

/** @param wished `SFX_PYTHON` of the engine; a function's own environment comes before it. */
export function createPythons(wished: string | undefined): Pythons {
  const known = new Map<string, Python>();
  return {
    async find(runtime, env) {
      const names = candidates(runtime, env['SFX_PYTHON'] ?? wished);
      const key = JSON.stringify([names, env['PATH']]);
      const before = known.get(key);
      if (before !== undefined && existsSync(before.file)) return before;
      const seen: string[] = [];
      for (const name of names) {
        const found = await probe(name, env);
        if (typeof found !== 'string') {
          known.set(key, found);
          return found;
        }
        seen.push(found);
      }
      throw refusal(400, 'SFX6130', `\`${runtime}\` needs Python 3.${OLDEST} or newer: ${seen.join('; ')}`);
    },
  };
}

function candidates(runtime: string, wished: string | undefined): string[] {
  if (wished !== undefined && wished !== '') return [wished];
  const exact = /^python3\.\d+$/.test(runtime) ? [runtime] : [];
  return [...exact, 'python3', 'python'];
}

/** The Python that a name stands for, or what is wrong with it. */
async function probe(name: string, env: Readonly<Record<string, string>>): Promise<Python | string> {
  try {
    const { stdout } = await promisify(execFile)(name, ['-c', PROBE], { env, timeout: PROBE_MS });
    const [file = '', version = ''] = stdout.trim().split(/\r?\n/);
    const [major, minor] = version.split('.').map(Number);
    if (major !== 3 || minor === undefined || minor < OLDEST) return `${name} is ${version || 'no Python'}`;
    return { file, version };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `${name} is not in the path` : `${name} does not run (${code ?? 'too slow'})`;
  }
}
