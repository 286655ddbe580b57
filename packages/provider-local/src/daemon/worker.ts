import { parentPort } from 'node:worker_threads';
import {
  type Answer,
  type FromWorker,
  type HttpCall,
  type InvokeCall,
  isInvoke,
  JSON_ANSWER,
  type Load,
  THREW,
  type ToWorker,
} from './calls.js';

/**
 * The inside of an instance. It begins blank and becomes an instance of one version when it is told to load it.
 *
 * A thread holds what handlers do wrong most often: `process.exit`, an endless loop, an unhandled rejection, a heap that
 * grows without end. It does not hold what goes past V8: a native crash, memory outside the heap (a Buffer bomb), or
 * `process.kill` of its own process. Those end the daemon; what it keeps is on disk, and the next command starts it again.
 * A thread shares one working folder with all others, and its code runs as the user: it keeps faults apart, not malice.
 */

interface Handler {
  http(request: PlainRequest, context: PlainContext): Promise<PlainResponse>;
  invoke(payload: unknown, context: PlainContext): Promise<unknown>;
}

interface PlainRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: [string, string][];
  readonly body: Uint8Array | null;
  readonly params: Record<string, string>;
  readonly route: string;
}

interface PlainResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | null;
}

interface PlainContext extends Omit<Load['context'], 'release'> {
  readonly release: number | null;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

/** Bodies from this size on are handed over instead of copied. */
const TRANSFER_BYTES = 16 * 1024;

if (parentPort === null) throw new Error('this file is run by the engine, as a thread');
const port = parentPort;

function tell(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

let took = 0;

/** Gathers answers and sends those of one turn of the event loop together. */
function outbox(): (answer: Answer) => void {
  let answers: Answer[] = [];
  let transfer: ArrayBuffer[] = [];
  const flush = () => {
    const [now, handed] = [answers, transfer];
    answers = [];
    transfer = [];
    tell({ kind: 'answers', took, answers: now }, handed);
  };
  return (answer) => {
    const body = answer[3];
    if (body instanceof Uint8Array && body.byteLength >= TRANSFER_BYTES)
      transfer.push(body.buffer as ArrayBuffer);
    if (answers.push(answer) === 1) setImmediate(flush);
  };
}

function serve(handler: Handler, load: Load): (calls: readonly (HttpCall | InvokeCall)[]) => void {
  const answer = outbox();
  const failed = (id: number, thrown: unknown) => {
    process.stderr.write(`${describe(thrown, load.root)}\n`);
    answer([id, THREW, thrown instanceof Error ? thrown.message : String(thrown)]);
  };
  const contextOf = (requestId: string, deadline: number): PlainContext => ({
    ...load.context,
    requestId,
    deadline,
  });
  const http = async (call: HttpCall) => {
    const [id, requestId, deadline, , , method, url, headers, body, params, route] = call;
    try {
      const request = {
        method,
        url,
        headers: pairs(headers),
        body,
        params: Object.fromEntries(pairs(params)),
        route,
      };
      const {
        status,
        headers: sent,
        body: bytes,
      } = await handler.http(request, contextOf(requestId, deadline));
      answer([id, status, flat(sent), bytes === null ? null : own(bytes)]);
    } catch (thrown) {
      failed(id, thrown);
    }
  };
  const invoke = async ([id, requestId, deadline, , , payload]: InvokeCall) => {
    try {
      const result = await handler.invoke(JSON.parse(payload), contextOf(requestId, deadline));
      answer([id, JSON_ANSWER, JSON.stringify(result) ?? 'null']);
    } catch (thrown) {
      failed(id, thrown);
    }
  };
  return (calls) => {
    took += calls.length;
    for (const call of calls) void (isInvoke(call) ? invoke(call) : http(call));
  };
}

function pairs(list: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let n = 0; n < list.length; n += 2) found.push([list[n]!, list[n + 1]!]);
  return found;
}

function flat(list: readonly (readonly [string, string])[]): string[] {
  const found: string[] = [];
  for (const [name, value] of list) found.push(String(name), String(value));
  return found;
}

/** A view on a larger buffer (Node's pool) would be sent with all of that buffer. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes);
}

/** Message and the first line of the stack that is the user's own, without the engine's folders. */
function describe(thrown: unknown, root: string): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const place = new URL(root).pathname;
  const mine = (thrown.stack ?? '').split('\n').find((line) => line.includes(root) || line.includes(place));
  const at = mine
    ?.replaceAll(root, '')
    .replaceAll(place, '')
    .trim()
    .replace(/^at (.*)$/, '$1');
  return `${thrown.name}: ${thrown.message}${at === undefined ? '' : ` (at ${at})`}`;
}

function isHandler(value: unknown): value is Handler {
  const handler = value as Partial<Handler> | null | undefined;
  return typeof handler?.http === 'function' && typeof handler.invoke === 'function';
}

async function become(load: Load): Promise<ReturnType<typeof serve>> {
  Object.assign(process.env, load.environment);
  const module = (await import(load.module)) as { default?: unknown };
  if (!isHandler(module.default)) throw new Error('the module exports no handler');
  return serve(module.default, load);
}

let run: ReturnType<typeof serve> | undefined;
process.setSourceMapsEnabled(true);
port.on('message', (message: ToWorker) => {
  if (message.kind === 'calls') run?.(message.calls);
  else if (message.kind === 'ping') tell({ kind: 'pong' });
  else if (message.kind === 'load') {
    become(message.load).then(
      (serving) => {
        run = serving;
        tell({ kind: 'loaded' });
      },
      (thrown: unknown) => {
        const text = describe(thrown, message.load.root);
        process.stderr.write(`${text}\n`);
        tell({ kind: 'unloadable', message: text });
      },
    );
  }
});
tell({ kind: 'blank', thread: 0 });
