import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When a process started, as the system tells it: with the pid it names one process for good, because pids are reused.
 * Undefined when there is no such process (or only its exit status is left). `''` where the system does not tell.
 */
export function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') return startOnLinux(pid);
  if (process.platform === 'win32') return exists(pid) ? '' : undefined;
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.toString('utf8').trim() || undefined;
  } catch {
    // `ps` ends with 1 when it finds none.
    return exists(pid) ? '' : undefined;
  }
}

function startOnLinux(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses, which may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    // No such file: no such process.
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the process that was `pid` when it started at `start` still runs. */
export function isRunning(pid: number, start: string | null): boolean {
  const now = startOf(pid);
  return now !== undefined && (start === null || start === '' || now === '' || now === start);
}
