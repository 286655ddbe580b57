import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { type FromWorker, type HttpCall, type InvokeCall, STREAMED, type ToWorker } from '../calls.js';
import type { Instance, InstanceEvents, InstanceOptions } from '../instance.js';
import { threadProgram } from '../program.js';
import { startChild } from './child.js';
import type { Uncaught } from './port.js';

/** MB of a Node process that has loaded nothing. */
const BASE = 64;

const PROGRAM = await threadProgram();

/** The program of a thread as a process of its own: what goes past V8 ends it alone. */
export function startNode(options: InstanceOptions, events: InstanceEvents): Instance {
  const { memory, load } = options;
  let uncaught: string | undefined;
  let outOfMemory = false;
  const child = startChild(
    {
      command: [process.execPath, `--max-old-space-size=${memory}`, ...programOf()],
      env: load.environment,
      instance: options,
      base: BASE,
      heard: (body) => {
        const message = deserialize(body) as FromWorker | Uncaught;
        hear[message.kind](message as never);
      },
      saw: (text) => {
        outOfMemory ||= /^FATAL ERROR: .*heap out of memory/.test(text);
      },
      reason: (why) => {
        if (outOfMemory) return `it used more than its ${memory} MB of memory`;
        return uncaught === undefined ? why : `an error that nobody caught: ${uncaught}`;
      },
    },
    events,
  );
  const tell = (message: ToWorker) => child.write(serialize(message));
  const hear: {
    [K in (FromWorker | Uncaught)['kind']]: (message: Extract<FromWorker | Uncaught, { kind: K }>) => void;
  } = {
    blank: () => tell({ kind: 'load', load }),
    loaded: () => events.ready(),
    unloadable: (message) => events.unloadable(message.message),
    answers: (message) => {
      events.took(message.took);
      for (const answer of message.answers) {
        if (answer[3] !== STREAMED) child.done(answer[0]);
        events.answered(answer);
      }
    },
    took: (message) => events.took(message.took),
    chunk: (message) => events.chunk(message.id, message.bytes),
    ended: (message) => {
      child.done(message.id);
      events.ended(message.id, message.problem);
    },
    wrote: (message) => {
      for (const [stream, text, activation] of message.lines)
        events.wrote(stream, text, activation || undefined);
    },
    // What the system says of the whole process counts, and its group ends with it.
    used: () => undefined,
    child: () => undefined,
    pong: () => events.pong(),
    uncaught: (message) => {
      uncaught = message.text;
    },
  };
  let calls: (HttpCall | InvokeCall)[] = [];
  const flush = () => {
    const now = calls;
    calls = [];
    tell({ kind: 'calls', calls: now });
  };
  return {
    send: (call) => {
      child.began(call[0], call[1]);
      if (calls.push(call) === 1) setImmediate(flush);
    },
    taken: (id, bytes) => tell({ kind: 'taken', id, bytes }),
    cancel: (id) => tell({ kind: 'cancel', id }),
    ping: () => tell({ kind: 'ping' }),
    terminate: () => child.end(),
  };
}

function programOf(): string[] {
  const { code, eval: text } = PROGRAM;
  return text ? ['-e', String(code)] : [code instanceof URL ? fileURLToPath(code) : code];
}
