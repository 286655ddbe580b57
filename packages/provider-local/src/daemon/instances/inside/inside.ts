import type { FromWorker, HttpCall, InvokeCall, Load, ToWorker } from '../calls.js';
import { createAnswers, type Tell } from './answers.js';
import { createFlows } from './flows.js';
import { guardProcess, threadId, watchChildren } from './guards.js';
import { describe, loadHandler } from './handler.js';
import { memoryReports } from './memory.js';
import { markOutgoing } from './outgoing.js';
import { createOutput } from './output.js';
import { redirect } from './redirect.js';
import { runningCalls } from './running.js';
import { createServe } from './serve.js';

/** The other end of an instance: a thread's port, or a process's channel. */
export interface Channel {
  readonly tell: Tell;
  listen(hear: (message: ToWorker) => void): void;
  /** One number in memory that the engine reads too: calls begun since the start. */
  readonly begun?: Int32Array;
  /** The engine lives in this process. */
  readonly shared: boolean;
}

/**
 * The inside of an instance. It begins blank and becomes an instance of one version when it is told to load it.
 *
 * A thread holds what handlers do wrong most often: `process.exit`, an endless loop, an unhandled rejection, memory that
 * grows without end, `process.kill` of itself. It does not hold a crash in native code, nor one single piece of memory
 * that is larger than all that V8 may have. Those end the engine; what it keeps is on disk, and the next command starts
 * it again. A thread shares one working folder with all others, and its code runs as the user: it keeps faults apart, not
 * malice.
 */
export function inside({ tell, listen, begun, shared }: Channel): void {
  const calls = runningCalls();
  const output = createOutput({
    tell: (message) => tell(message),
    mine: () => calls.mine()?.requestId ?? '',
    now: () => performance.now(),
  });
  redirect(output);
  if (shared) guardProcess();
  watchChildren(tell);
  process.on('exit', () => output.flush(true));

  const answers = createAnswers(tell, output.flush);
  const complain = (text: string) => output.write('stderr', `${text}\n`);
  let serve: ((call: HttpCall | InvokeCall) => void) | undefined;

  const become = async (load: Load) => {
    Object.assign(process.env, load.environment);
    markOutgoing(load.environment, calls);
    const handler = await loadHandler(load);
    const flows = createFlows(tell, (thrown) => complain(describe(thrown, load.root)));
    const memory = memoryReports({
      limit: load.memory * 1024 * 1024,
      tell,
      running: calls.size,
    });
    const one = createServe({ handler, load, answers, flows, calls, complain });
    hear.taken = ({ id, bytes }) => flows.taken(id, bytes);
    hear.cancel = ({ id }) => flows.cancel(id);
    serve = (call) => {
      memory.busy();
      one(call);
    };
  };

  const hear: { [K in ToWorker['kind']]: (message: Extract<ToWorker, { kind: K }>) => void } = {
    load({ load }) {
      clearTimeout(ahead);
      const told = (message: FromWorker) => {
        output.flush();
        tell(message);
      };
      become(load).then(
        () => told({ kind: 'loaded' }),
        (thrown: unknown) => {
          const text = describe(thrown, load.root);
          complain(text);
          told({ kind: 'unloadable', message: text });
        },
      );
    },
    calls(message) {
      answers.begun(message.calls.length);
      for (const call of message.calls) {
        if (begun !== undefined) begun[0]! += 1;
        serve?.(call);
      }
    },
    taken: () => undefined,
    cancel: () => undefined,
    ping: () => tell({ kind: 'pong' }),
  };
  listen((message) => hear[message.kind](message as never));
  tell({ kind: 'blank', thread: shared ? threadId() : 0 });
  // One that is told at once what to load has no time for it.
  const ahead = setTimeout(loadAhead, 1);
}

/** What Node.js loads when a handler first touches a Request, which would take longer than all else that a blank saves. */
function loadAhead(): void {
  const { headers } = new Request('http://localhost/', { headers: { a: 'b' } });
  void new Response(JSON.stringify([...headers]), { headers }).arrayBuffer();
}
