import { Worker } from 'node:worker_threads';
import type { FromWorker } from './calls.js';
import { threadProgram } from './program.js';

/** A thread that has loaded nothing of a user's yet. */
export interface Blank {
  readonly worker: Worker;
  /** Calls begun since the start, written by the thread. */
  readonly begun: Int32Array;
  /** Its id as the system knows it; 0 until it is up, and where it cannot be told. */
  readonly thread: () => number;
}

export interface Blanks {
  /** One that is up, or on its way; with another limit than the usual one, always a new one. */
  take(heapLimit: number): Blank;
  close(): void;
}

/** Blanks that are kept ready, unless SFX_LOCAL_BLANKS says otherwise. */
export const BLANKS = 1;

/**
 * MB of heap at which V8 itself gives up, which may end the engine: far above what functions have, so that whoever watches
 * their memory comes first. Below 2 GB, where V8 begins to leave more garbage than data.
 */
export const HEAP_LIMIT = 1536;

/** Most memory of a function that a blank is good for. */
const MOST_MEMORY = 1024;

/** MB of heap for a function with so many MB of memory. */
export function heapLimitOf(memory: number): number {
  return memory <= MOST_MEMORY ? HEAP_LIMIT : Math.ceil(1.5 * memory);
}

const REFILL_MS = 100;
/** A timer that is late by so much says that the processors have better things to do. */
const LATE_MS = 15;
const MOST_DELAYS = 20;

const PROGRAM = await threadProgram();

export function createBlanks(count: number): Blanks {
  const ready: Blank[] = [];
  let timer: NodeJS.Timeout | undefined;
  let delays = 0;

  const add = () => {
    const blank = startBlank(HEAP_LIMIT);
    ready.push(blank);
    blank.worker.once('exit', () => {
      const at = ready.indexOf(blank);
      if (at >= 0) ready.splice(at, 1);
    });
  };
  const refill = () => {
    clearTimeout(timer);
    const due = performance.now() + REFILL_MS;
    timer = setTimeout(() => {
      if (ready.length >= count) return;
      if (performance.now() - due > LATE_MS && delays++ < MOST_DELAYS) return refill();
      delays = 0;
      add();
      refill();
    }, REFILL_MS).unref();
  };
  if (count > 0) refill();
  return {
    take(heapLimit) {
      const blank = heapLimit === HEAP_LIMIT ? ready.shift() : undefined;
      if (count > 0) refill();
      return blank ?? startBlank(heapLimit);
    },
    close() {
      clearTimeout(timer);
      for (const blank of ready.splice(0)) void blank.worker.terminate();
    },
  };
}

function startBlank(heapLimit: number): Blank {
  const begun = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(PROGRAM.code, {
    eval: PROGRAM.eval,
    // Flags of the daemon are not the handler's.
    execArgv: [],
    // A blank has none; what it loads brings its own.
    env: {},
    stdout: true,
    stderr: true,
    workerData: { begun },
    resourceLimits: { maxOldGenerationSizeMb: heapLimit, stackSizeMb: 4 },
  });
  let thread = 0;
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'blank') thread = message.thread;
  });
  worker.on('error', () => undefined);
  return { worker, begun, thread: () => thread };
}
