import type { IncomingMessage } from 'node:http';
import { adapt } from '@sfx-deploy/runtime';
import {
  type Answer,
  type HttpCall,
  type InvokeCall,
  isInvoke,
  JSON_ANSWER,
  STREAMED,
  THREW,
} from '../calls.js';
import type { Instance, InstanceEvents, InstanceOptions, StartInstance } from '../instance.js';
import { WINDOW } from '../instance.js';
import { textOf } from '../refusal.js';
import { type Child, startChild } from './child.js';
import { type Asked, type Exchanges, exchanges, withoutConnection } from './exchange.js';
import { freePort, listening } from './listening.js';
import { contextOf } from './plain.js';

/** Less than what a pool waits for an instance to load, so that it is this that is told. */
const LISTEN_MS = 9_500;
/** A program that ends cuts its connections first: its end is waited for, since it says more. */
const END_MS = 150;
/** Up to this size a body whose length is known is handed on whole. */
const WHOLE_BYTES = 256 * 1024;
/** Most bytes of an answer to what is no call over HTTP. */
const RESULT_BYTES = 20 * 1024 * 1024;

/**
 * An instance of any program that serves HTTP on `$PORT`. Calls over HTTP reach it as they are; an invocation is a
 * `POST /` of its payload, what a trigger delivers a `POST /` of CloudEvents.
 */
export function programBackend(): StartInstance {
  let warned = false;
  return (options, events) => {
    let child: Child | undefined;
    let over = false;
    let serve: Serve | undefined;
    const stop = new AbortController();
    const begin = async () => {
      const port = await freePort();
      if (over) return events.gone('it was ended before it began');
      child = startChild(
        {
          command: options.config.command ?? [],
          env: { ...environmentOf(options), PORT: String(port) },
          instance: options,
          base: 0,
          reason: (why) => (why === 'it exited with code 127' ? `${why}: its command was not found` : why),
        },
        {
          ...events,
          gone(why) {
            stop.abort();
            serve?.close();
            events.gone(why);
          },
        },
      );
      const late = setTimeout(() => stop.abort('late'), LISTEN_MS);
      const at = await listening(port, stop.signal);
      clearTimeout(late);
      if (at === undefined) {
        if (stop.signal.reason === 'late')
          events.unloadable(`it did not listen on $PORT (${port}) within ${LISTEN_MS / 1000} s`);
        return;
      }
      if (at.wide && !warned) {
        warned = true;
        events.wrote(
          'engine',
          'it listens on every address of this machine: others in the network can call it past the engine; bind 127.0.0.1',
        );
      }
      serve = serving(options, events, exchanges(port, at), child);
      events.ready();
    };
    begin().catch((error: unknown) => {
      // Nothing of the program runs yet, or what runs is ended by it.
      if (child === undefined) events.gone(textOf(error));
      else child.fail(textOf(error));
    });
    return {
      send: (call) => serve?.send(call),
      taken: (id, bytes) => serve?.taken(id, bytes),
      cancel: (id) => serve?.cancel(id),
      // Others of its calls may go on, and end in their own time.
      ping: () => setImmediate(events.pong),
      terminate() {
        over = true;
        child?.end();
      },
    } satisfies Instance;
  };
}

/** What a handler reads from its context. */
function environmentOf({ load }: InstanceOptions): Record<string, string> {
  const { service, stage, version, release } = load.context;
  return {
    ...load.environment,
    SFX_FUNCTION: load.context.function,
    SFX_VERSION: version,
    SFX_SERVICE: service,
    SFX_STAGE: stage,
    ...(release !== null && { SFX_RELEASE: String(release) }),
  };
}

interface Serve {
  send(call: HttpCall | InvokeCall): void;
  taken(id: number, bytes: number): void;
  cancel(id: number): void;
  close(): void;
}

interface Running {
  readonly abort: AbortController;
  /** Bytes that may still be sent of a streamed answer. */
  left: number;
  answer?: IncomingMessage;
}

