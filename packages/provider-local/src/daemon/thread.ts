import { StringDecoder } from 'node:string_decoder';
import { Worker } from 'node:worker_threads';
import type { FromWorker, HttpCall, InvokeCall, ToWorker } from './calls.js';
import type { Instance, InstanceEvents, InstanceOptions } from './instance.js';
import { threadProgram } from './program.js';
import { errnoOf, textOf } from './refusal.js';

const PROGRAM = await threadProgram();

/** A thread of its own that serves one version. It is ready when `events.ready` was called. */
export function startThread(options: InstanceOptions, events: InstanceEvents): Instance {
  const worker = new Worker(PROGRAM.code, {
    name: options.name,
    eval: PROGRAM.eval,
    // Flags of the daemon are not the handler's.
    execArgv: [],
    // A blank has none; what it loads brings its own.
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: options.memory, stackSizeMb: 4 },
  });
  let why: string | undefined;
  let calls: (HttpCall | InvokeCall)[] = [];
  const tell = (message: ToWorker) => worker.postMessage(message);
  const flush = () => {
    const now = calls;
    calls = [];
    tell({ kind: 'calls', calls: now });
  };
  const hear: { [K in FromWorker['kind']]: (message: Extract<FromWorker, { kind: K }>) => void } = {
    blank: () => tell({ kind: 'load', load: options.load }),
    loaded: () => events.ready(),
    unloadable: (message) => events.unloadable(message.message),
    answers: (message) => {
      events.took(message.took);
      message.answers.forEach(events.answered);
    },
    took: (message) => events.took(message.took),
    chunk: (message) => events.chunk(message.id, message.bytes),
    ended: (message) => events.ended(message.id, message.problem),
    wrote: (message) => {
      for (const [stream, text, activation] of message.lines)
        events.wrote(stream, text, activation || undefined);
    },
    used: (message) => events.used(message.bytes),
    child: () => undefined,
    pong: () => events.pong(),
  };
  worker.on('message', (message: FromWorker) => hear[message.kind](message as never));
  worker.on('error', (error) => {
    why = reasonOf(error, options.memory);
  });
  worker.on('exit', (code) => events.gone(why ?? `it exited with code ${code}`));
  lines(worker.stdout, (text) => events.wrote('stdout', text));
  lines(worker.stderr, (text) => events.wrote('stderr', text));
  return {
    send: (call) => {
      if (calls.push(call) === 1) setImmediate(flush);
    },
    taken: (id, bytes) => tell({ kind: 'taken', id, bytes }),
    cancel: (id) => tell({ kind: 'cancel', id }),
    ping: () => tell({ kind: 'ping' }),
    terminate: () => void worker.terminate(),
  };
}

function reasonOf(error: unknown, memory: number): string {
  if (errnoOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') return `it used more than its ${memory} MB of memory`;
  return `an error that nobody caught: ${textOf(error)}`;
}

/** Longest text that waits for its end of line. */
const OPEN_LINE = 64 * 1024;

function lines(stream: NodeJS.ReadableStream, write: (text: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let open = '';
  stream.on('data', (chunk: Buffer) => {
    const parts = (open + decoder.write(chunk)).split('\n');
    open = parts.pop() ?? '';
    for (const part of parts) write(part.endsWith('\r') ? part.slice(0, -1) : part);
    if (open.length > OPEN_LINE) {
      write(open);
      open = '';
    }
  });
  stream.on('end', () => {
    if (open !== '') write(open);
  });
}
