import { ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import type { FromWorker } from '../calls.js';

/** A thread shares its process with the engine: what would end that throws, and says why. */
export function guardProcess(): void {
  const { kill } = process;
  process.kill = (pid, signal) => {
    if (pid !== process.pid && pid !== 0 && pid !== -process.pid) return kill.call(process, pid, signal);
    if (signal === 0) return true;
    throw new Error(
      'process.kill of its own process would end the engine: use process.exit, or set `isolation: process`',
    );
  };
}

/**
 * Tells of every process that the code starts, so that it ends with the instance. One that runs `spawnSync` cannot tell; its
 * child is found by the system.
 */
export function watchChildren(tell: (message: Extract<FromWorker, { kind: 'child' }>) => void): void {
  const made = ChildProcess.prototype as unknown as { spawn(options: unknown): number };
  const { spawn } = made;
  made.spawn = function (this: ChildProcess, options: unknown) {
    const failed = spawn.call(this as never, options);
    const { pid } = this;
    if (pid !== undefined) {
      tell({ kind: 'child', pid, ended: false });
      this.once('exit', () => tell({ kind: 'child', pid, ended: true }));
    }
    return failed;
  };
}

/** Id of this thread as the system knows it; 0 where it does not tell. */
export function threadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    // Only Linux has it; whoever asks goes without.
    return 0;
  }
}
