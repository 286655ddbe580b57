import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fail, messageOf } from './errors.js';
import type { Exec, Executed } from './run.js';

/** Between the request to end and the end by force. */
const GRACE_MS = 2_000;
/** What a child of a child holds open is not waited for longer. */
const DRAIN_MS = 500;
const TAIL_LINES = 20;
const TAIL_CHARS = 4_000;

/** Runs a program in a process group of its own, so that all it starts ends with it. */
export function execute(program: Exec, signal: AbortSignal): Promise<Executed> {
  const { command, cwd, env, timeoutMs, output } = program;
  return new Promise((resolve, reject) => {
    const [file, args, shell] =
      typeof command === 'string' ? [command, [], true] : [command[0] ?? '', command.slice(1), false];
    const stdio = output === 'inherit' ? 'inherit' : 'pipe';
    const child = spawn(file, [...args], {
      cwd,
      env: { ...env },
      shell,
      detached: process.platform !== 'win32',
      stdio: ['ignore', stdio, stdio],
    });
    const tail = createTail();
    let as: Executed['as'] | undefined;
    const end = (why: 'time' | 'interrupted') => (): void => {
      as ??= why;
      endGroup(child, 'SIGTERM');
      force = setTimeout(() => endGroup(child, 'SIGKILL'), GRACE_MS);
    };
    const onAbort = end('interrupted');
    let force: NodeJS.Timeout | undefined;
    let drain: NodeJS.Timeout | undefined;
    const late = setTimeout(end('time'), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const over = (): void => {
      for (const timer of [late, force, drain]) clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    for (const from of ['stdout', 'stderr'] as const) {
      child[from]?.setEncoding('utf8').on('data', (text: string) => {
        tail.add(text);
        if (output !== 'inherit') output(text, from);
      });
    }
    const done = (exit: number | null): void => {
      over();
      resolve({
        as: as ?? (exit === null ? 'signal' : 'exit'),
        exit: as === undefined ? exit : null,
        tail: tail.lines(),
      });
    };
    child.on('error', (error) => {
      over();
      const name = typeof command === 'string' ? command : command.join(' ');
      reject(fail('SFX1011', `\`${name}\` did not start: ${messageOf(error)}`, { cause: error }));
    });
    child.on('exit', (exit) => {
      // Whatever it left behind has nobody to end it.
      endGroup(child, 'SIGKILL');
      drain = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        done(exit);
      }, DRAIN_MS);
    });
    child.on('close', done);
  });
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nobody of the group is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function createTail(): { add(text: string): void; lines(): readonly string[] } {
  let kept = '';
  return {
    add(text) {
      kept = (kept + text).slice(-TAIL_CHARS);
    },
    lines: () => kept.trimEnd().split('\n').slice(-TAIL_LINES),
  };
}