function serving(options: InstanceOptions, events: InstanceEvents, program: Exchanges, child: Child): Serve {
  const running = new Map<number, Running>();
  const { load } = options;
  let took = 0;
  let closed = false;

  const end = (id: number) => {
    running.delete(id);
    child.done(id);
  };
  const answered = (answer: Answer) => {
    if (closed) return;
    if (answer[3] !== STREAMED) end(answer[0]);
    events.answered(answer);
  };
  const failed = async (id: number, activation: string, error: unknown) => {
    await new Promise((resolve) => setTimeout(resolve, END_MS));
    if (closed) return;
    const text = reasonOf(error);
    events.wrote('engine', text, activation);
    answered([id, THREW, text]);
  };

  const http = async (call: HttpCall, one: Running) => {
    const [id, , , , , method, url, , body] = call;
    const from = url.indexOf('/', url.indexOf('//') + 2);
    const asked = { method, path: from < 0 ? '/' : url.slice(from), headers: headersOf(call, options), body };
    const res = await program.ask(asked, one.abort.signal);
    const status = res.statusCode ?? 0;
    const headers = withoutConnection(res.rawHeaders);
    const length = Number(res.headers['content-length'] ?? Number.NaN);
    const bare = method === 'HEAD' || status === 204 || status === 304;
    if (bare || length <= WHOLE_BYTES) {
      const whole = await read(res, WHOLE_BYTES);
      return answered([id, status, headers, bare ? null : whole]);
    }
    one.answer = res;
    one.left = WINDOW;
    events.answered([id, status, headers, STREAMED]);
    res.on('data', (chunk: Buffer) => {
      one.left -= chunk.length;
      events.chunk(id, chunk);
      if (one.left <= 0) res.pause();
    });
    const done = (problem?: string) => {
      if (closed || running.get(id) !== one) return;
      end(id);
      events.ended(id, problem);
    };
    res.once('end', () => done());
    res.once('error', (error) => done(reasonOf(error)));
    res.once('close', () => done('it closed the connection before its answer was whole'));
  };

  /** An answer that is whole, in the middle form of the runtime. */
  const whole = async (asked: Asked, signal: AbortSignal) => {
    const res = await program.ask(asked, signal);
    return {
      status: res.statusCode ?? 0,
      headers: withoutConnection(res.rawHeaders),
      body: await read(res, RESULT_BYTES),
    };
  };
  const invoke = async (call: InvokeCall, one: Running) => {
    const payload = call[5];
    const { signal } = one.abort;
    if (/"\$(http|event)"/.test(payload)) {
      const fetch = async (request: Request) => {
        const { pathname, search } = new URL(request.url);
        const body = new Uint8Array(await request.arrayBuffer());
        const headers = marked([...request.headers].flat(), call, options);
        const { status, ...res } = await whole(
          { method: request.method, path: pathname + search, headers, body: body.length === 0 ? null : body },
          signal,
        );
        const pairs: [string, string][] = [];
        for (let n = 0; n < res.headers.length; n += 2) pairs.push([res.headers[n]!, res.headers[n + 1]!]);
        const bare = status === 204 || status === 205 || status === 304;
        return new Response(bare ? null : res.body, { status, headers: pairs });
      };
      const result = await adapt({ fetch }, 'program').invoke(JSON.parse(payload), contextOf(call, load));
      return answered([call[0], JSON_ANSWER, JSON.stringify(result) ?? 'null']);
    }
    const headers = marked(['content-type', 'application/json'], call, options);
    const { status, body } = await whole(
      { method: 'POST', path: '/', headers, body: Buffer.from(payload) },
      signal,
    );
    if (status < 200 || status > 299) throw new Error(`it answered ${status}`);
    answered([call[0], JSON_ANSWER, resultOf(body)]);
  };

  return {
    send(call) {
      const [id, activation] = call;
      const one: Running = { abort: new AbortController(), left: 0 };
      running.set(id, one);
      child.began(id, activation);
      took += 1;
      events.took(took);
      (isInvoke(call) ? invoke(call, one) : http(call, one)).catch((error: unknown) =>
        failed(id, activation, error),
      );
    },
    taken(id, bytes) {
      const one = running.get(id);
      if (one?.answer === undefined) return;
      one.left += bytes;
      if (one.left > 0) one.answer.resume();
    },
    cancel: (id) => running.get(id)?.abort.abort(),
    close() {
      closed = true;
      for (const one of running.values()) one.abort.abort();
      program.close();
    },
  };
}

/** The caller's headers, and what a program has instead of a handler's context. */
function headersOf(call: HttpCall, options: InstanceOptions): string[] {
  const [, , , , , , , headers, , , , ip, authorizer] = call;
  const more = ip === '' ? [] : ['x-forwarded-for', ip];
  if (authorizer !== '') more.push('x-sfx-authorizer', ascii(authorizer));
  return marked([...headers, ...more], call, options);
}

/** What the engine says of a call takes the place of what the caller said under the same names. */
function marked(
  headers: readonly string[],
  call: HttpCall | InvokeCall,
  { load }: InstanceOptions,
): string[] {
  const [, requestId, deadline, depth, trace] = call;
  const ours = new Map([
    ['x-request-id', requestId],
    ['x-sfx-activation', requestId],
    ['x-sfx-function', load.context.function],
    ['x-sfx-version', load.context.version],
    ['x-sfx-deadline', String(deadline)],
    ['x-sfx-depth', String(depth)],
  ]);
  if (trace !== '') ours.set('traceparent', trace);
  const all: string[] = [];
  for (let n = 0; n < headers.length; n += 2) {
    if (!ours.has(headers[n]!.toLowerCase())) all.push(headers[n]!, headers[n + 1]!);
  }
  return [...all, ...[...ours].flat()];
}

/** JSON of the same meaning that a header can hold. */
function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function read(res: IncomingMessage, most: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new Error(`its answer is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** JSON where it is JSON, as it was written; else text as JSON; nothing as null. */
function resultOf(body: Buffer): string {
  const text = body.toString('utf8');
  if (text === '') return 'null';
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

function reasonOf(error: unknown): string {
  const { code = '' } = error as { code?: string };
  if (code.startsWith('HPE_')) return `what it answered is not HTTP: ${textOf(error)}`;
  if (code === 'ECONNREFUSED') return 'it does not listen on $PORT any more';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'it closed the connection without an answer';
  return textOf(error);
}
