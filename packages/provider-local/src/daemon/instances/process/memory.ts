import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How often the memory of a process is looked at, while calls run and while it only waits. */
const BUSY_MS = 100;
const IDLE_MS = 2_000;

export interface Watch {
  /** Looked at more often while calls run. */
  busy(is: boolean): void;
  stop(): void;
}

/**
 * Looks at the memory of a process and of what it started, as the system counts it (resident, without what was swapped
 * out). Between two looks a process can take more than its limit: about what it can fill in a tenth of a second.
 *
 * @param used Called with bytes at each look.
 */
export function watchMemory(pid: number, used: (bytes: number) => void): Watch {
  const look = process.platform === 'linux' ? linux(pid) : elsewhere(pid);
  let stopped = false;
  let often = false;
  let timer: NodeJS.Timeout | undefined;
  const next = () => {
    timer = setTimeout(
      () => {
        look((bytes) => {
          if (stopped) return;
          if (bytes !== undefined) used(bytes);
          if (!stopped) next();
        });
      },
      often ? BUSY_MS : IDLE_MS,
    );
    timer.unref();
  };
  next();
  return {
    busy(is) {
      if (is === often || stopped) return;
      often = is;
      if (!is) return;
      clearTimeout(timer);
      next();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Hands on the bytes, or undefined when there is nothing to be seen. */
type Look = (seen: (bytes: number | undefined) => void) => void;

/** Pages are of 4 KB but on few machines, which `smaps_rollup` of this process would tell; `status` says it in KB for all. */
function linux(pid: number): Look {
  return (seen) => seen(tree(pid, 0));
}

/** Of a process and those that it started, as deep as they go. */
function tree(pid: number, depth: number): number | undefined {
  const own = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1];
  if (own === undefined) return undefined;
  let bytes = Number(own) * 1024;
  if (depth > 8) return bytes;
  for (const child of read(`/proc/${pid}/task/${pid}/children`).split(' ')) {
    if (child !== '') bytes += tree(Number(child), depth + 1) ?? 0;
  }
  return bytes;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended meanwhile.
    return '';
  }
}

function elsewhere(pid: number): Look {
  return (seen) => {
    execFile('ps', ['-A', '-o', 'pgid=,rss='], (error, stdout) => {
      if (error !== null) return seen(undefined);
      let bytes = 0;
      for (const row of stdout.split('\n')) {
        const [group, kb] = row.trim().split(/\s+/);
        if (Number(group) === pid) bytes += Number(kb) * 1024;
      }
      seen(bytes === 0 ? undefined : bytes);
    });
  };
}
