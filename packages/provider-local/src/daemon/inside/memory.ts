import type { FromWorker } from '../calls.js';

/** Tells what this instance uses, every `REPORT_MS` while calls run. */
export interface MemoryReports {
  /** A call begins. */
  busy(): void;
}

export const REPORT_MS = 50;
/** Garbage is collected no more often than this, however much there is. */
const COLLECT_MS = 250;

export interface MemoryOptions {
  /** Bytes. */
  readonly limit: number;
  tell(message: Extract<FromWorker, { kind: 'used' }>): void;
  running(): number;
  /** Collects all garbage, where that can be asked for. */
  readonly collect: (() => void) | undefined;
}

export function memoryReports({ limit, tell, running, collect }: MemoryOptions): MemoryReports {
  let timer: NodeJS.Timeout | undefined;
  let collected = 0;
  const used = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const report = () => {
    let bytes = used();
    // What nobody holds any more does not count.
    if (bytes > limit && collect !== undefined) {
      if (performance.now() - collected < COLLECT_MS) return;
      collect();
      collected = performance.now();
      bytes = used();
    }
    tell({ kind: 'used', bytes });
    if (running() > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    busy() {
      timer ??= setInterval(report, REPORT_MS).unref();
    },
  };
}
