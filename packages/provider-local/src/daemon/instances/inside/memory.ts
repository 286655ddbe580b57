import v8 from 'node:v8';
import vm from 'node:vm';
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
}

export function memoryReports({ limit, tell, running }: MemoryOptions): MemoryReports {
  let timer: NodeJS.Timeout | undefined;
  let collected = 0;
  let collect: (() => void) | undefined;
  const used = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const report = () => {
    let bytes = used();
    // What nobody holds any more does not count.
    if (bytes > limit) {
      if (performance.now() - collected < COLLECT_MS) return;
      collect ??= collector();
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

/** V8 gives it to a context that is made while it is told to; the handler's own has none. */
function collector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  v8.setFlagsFromString('--no-expose-gc');
  return collect;
}
