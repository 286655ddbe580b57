import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { fail } from './errors.js';
import type { Event } from './events.js';
import { execute } from './exec.js';
import type { Holder, Run } from './run.js';

export interface RunInit {
  readonly signal: AbortSignal;
  readonly emit: (event: Event) => void;
  /** Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Shown as holder; default: `user@host`, in CI the job. */
  readonly who?: string;
}

/** The real `Run`: this machine's clock, randomness and environment. */
export function createRun(init: RunInit): Run {
  const env = init.env ?? process.env;
  let holder: Holder | undefined;
  // One listener per sleep: many sleep at once, and all of them end.
  setMaxListeners(0, init.signal);
  return {
    signal: init.signal,
    env,
    get holder() {
      holder ??= { name: init.who ?? holderName(env), process: processIdentity() };
      return holder;
    },
    now: () => Date.now(),
    sleep: (ms, until) => sleep(ms, init.signal, until),
    random: (bytes) => randomBytes(bytes).toString('hex'),
    emit: init.emit,
    call: (_call, act) => act(),
    exec: (program) => execute(program, init.signal),
    isGone: (other) => isGone(other),
  };
}

function sleep(ms: number, signal: AbortSignal, until?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const interrupted = () => fail('SFX4120', 'interrupted');
    if (signal.aborted) return reject(interrupted());
    if (until?.aborted) return resolve();
    const end = (act: () => void) => () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      until?.removeEventListener('abort', onUntil);
      act();
    };
    const onAbort = end(() => reject(interrupted()));
    const onUntil = end(resolve);
    const timer = setTimeout(end(resolve), ms);
    signal.addEventListener('abort', onAbort);
    until?.addEventListener('abort', onUntil);
  });
}

function holderName(env: RunInit['env'] & object): string {
  if (env['GITHUB_RUN_ID']) return `ci run ${env['GITHUB_RUN_ID']} on ${env['RUNNER_NAME'] ?? hostname()}`;
  if (env['CI_JOB_ID']) return `ci job ${env['CI_JOB_ID']} on ${hostname()}`;
  return `${userName(env)}@${hostname()}`;
}

export function userName(env: Readonly<Record<string, string | undefined>>): string {
  try {
    return userInfo().username;
  } catch {
    // Some containers run as a user that has no name.
    return env['USER'] ?? 'unknown';
  }
}

/** `host|boot|process namespace|pid|start`: two of these are equal only for one process. */
function processIdentity(): string {
  return [hostname(), bootId(), namespace(), process.pid, startOf(process.pid) ?? '0'].join('|');
}

function isGone(holder: Holder): boolean | 'unknown' {
  const [host, boot, space, pid, start] = holder.process.split('|');
  if (host !== hostname() || boot !== bootId() || space !== namespace() || boot === '') return 'unknown';
  const now = startOf(Number(pid));
  return now === undefined || now !== start;
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id') ?? bootTimeElsewhere();
}

function bootTimeElsewhere(): string {
  if (process.platform !== 'darwin') return '';
  try {
    return execFileSync('sysctl', ['-n', 'kern.boottime'], { encoding: 'utf8' }).trim();
  } catch {
    // Without it nothing is said about other processes: they count as alive until their lease expires.
    return '';
  }
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has process namespaces.
    return '';
  }
}

/** When a process started, in a form that a later process of the same number does not share; undefined when it is gone. */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat !== undefined) {
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // One that ended, and that its parent did not ask about yet, keeps its number; it does nothing any more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  }
  if (process.platform === 'linux') return undefined;
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    // `ps` fails for a process that does not exist.
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
