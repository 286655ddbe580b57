import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';

/**
 * A process of its own group that does not outlive this one, whatever happens to either. Beside it in its group waits a
 * small shell on a pipe that only this process holds open: when the pipe ends, because this process closes it or is gone,
 * the shell ends what belongs to the instance: its group, and on Linux also what left the group (`setsid`) but has its
 * environment. The shell's parent is the system, so that a program that waits for its children does not meet it. When
 * memory runs out, the system takes these before it takes the engine.
 *
 * What leaves the group and clears its environment is not held.
 */
const GUARD = `mark="SFX_INSTANCE=$1"
shift
{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null
( (
  trap "" TERM INT HUP
  exec >/dev/null 2>&1 4>&-
  read _ <&3
  for file in $(grep -ls "$mark" /proc/[0-9]*/environ); do
    file=\${file#/proc/}
    kill -9 "\${file%/environ}"
  done
  kill -9 -$$
) & )
%PIPES%
export "$mark"
exec "$@" 3<&-`;

/**
 * Node gives a process sockets for its output, which cannot be opened by name: `echo problem >/dev/stderr` of a shell would
 * fail. These are pipes, and two programs that hand on what comes.
 */
const PIPES = `dir=$(mktemp -d) && mkfifo "$dir/1" "$dir/2" && {
  ( trap "" TERM INT HUP
    cat <"$dir/1" 3<&- 4>&- &
    cat <"$dir/2" >&2 3<&- 4>&- & )
  exec >"$dir/1" 2>"$dir/2"
  rm -r "$dir"
}`;

/** From SIGTERM to SIGKILL. */
export const TERM_MS = 2_000;
/** So long its guard may take to end what it left behind; what is not found may hold its pipes open. */
const CLOSE_MS = 1_000;
const READ_MS = 200;

export interface Guarded {
  /** Of the program; undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Descriptor 4 of the program, both ways; only where it was asked for. */
  readonly channel: Duplex | undefined;
  /** SIGTERM to all of its group, and `kill` when it is not gone `TERM_MS` later. */
  end(): void;
  /** Ends all of it at once. */
  kill(): void;
}

export interface GuardedOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  /** All of it, but for `SFX_INSTANCE`, which names the instance: nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly channel: boolean;
  /** Its output can be opened by name; costs its start some milliseconds. */
  readonly pipes: boolean;
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
  const life = child.stdio[3] as Duplex | undefined;
  life?.resume();
  /** The guard ends what there is, and itself last: then the pipe is closed from its side too. */
  const release = () => life?.end();
  const kill = () => {
    release();
    child.kill('SIGKILL');
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
    timer = setTimeout(() => {
      signal('SIGKILL');
      finish();
    }, CLOSE_MS);
    // What hands on the output belongs to the group too.
    if (options.pipes) whenRead(child, release);
    else release();
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
      timer = setTimeout(kill, TERM_MS);
    },
    kill: () => {
      if (ended === undefined) kill();
    },
  };
}

/** Calls back once all that was written has been read, or after `READ_MS`: what was started may hold the output open. */
function whenRead(child: ChildProcess, then: () => void): void {
  const timer = setTimeout(then, READ_MS);
  let open = 2;
  for (const stream of [child.stdout, child.stderr]) {
    const end = () => {
      open -= 1;
      if (open > 0) return;
      clearTimeout(timer);
      then();
    };
    if (stream === null || stream.readableEnded) end();
    else stream.once('end', end);
  }
}

function launch({ command, cwd, env, channel, pipes }: GuardedOptions): ChildProcess {
  const stdio: 'pipe'[] = channel ? ['pipe', 'pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe'];
  return spawn(
    '/bin/sh',
    ['-c', GUARD.replace('%PIPES%', pipes ? PIPES : ''), 'sfx', randomBytes(12).toString('hex'), ...command],
    {
      cwd,
      env: { ...env },
      detached: true,
      stdio: ['ignore', ...stdio],
    },
  );
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
