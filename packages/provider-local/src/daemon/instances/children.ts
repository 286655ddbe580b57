import { readFileSync } from 'node:fs';
import { errnoOf } from '../refusal.js';

/** Processes that a thread waits for or that it started, as far as the system tells. */
export function childrenOf(thread: number): number[] {
  if (thread === 0) return [];
  try {
    const text = readFileSync(`/proc/self/task/${thread}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

/** Pages of memory that a thread has touched for the first time since its start; undefined where the system does not tell. */
export function faultsOf(thread: number): number | undefined {
  if (thread === 0) return undefined;
  try {
    const text = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    // The name of the thread, in brackets, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return Number(fields[7]);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** With the group that it leads, if it leads one. One that is gone is no error. */
export function endProcess(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error;
    }
  }
}
