import { faultsOf } from './children.js';

/** An instance in the engine's own process, as the watch sees it. */
export interface Watched {
  /** Bytes. */
  readonly limit: number;
  thread(): number;
  /** Calls run in it. */
  busy(): boolean;
  /** Bytes at its last report. */
  used(): number;
  /** When that was, by `performance.now()`. */
  reportedAt(): number;
  /** When the first of the calls that run came. */
  busySince(): number;
  /** Ends it for its use of memory. */
  end(): void;
}

/**
 * Ends an instance that takes memory and never yields, so that it cannot be asked how much. The memory of the process is
 * watched from the engine's own thread; what no report explains is put down to those that do not report, by the pages that
 * each of their threads touched.
 */
export interface Watch {
  add(one: Watched): void;
  remove(one: Watched): void;
  /** Something began to run. */
  wake(): void;
}

export interface WatchOptions {
  /** Bytes that the process uses. */
  rss(): number;
  now(): number;
  /** Pages that a thread touched; undefined where that cannot be told. */
  faults(thread: number): number | undefined;
}

export const WATCH_MS = 50;
/** Longer than two reports take. */
const SILENT_MS = 150;
const PAGE = 4096;
/** Garbage that V8 has not collected yet, and what a thread needs beside its heap. */
const SLACK = 64 * 1024 * 1024;

const PROCESS: WatchOptions = {
  rss: process.memoryUsage.rss,
  now: () => performance.now(),
  faults: faultsOf,
};

/** An instance that never yields is ended when it has twice its memory and 64 MB. */
export function mostOf(limit: number): number {
  return 2 * limit + SLACK;
}

export function createWatch({ rss, now, faults }: WatchOptions = PROCESS): Watch {
  const all = new Set<Watched>();
  /** Pages touched by the time an instance was first seen to be silent. */
  const before = new Map<Watched | 'engine', number>();
  /** Pages of silent instances at the last look, and of those that ended since `rest` was seen: not all comes back at once. */
  const latest = new Map<Watched, number>();
  let departed = 0;
  let timer: NodeJS.Timeout | undefined;
  /** What the process uses beside what its instances report. */
  let rest = rss();

  const explained = () => {
    let sum = 0;
    for (const one of all) sum += one.used();
    return sum;
  };
  const touched = (one: Watched | 'engine') => {
    const pages = faults(one === 'engine' ? process.pid : one.thread()) ?? 0;
    const from = before.get(one);
    if (from === undefined) before.set(one, pages);
    return pages - (from ?? pages);
  };
  const look = () => {
    const at = now();
    const busy = [...all].filter((one) => one.busy());
    const silent = busy.filter((one) => at - Math.max(one.reportedAt(), one.busySince()) > SILENT_MS);
    const growth = rss() - rest - explained();
    // Seen while everybody reports: a bomb in its first moments must not count as what is usual.
    if (busy.every((one) => at - one.reportedAt() < 2 * WATCH_MS)) {
      rest += growth;
      departed = 0;
    }
    if (silent.length === 0) before.clear();
    else judge(silent, growth);
    if (busy.length > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const judge = (silent: readonly Watched[], growth: number) => {
    const parts = silent.map(touched);
    silent.forEach((one, n) => {
      latest.set(one, parts[n]!);
    });
    const total = parts.reduce((sum, part) => sum + part, touched('engine') + departed);
    silent.forEach((one, n) => {
      const share = total > 0 ? parts[n]! / total : 1 / silent.length;
      if (one.used() + growth * share > mostOf(one.limit)) one.end();
    });
  };
  return {
    add: (one) => void all.add(one),
    remove(one) {
      all.delete(one);
      departed += Math.max(latest.get(one) ?? 0, one.used() / PAGE);
      before.delete(one);
      latest.delete(one);
    },
    wake() {
      timer ??= setInterval(look, WATCH_MS).unref();
    },
  };
}
