import { StringDecoder } from 'node:string_decoder';
import { errnoOf, textOf } from '../refusal.js';
import { type Blank, type Blanks, heapLimitOf } from './blanks.js';
import { type FromWorker, type HttpCall, type InvokeCall, STREAMED, type ToWorker } from './calls.js';
import { childrenOf, endProcess } from './children.js';
import type { Instance, InstanceEvents, InstanceOptions, StartInstance } from './instance.js';
import type { Watch, Watched } from './watch.js';

const MB = 1024 * 1024;

/** How long a thread that is told to end may take until it is given up. */
const END_MS = 5_000;

/** Threads as instances, out of these blanks and under this watch. */
export function threads(blanks: Blanks, watch: Watch): StartInstance {
  return (options, events) => startThread(options, events, blanks, watch);
}

function startThread(
  options: InstanceOptions,
  events: InstanceEvents,
  blanks: Blanks,
  watch: Watch,
): Instance {
  const limit = options.memory * MB;
  const blank = blanks.take(heapLimitOf(options.memory));
  const use: Use = { loading: true, running: 0, since: performance.now(), bytes: 0, reportedAt: 0 };
  const children = new Set<number>();
  const end = ending(blank, children, (why) => {
    watch.remove(watched);
    events.gone(why, blank.begun[0]!);
  });
  const tooMuch = () => end.now(`it used more than its ${options.memory} MB of memory`);
  const watched: Watched = {
    limit,
    thread: blank.thread,
    busy: () => use.loading || use.running > 0,
    used: () => use.bytes,
    reportedAt: () => use.reportedAt,
    busySince: () => use.since,
    end: tooMuch,
  };
  const { worker } = blank;
  worker.on('error', (error) => end.because(reasonOf(error, options.memory)));
  const heard = hearing(events, use, children);
  const tell = (message: ToWorker) => worker.postMessage(message);
  const sends = sending(tell, use, watch);
  worker.on('message', (message: FromWorker) => {
    heard[message.kind](message as never);
    if (use.bytes > limit) tooMuch();
  });
  // What does not go the worker's own way, like the last words of V8.
  lines(worker.stdout, (text) => events.wrote('stdout', text));
  lines(worker.stderr, (text) => events.wrote('stderr', text));
  watch.add(watched);
  watch.wake();
  tell({ kind: 'load', load: options.load });
  return { ...sends, terminate: () => end.now() };
}

/** What a thread works on and uses. */
interface Use {
  loading: boolean;
  /** Calls that were sent and have no end yet. */
  running: number;
  /** When the first of them was sent, by `performance.now()`. */
  since: number;
  bytes: number;
  reportedAt: number;
}

type Hearing = { [K in FromWorker['kind']]: (message: Extract<FromWorker, { kind: K }>) => void };

function hearing(events: InstanceEvents, use: Use, children: Set<number>): Hearing {
  return {
    blank: () => undefined,
    loaded() {
      use.loading = false;
      events.ready();
    },
    unloadable: (message) => events.unloadable(message.message),
    answers(message) {
      events.took(message.took);
      for (const answer of message.answers) {
        if (answer[3] !== STREAMED) use.running -= 1;
        events.answered(answer);
      }
    },
    took: (message) => events.took(message.took),
    chunk: (message) => events.chunk(message.id, message.bytes),
    ended(message) {
      use.running -= 1;
      events.ended(message.id, message.problem);
    },
    wrote(message) {
      for (const [stream, text, activation] of message.lines)
        events.wrote(stream, text, activation === '' ? undefined : activation);
    },
    used({ bytes }) {
      use.bytes = bytes;
      use.reportedAt = performance.now();
      events.used(bytes);
    },
    child: (message) => void (message.ended ? children.delete(message.pid) : children.add(message.pid)),
    pong: () => events.pong(),
  };
}

/** Calls of one turn of the event loop go together: to wake a thread costs as much as a call does. */
function sending(tell: (message: ToWorker) => void, use: Use, watch: Watch): Omit<Instance, 'terminate'> {
  let calls: (HttpCall | InvokeCall)[] = [];
  const flush = () => {
    const now = calls;
    calls = [];
    tell({ kind: 'calls', calls: now });
  };
  return {
    send(call) {
      if (use.running === 0) {
        use.since = performance.now();
        watch.wake();
      }
      use.running += 1;
      if (calls.push(call) === 1) setImmediate(flush);
    },
    taken: (id, bytes) => tell({ kind: 'taken', id, bytes }),
    cancel: (id) => tell({ kind: 'cancel', id }),
    ping: () => tell({ kind: 'ping' }),
  };
}

/** Ends a thread and the processes that it started, and tells that once, with the first reason that was given. */
function ending({ worker, thread }: Blank, children: Set<number>, gone: (why: string) => void) {
  let reason: string | undefined;
  let over = false;
  let late: NodeJS.Timeout | undefined;
  const ended = (why: string) => {
    if (over) return;
    over = true;
    clearTimeout(late);
    for (const pid of children) endProcess(pid);
    gone(reason ?? why);
  };
  worker.on('exit', (code) => ended(`it exited with code ${code}`));
  return {
    because(why: string) {
      reason ??= why;
    },
    now(why?: string) {
      reason ??= why;
      if (late !== undefined || over) return;
      for (const pid of [...children, ...childrenOf(thread())]) endProcess(pid);
      void worker.terminate();
      late = setTimeout(() => ended(`it did not end within ${END_MS / 1000} s`), END_MS);
    },
  };
}

function reasonOf(error: unknown, memory: number): string {
  if (errnoOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') return `it used more than its ${memory} MB of memory`;
  return `an error that nobody caught: ${textOf(error)}`;
}

function lines(stream: NodeJS.ReadableStream, write: (text: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let open = '';
  stream.on('data', (chunk: Buffer) => {
    const parts = (open + decoder.write(chunk)).split('\n');
    open = parts.pop() ?? '';
    for (const part of parts) write(part);
  });
  stream.on('end', () => {
    if (open !== '') write(open);
  });
}
