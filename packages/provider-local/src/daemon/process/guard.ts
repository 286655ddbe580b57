import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';

/**
 * A process of its own group that does not outlive this one, whatever happens to either. Beside it in its group waits a
 * small shell on a pipe that only this process holds open: when this one is gone, however it went, the pipe ends, and the
 * shell ends the group. The shell's parent is the system, so that a program that waits for its children does not meet it.
 * When memory runs out, the system takes these before it takes the engine.
 *
 * What leaves its group (`setsid`) on purpose is not held.
 */
const GUARD = `{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null
( ( trap "" TERM INT HUP; exec >/dev/null 2>&1 4>&-; read _ <&3; kill -9 -$$ ) & )
exec "$@" 3<&-`;

/** From SIGTERM to SIGKILL. */
export const TERM_MS = 2_000;
/** What a process that has ended wrote last is waited for so long; what it left behind may hold its pipes open. */
const CLOSE_MS = 500;

export interface Guarded {
  /** Of the program; undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Descriptor 4 of the program, both ways; only where it was asked for. */
  readonly channel: Duplex | undefined;
  /** SIGTERM to all of its group, and SIGKILL when it is not gone `TERM_MS` later. */
  end(): void;
  /** SIGKILL to all of its group. */
  kill(): void;
}

export interface GuardedOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  /** All of it: nothing of this process's own environment is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly channel: boolean;
}

/**
 * @param gone Called once, after all that it wrote was read and all of its group has ended: `it exited with code 3`,
 *   `it was ended by SIGSEGV`, or why it could not be started.
 */
export function startGuarded(options: GuardedOptions, gone: (why: string) => void): Guarded {
  const child = launch(options);
  /** Why it ended, as soon as that is known. */
  let ended: string | undefined;
  let told = false;
  let timer: NodeJS.Timeout | undefined;
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined) endGroup(child.pid, name);
  };
  const finish = () => {
    clearTimeout(timer);
    if (told) return;
    told = true;
    for (const stream of child.stdio) stream?.destroy();
    gone(ended ?? 'it ended');
  };
  child.once('error', (error) => {
    ended ??= `it could not be started: ${error.message}`;
    finish();
  });
  child.once('exit', (code, by) => {
    clearTimeout(timer);
    ended = by === null ? `it exited with code ${code}` : `it was ended by ${by}`;
    // The group keeps its number as long as somebody is in it, and the guard is: nobody else is hit.
    signal('SIGKILL');
    timer = setTimeout(finish, CLOSE_MS);
  });
  child.once('close', finish);
  for (const stream of child.stdio) stream?.on('error', () => undefined);
  return {
    pid: child.pid,
    stdout: child.stdout as Readable,
    stderr: child.stderr as Readable,
    channel: options.channel ? (child.stdio[4] as Duplex) : undefined,
    end() {
      if (ended !== undefined || timer !== undefined) return;
      signal('SIGTERM');
      timer = setTimeout(() => signal('SIGKILL'), TERM_MS);
    },
    kill: () => {
      if (ended === undefined) signal('SIGKILL');
    },
  };
}

function launch({ command, cwd, env, channel }: GuardedOptions): ChildProcess {
  const stdio: 'pipe'[] = channel ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'];
  return spawn('/bin/sh', ['-c', GUARD, 'sfx', ...command], {
    cwd,
    env: { ...env },
    detached: true,
    stdio: ['ignore', ...stdio],
  });
}

function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Gone already, or (macOS) only a dead one is left.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
