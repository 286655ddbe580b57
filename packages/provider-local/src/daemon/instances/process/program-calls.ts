import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, textOf } from '../../refusal.js';
import {
  type Answer,
  type HttpCall,
  type InvokeCall,
  isInvoke,
  JSON_ANSWER,
  STREAMED,
  THREW,
} from '../calls.js';
import type { Instance, InstanceEvents, InstanceOptions } from '../instance.js';
import type { Child } from './child.js';
import { type Exchanges, withoutConnection } from './exchange.js';
import { headersOf } from './program-headers.js';
import { invokeProgram, read } from './program-invoke.js';
import { type BodyStream, streamBody } from './program-stream.js';

/** A program that ends cuts its connections first: its end is waited for, since it says more. */
const END_MS = 150;
/** Up to this size a body whose length is known is handed on whole. */
const WHOLE_BYTES = 256 * 1024;

/** The calls of one program that listens. */
export interface ProgramCalls extends Pick<Instance, 'send' | 'taken' | 'cancel'> {
  /** It has ended: nothing more is told. */
  close(): void;
}

interface Running {
  readonly abort: AbortController;
  /** Its answer, when that comes in chunks. */
  stream?: BodyStream;
}

export function programCalls(
  { load }: InstanceOptions,
  events: InstanceEvents,
  program: Exchanges,
  child: Child,
): ProgramCalls {
  const running = new Map<number, Running>();
  let took = 0;
  let closed = false;

  const end = (id: number) => {
    running.delete(id);
    child.done(id);
  };
  const answered = (answer: Answer) => {
    if (closed) return;
    end(answer[0]);
    events.answered(answer);
  };
  const failed = async (id: number, activation: string, error: unknown) => {
    if (CUT.has(errnoOf(error) ?? '')) await sleep(END_MS);
    if (closed) return;
    const text = reasonOf(error);
    if (running.get(id)?.abort.signal.aborted === false) events.wrote('engine', text, activation);
    answered([id, THREW, text]);
  };

  const streamed = (id: number, one: Running, res: IncomingMessage) => {
    const done = (error?: unknown) => {
      if (closed) return;
      end(id);
      events.ended(id, error === undefined ? undefined : reasonOf(error));
    };
    one.stream = streamBody(res, (bytes) => events.chunk(id, bytes), done);
  };

  const http = async (call: HttpCall, one: Running) => {
    const [id, , , , , method, url, , body] = call;
    const asked = { method, path: pathOf(url), headers: headersOf(call, load), body };
    const res = await program.ask(asked, one.abort.signal);
    const status = res.statusCode ?? 0;
    const headers = withoutConnection(res.rawHeaders);
    const bare = method === 'HEAD' || status === 204 || status === 304;
    if (bare || Number(res.headers['content-length'] ?? Number.NaN) <= WHOLE_BYTES) {
      const whole = await read(res, WHOLE_BYTES);
      answered([id, status, headers, bare ? null : whole]);
    } else if (!closed) {
      events.answered([id, status, headers, STREAMED]);
      streamed(id, one, res);
    }
  };
  const invoke = async (call: InvokeCall, { abort }: Running) =>
    answered([call[0], JSON_ANSWER, await invokeProgram(program, call, load, abort.signal)]);

  return {
    send(call) {
      const [id, activation] = call;
      const one: Running = { abort: new AbortController() };
      running.set(id, one);
      child.began(id, activation);
      took += 1;
      events.took(took);
      const done = isInvoke(call) ? invoke(call, one) : http(call, one);
      done.catch((error: unknown) => failed(id, activation, error));
    },
    taken: (id, bytes) => running.get(id)?.stream?.taken(bytes),
    cancel: (id) => running.get(id)?.abort.abort(),
    close() {
      closed = true;
      for (const one of running.values()) one.abort.abort();
      program.close();
    },
  };
}

/** Path and query, as they were written. */
function pathOf(url: string): string {
  const from = url.indexOf('/', url.indexOf('//') + 2);
  return from < 0 ? '/' : url.slice(from);
}

const CUT = new Set(['ECONNRESET', 'EPIPE', 'ECONNREFUSED']);

function reasonOf(error: unknown): string {
  const code = errnoOf(error) ?? '';
  if (code.startsWith('HPE_')) return `what it answered is not HTTP: ${textOf(error)}`;
  if (code === 'ECONNREFUSED') return 'it does not listen on $PORT any more';
  return CUT.has(code) ? 'it closed the connection without an answer' : textOf(error);
}
